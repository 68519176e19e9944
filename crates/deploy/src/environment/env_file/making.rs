//! Making the file, with secrets that nobody knows.

use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use secrecy::{ExposeSecret, SecretString};

use super::read;
use crate::{environment::Environment, fingerprint::hexadecimal};

/// What only a person knows.
#[derive(Clone, Debug)]
pub struct NewEnvFile {
    /// The name that the service is reached by; without one it serves plain HTTP on every name.
    pub domain: Option<String>,
    /// The port of the host for HTTP.
    pub http_port: u16,
    /// The port of the host for HTTPS.
    pub https_port: u16,
    /// The tax on orders, as a share from 0 to 1.
    pub tax_rate: String,
    /// The key of the API.
    pub openai_api_key: SecretString,
    /// Where the API is.
    pub openai_base_url: String,
    /// The model that chats.
    pub openai_model: String,
    /// The model that embeds.
    pub openai_embedding_model: String,
}

/// The file was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// There is one already.
    #[error("{file} exists already")]
    Exists {
        /// Its name.
        file: String,
    },
    /// A value that cannot be used.
    #[error("{key} {what}")]
    Value {
        /// Its key.
        key: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It cannot be written.
    #[error("{file} cannot be written")]
    Write {
        /// Its name.
        file: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Of an earlier file: the servers were made with them, and are not made anew.
const KEPT: [&str; 2] = ["POSTGRES_PASSWORD", "REDIS_PASSWORD"];

/// Bytes of a secret.
const SECRET: usize = 32;

// === impl NewEnvFile ===

impl NewEnvFile {
    /// Writes the file, for its owner only, and gives the keys that were kept of an earlier one.
    /// That one is replaced only if `force` says so; all of the new one is there or nothing.
    ///
    /// # Errors
    /// If there is one already, a value cannot be used, or the disk says no.
    pub fn write(&self, path: &Path, force: bool) -> Result<Vec<&'static str>, MakeError> {
        let file = path.display().to_string();
        let failed = |source| MakeError::Write {
            file: file.clone(),
            source,
        };
        let exists = || MakeError::Exists { file: file.clone() };
        if path.exists() && !force {
            return Err(exists());
        }
        // One that cannot be read has nothing that could be kept.
        let old = read(path).unwrap_or_default();
        let text = self.text(&old, random().map_err(failed)?)?;
        let temporary = path.with_extension(format!("new-{}", std::process::id()));
        let _ = fs::remove_file(&temporary);
        let written = || {
            let mut options = OpenOptions::new();
            let mut new = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&temporary)?;
            new.write_all(text.expose_secret().as_bytes())?;
            new.sync_all()?;
            if force {
                return fs::rename(&temporary, path);
            }
            // Fails if somebody else made one meanwhile.
            fs::hard_link(&temporary, path)
        };
        let done = written();
        let _ = fs::remove_file(&temporary);
        match done {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists()),
            done => done.map_err(failed).map(|()| kept(&old)),
        }
    }

    fn text(&self, old: &Environment, new: [String; 4]) -> Result<SecretString, MakeError> {
        let share = self.tax_rate.parse::<f64>();
        if !share.is_ok_and(|share| (0.0..=1.0).contains(&share)) {
            return Err(MakeError::Value {
                key: "TAX_RATE",
                what: "is no share from 0 to 1, as in 0.09",
            });
        }
        let [postgres, redis, secret_key, token] = new;
        let or = |key: &str, new: String| {
            let old = old.get(key).map(|value| value.expose_secret().to_owned());
            old.unwrap_or(new)
        };
        let postgres = or(KEPT[0], postgres);
        let redis = or(KEPT[1], redis);
        let database = format!("postgres://tria:{}@postgres:5432/tria", encoded(&postgres));
        let site = self.domain.clone().unwrap_or_else(|| ":80".into());
        let (http, https) = (self.http_port.to_string(), self.https_port.to_string());
        let settings: [(&str, &'static str, &str); 14] = [
            (
                "# Made by `cargo xtask init`. What each key means is in docs/configuration.md.\n",
                "SITE_ADDRESS",
                &site,
            ),
            ("", "HTTP_PORT", &http),
            ("", "HTTPS_PORT", &https),
            ("\n", "TAX_RATE", &self.tax_rate),
            ("\n", "OPENAI_API_KEY", self.openai_api_key.expose_secret()),
            ("", "OPENAI_BASE_URL", &self.openai_base_url),
            ("", "OPENAI_MODEL", &self.openai_model),
            ("", "OPENAI_EMBEDDING_MODEL", &self.openai_embedding_model),
            ("\n", "LOG_LEVEL", "info"),
            (
                "\n# Secrets. The database and Redis keep the password they were made with.\n",
                "POSTGRES_PASSWORD",
                &postgres,
            ),
            ("", "DATABASE_URL", &database),
            ("", "REDIS_PASSWORD", &redis),
            ("", "SECRET_KEY", &secret_key),
            ("", "DIAGNOSTICS_TOKEN", &token),
        ];
        let mut text = String::new();
        for (before, key, value) in settings {
            let _ = writeln!(text, "{before}{key}={}", quoted(key, value)?);
        }
        Ok(text.into())
    }
}

fn kept(old: &Environment) -> Vec<&'static str> {
    let known = |key: &&str| old.get(key).is_some();
    KEPT.into_iter().filter(known).collect()
}

/// Secrets of 256 bits each, in hexadecimal.
fn random() -> io::Result<[String; 4]> {
    let mut source = File::open("/dev/urandom")?;
    let mut secrets = [const { String::new() }; 4];
    for secret in &mut secrets {
        let mut bytes = [0; SECRET];
        source.read_exact(&mut bytes)?;
        *secret = hexadecimal(&bytes);
    }
    Ok(secrets)
}

/// A password as it stands in a URL.
fn encoded(password: &str) -> String {
    percent_encoding::utf8_percent_encode(password, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A value as both compose and we read it back.
fn quoted(key: &'static str, value: &str) -> Result<String, MakeError> {
    if value.trim().is_empty() {
        let what = "has no value";
        return Err(MakeError::Value { key, what });
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._~:/@+%=,-".contains(letter);
    if value.chars().all(plain) {
        return Ok(value.to_owned());
    }
    if value.contains(['\'', '\\']) || value.chars().any(char::is_control) {
        let what = "has a quote, a backslash or a line break, which the file cannot hold";
        return Err(MakeError::Value { key, what });
    }
    Ok(format!("'{value}'"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn new() -> NewEnvFile {
        NewEnvFile {
            domain: None,
            http_port: 80,
            https_port: 443,
            tax_rate: "0.09".into(),
            openai_api_key: "sk-s3cret key".into(),
            openai_base_url: "https://api.openai.com/v1".into(),
            openai_model: "gpt-4o-mini".into(),
            openai_embedding_model: "text-embedding-3-small".into(),
        }
    }

    fn value(path: &Path, key: &str) -> String {
        let environment = read(path).unwrap();
        environment.get(key).unwrap().expose_secret().to_owned()
    }

    #[test]
    fn the_file_is_for_its_owner_and_its_secrets_are_new() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        assert!(new().write(&one, false).unwrap().is_empty());
        new().write(&other, false).unwrap();
        let mode = one.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for key in [
            "POSTGRES_PASSWORD",
            "REDIS_PASSWORD",
            "SECRET_KEY",
            "DIAGNOSTICS_TOKEN",
        ] {
            assert_eq!(value(&one, key).len(), 64, "{key}");
            assert_ne!(value(&one, key), value(&other, key), "{key}");
        }
        let password = value(&one, "POSTGRES_PASSWORD");
        let url = format!("postgres://tria:{password}@postgres:5432/tria");
        assert_eq!(value(&one, "DATABASE_URL"), url);
        assert_eq!(value(&one, "OPENAI_API_KEY"), "sk-s3cret key");
        assert_eq!(value(&one, "SITE_ADDRESS"), ":80");
        // Nothing else is left.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn one_that_is_there_is_replaced_only_by_force_and_its_servers_keep_their_passwords() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env.docker");
        fs::write(&path, "POSTGRES_PASSWORD=p@ss\nSECRET_KEY=old\n").unwrap();
        let refused = new().write(&path, false).unwrap_err();
        assert!(matches!(refused, MakeError::Exists { .. }), "{refused}");
        assert_eq!(value(&path, "SECRET_KEY"), "old");
        assert_eq!(new().write(&path, true).unwrap(), ["POSTGRES_PASSWORD"]);
        assert_eq!(value(&path, "POSTGRES_PASSWORD"), "p@ss");
        let url = "postgres://tria:p%40ss@postgres:5432/tria";
        assert_eq!(value(&path, "DATABASE_URL"), url);
        assert_ne!(value(&path, "SECRET_KEY"), "old");
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_cannot_be_used_is_named_without_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let tax = NewEnvFile {
            tax_rate: "9".into(),
            ..new()
        };
        let key = NewEnvFile {
            openai_api_key: "sk-s3cret'".into(),
            ..new()
        };
        let none = NewEnvFile {
            openai_api_key: " ".into(),
            ..new()
        };
        for (settings, named) in [
            (tax, "TAX_RATE"),
            (key, "OPENAI_API_KEY"),
            (none, "OPENAI_API_KEY"),
        ] {
            let error = settings.write(&path, false).unwrap_err();
            assert!(error.to_string().starts_with(named), "{error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
        assert!(!path.exists());
    }
}

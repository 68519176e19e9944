//! `cargo xtask init`: the file with settings and secrets of a deployment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use tria_deploy::{
    Outcome, chain,
    env_file::{MakeError, NewEnvFile},
};

use crate::{
    deployment::{Telling, refused},
    environment,
    person::Person,
    tell,
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The name that the service is reached by; without one it serves plain HTTP
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// The tax on orders, as a share
    #[arg(long, value_name = "R")]
    tax_rate: Option<String>,
    /// A file with the key of the API; otherwise `OPENAI_API_KEY` of the environment is taken
    #[arg(long, value_name = "FILE")]
    openai_api_key_file: Option<PathBuf>,
    /// Where the API is
    #[arg(long, value_name = "URL", default_value = "https://api.openai.com/v1")]
    openai_base_url: String,
    /// The model that chats
    #[arg(long, value_name = "NAME", default_value = "gpt-4o-mini")]
    openai_model: String,
    /// The model that embeds
    #[arg(long, value_name = "NAME", default_value = "text-embedding-3-small")]
    openai_embedding_model: String,
    /// The port of the host for HTTP
    #[arg(long, value_name = "N", default_value_t = 80)]
    http_port: u16,
    /// The port of the host for HTTPS
    #[arg(long, value_name = "N", default_value_t = 443)]
    https_port: u16,
    /// The file
    #[arg(long, value_name = "FILE", default_value = ".env.docker")]
    env_file: PathBuf,
    /// Replace a file that is there; the passwords of database and Redis are kept
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match arguments.make() {
        Ok(()) => ExitCode::SUCCESS,
        Err(early) => Telling::new(false).ended_early(&early),
    }
}

// === impl Arguments ===

impl Arguments {
    fn make(&self) -> Result<(), Outcome> {
        let file = &self.env_file;
        if file.exists() && !self.force {
            return Err(exists(file));
        }
        let person = Person::find();
        let key = self.key()?;
        let mut missing = Vec::new();
        if self.tax_rate.is_none() {
            missing.push("--tax-rate");
        }
        if key.is_none() {
            missing.push("--openai-api-key-file (or OPENAI_API_KEY)");
        }
        let Some(person) = person.or_else(|| missing.is_empty().then(Person::nobody)) else {
            return Err(refused(
                "init",
                format!("missing: {}", missing.join(", ")),
                "give them, or run the command on a terminal, where it asks",
            ));
        };
        let asked = |question: &str| person.ask(question).unwrap_or_default();
        let domain = match &self.domain {
            Some(domain) => Some(domain.clone()),
            None => Some(asked(
                "name that the service is reached by (none: plain HTTP)",
            )),
        };
        let tax_rate = match &self.tax_rate {
            Some(rate) => rate.clone(),
            None => asked("tax on orders, as a share (as in 0.09)"),
        };
        let key = match key {
            Some(key) => key,
            None => person.ask_secretly("key of the API").unwrap_or_default(),
        };
        let new = NewEnvFile {
            domain: domain.filter(|domain| !domain.is_empty()),
            http_port: self.http_port,
            https_port: self.https_port,
            tax_rate,
            openai_api_key: key.into(),
            openai_base_url: self.openai_base_url.clone(),
            openai_model: self.openai_model.clone(),
            openai_embedding_model: self.openai_embedding_model.clone(),
        };
        let kept = new.write(file, self.force).map_err(|error| match error {
            MakeError::Exists { .. } => exists(file),
            error => refused(
                "init",
                chain(&error),
                "correct it and run the command again",
            ),
        })?;
        if !kept.is_empty() {
            tell(&format!("kept of the file before: {}", kept.join(", ")));
        }
        tell(&format!(
            "{} is written, for you only; `cargo xtask deploy` uses it",
            file.display()
        ));
        Ok(())
    }

    fn key(&self) -> Result<Option<String>, Outcome> {
        let Some(file) = &self.openai_api_key_file else {
            return Ok(environment::openai_api_key());
        };
        let read = fs::read_to_string(file).map_err(|error| {
            let file = file.display();
            refused(
                "init",
                format!("{file} cannot be read: {error}"),
                "correct --openai-api-key-file",
            )
        })?;
        Ok(Some(read.trim().to_owned()))
    }
}

fn exists(file: &Path) -> Outcome {
    refused(
        "init",
        format!("{} exists already", file.display()),
        "edit it, or replace it with `--force`, which keeps the passwords of database and Redis",
    )
}

//! A private ChromaDB.

mod database;

use std::{
    ops::{Deref, DerefMut},
    path::PathBuf,
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    Installation, Result, command, files,
    files::RunFolder,
    http,
    server::{Recipe, Server},
};

pub use database::ChromaDatabase;

/// What a private ChromaDB should be like.
#[derive(Clone, Debug, Default)]
pub struct ChromaOptions {
    /// Where data are kept; none: gone with the server.
    pub data: Option<PathBuf>,
    /// A fixed port; none: a free one.
    pub port: Option<u16>,
}

/// A running ChromaDB; see [`Server`] for stop, restart and pause.
#[derive(Debug)]
pub struct Chroma {
    server: Server,
    // After the server, so that it is gone when the folder is removed.
    _folder: RunFolder,
}

impl Chroma {
    /// Starts a server and waits until its heartbeat answers.
    ///
    /// # Errors
    /// When the stack is not set up, or the server does not become ready.
    pub async fn start(options: ChromaOptions) -> Result<Self> {
        let installation = Installation::load()?;
        let folder = RunFolder::create(&installation.run_folder())?;
        let keeps = options.data.is_some();
        let data = options.data.unwrap_or_else(|| folder.path().join("chroma"));
        files::create(&data)?;
        let home = folder.path().to_owned();
        let recipe = Recipe {
            name: "ChromaDB",
            log: folder.path().join("chroma.log"),
            command: Box::new(move |port| {
                let mut command = command::server(&installation.python, None);
                command.arg(&installation.chroma).args([
                    "run",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    &port.to_string(),
                ]);
                command.arg("--path").arg(&data).current_dir(&home);
                command
                    .env("ANONYMIZED_TELEMETRY", "False")
                    .env("HOME", &home);
                Ok((command, None))
            }),
            probe: Box::new(|port| Box::pin(probe(port))),
            // A clean stop takes it more than a second; data that nobody keeps need none.
            stop: if keeps { Signal::TERM } else { Signal::KILL },
            grace: Duration::from_secs(10),
            quick_stop: Signal::KILL,
        };
        Ok(Self {
            server: Server::start(recipe, options.port).await?,
            _folder: folder,
        })
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }
}

impl Deref for Chroma {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for Chroma {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

async fn probe(port: u16) -> std::result::Result<(), String> {
    match http::request(port, "GET", "/api/v2/heartbeat", None, None).await {
        Ok(answer) if answer.status == 200 && answer.body.contains("heartbeat") => Ok(()),
        Ok(answer) => Err(format!("the heartbeat answers {}", answer.status)),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[tokio::test]
    async fn kept_data_survive_a_restart_and_no_process_is_left() {
        const COLLECTIONS: &str =
            "/api/v2/tenants/default_tenant/databases/default_database/collections";
        let folder = tempfile::tempdir().unwrap();
        let data = Some(folder.path().to_owned());
        let mut chroma = Chroma::start(ChromaOptions {
            data,
            ..Default::default()
        })
        .await
        .unwrap();
        let (port, pid) = (chroma.port(), chroma.pid().unwrap());
        let made = http::request(port, "POST", COLLECTIONS, None, Some(r#"{"name":"boxes"}"#))
            .await
            .unwrap();
        assert_eq!(made.status, 200, "{}", made.body);

        chroma.restart().await.unwrap();

        assert!(!Path::new("/proc").join(pid.to_string()).exists());
        assert_eq!(chroma.url(), format!("http://127.0.0.1:{port}"));
        let listed = http::request(port, "GET", COLLECTIONS, None, None)
            .await
            .unwrap();
        assert!(listed.body.contains("boxes"), "{}", listed.body);
        let pid = chroma.pid().unwrap();
        drop(chroma);
        assert!(!Path::new("/proc").join(pid.to_string()).exists());
    }
}

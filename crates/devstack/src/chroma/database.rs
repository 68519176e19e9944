//! Chroma databases that go with their test.

use std::time::Duration;

use crate::{Error, Result, cleanup, http};

const DATABASES: &str = "/api/v2/tenants/default_tenant/databases";

/// How often a deletion is tried. While others write, the server answers that the database is
/// locked.
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// A Chroma database of one test, in the tenant `default_tenant`; deleted with this value.
#[derive(Debug)]
pub struct ChromaDatabase {
    port: u16,
    name: String,
}

impl ChromaDatabase {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Creates a database with a name of its own.
    pub(crate) async fn create(port: u16) -> Result<Self> {
        let name = format!("test-{}-{:016x}", std::process::id(), fastrand::u64(..));
        let body = serde_json::json!({ "name": name }).to_string();
        let answer = http::request(port, "POST", DATABASES, None, Some(&body)).await;
        let answer = answer.map_err(Error::io("create a Chroma database"))?;
        if answer.status / 100 == 2 {
            return Ok(Self { port, name });
        }
        let answer = format!("{} {}", answer.status, answer.body);
        Err(Error::Answer {
            action: "create a Chroma database",
            answer,
        })
    }
}

impl Drop for ChromaDatabase {
    fn drop(&mut self) {
        let (port, name) = (self.port, std::mem::take(&mut self.name));
        cleanup::run("a Chroma database", async move {
            let path = format!("{DATABASES}/{name}");
            let mut last = String::new();
            for _ in 0..TRIES {
                let answer = http::request(port, "DELETE", &path, None, None).await;
                let answer = answer.map_err(Error::io("delete a Chroma database"))?;
                if answer.status / 100 == 2 || answer.status == 404 {
                    return Ok(());
                }
                last = format!("{} {}", answer.status, answer.body);
                tokio::time::sleep(PAUSE).await;
            }
            Err(Error::Answer {
                action: "delete a Chroma database",
                answer: last,
            })
        });
    }
}

//! Commands that run once, and what they do to the world.

use std::{collections::BTreeMap, fmt::Write as _};

use tria_deploy::engine::Purpose;

use super::{Behaviour, Inner, Running};

impl Inner {
    pub(super) fn run_to_its_end(&mut self, purpose: Purpose, running: &mut Running) {
        let backup = running.spec.environment.get("BACKUP").cloned();
        let backup = backup.unwrap_or_default();
        let done = match purpose {
            Purpose::Migrate => self.migrate(running),
            Purpose::Dump => Ok(self.dump(&backup)),
            Purpose::Prove => self.prove(&backup),
            Purpose::Restore => self.restore(&backup),
            Purpose::Count => Ok(format!("{{\"rows\":{}}}", json(&self.rows))),
            Purpose::Prune => {
                let keep = running
                    .spec
                    .environment
                    .get("KEEP")
                    .cloned()
                    .unwrap_or_default();
                self.dumps
                    .retain(|id, _| keep.split(' ').any(|kept| kept == id));
                Ok(String::new())
            }
        };
        match done {
            Ok(said) => {
                let _ = writeln!(running.stdout, "working\n{said}");
                running.ended = Some(0);
            }
            Err(said) => {
                running.stderr = said;
                running.ended = Some(1);
            }
        }
    }

    fn migrate(&mut self, running: &Running) -> Result<String, String> {
        if self.behaviour(&running.image) == Behaviour::MigrationFails {
            return Err("relation \"orders\" already exists".into());
        }
        Ok("up to date".into())
    }

    fn dump(&mut self, backup: &str) -> String {
        let mut dumped = self.rows.clone();
        if self.dump_loses_rows {
            dumped.remove("public.orders");
        }
        self.dumps.insert(backup.to_owned(), dumped);
        let bytes = if self.dump_is_empty { 20 } else { 4096 };
        format!(
            "{{\"server_version\":\"17.1\",\"tool_version\":\"17.1\",\"rows\":{},\"files\":{}}}",
            json(&self.rows),
            files(backup, bytes)
        )
    }

    fn prove(&mut self, backup: &str) -> Result<String, String> {
        let dumped = self.dumps.get(backup).ok_or("no such file")?;
        Ok(format!(
            "{{\"rows\":{},\"files\":{}}}",
            json(dumped),
            files(backup, 4096)
        ))
    }

    fn restore(&mut self, backup: &str) -> Result<String, String> {
        let dumped = self.dumps.get(backup).ok_or("no such file")?;
        self.rows = dumped.clone();
        Ok(format!("{{\"rows\":{}}}", json(&self.rows)))
    }
}

fn json(rows: &BTreeMap<String, u64>) -> String {
    serde_json::to_string(rows).unwrap()
}

fn files(backup: &str, bytes: u64) -> String {
    format!("[{{\"name\":\"{backup}.dump\",\"bytes\":{bytes},\"sha256\":\"00\"}}]")
}

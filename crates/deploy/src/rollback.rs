//! Going back: to the release before, or to a backup.

use tokio::time::timeout;

use crate::{
    backup::{self, BackupSource, Manifest, backups},
    command::Ground,
    desired::Desired,
    halt::{Halt, Result},
    journal::{Kind, Record, Verdict},
    migration::{contracting, unknown_to},
    outcome::{Outcome, Problem},
    release::Release,
    session::Session,
};

/// Gives the traffic back to the release before. Across a migration that took away it is refused,
/// unless the backup from before it is restored, too: then what was written since is lost, and
/// nobody is served meanwhile.
pub async fn rollback(ground: Ground<'_>, desired: &Desired, with_restore: bool) -> Outcome {
    let project = desired.definition.name.as_str();
    ground
        .run(project, desired.scrubber(), async |session| {
            session.rollback(desired, with_restore).await
        })
        .await
}

/// Makes a backup and proves it.
pub async fn make_backup(ground: Ground<'_>, desired: &Desired) -> Outcome {
    let project = desired.definition.name.as_str();
    ground
        .run(project, desired.scrubber(), async |session| {
            let made = session.back_up(desired).await;
            // No journal page was begun: what was left of it is a container that ran once.
            let _ = session.remove_one_shots().await;
            made.map_or_else(
                |halt| halt.before_phases(),
                |()| Outcome::Done { release: None },
            )
        })
        .await
}

/// Puts a backup in the place of the database. Nobody is served meanwhile, and what was written
/// since it was made is lost, but for a copy under another name.
pub async fn restore_backup(ground: Ground<'_>, desired: &Desired, id: &str) -> Outcome {
    let project = desired.definition.name.as_str();
    ground
        .run(project, desired.scrubber(), async |session| {
            session.restore(desired, id).await
        })
        .await
}

/// What a restore of that backup would lose or bring back, a line for each table.
///
/// # Errors
/// If there is no such backup, or the database cannot be asked; or somebody deploys.
pub async fn preview_restore(
    ground: Ground<'_>,
    desired: &Desired,
    id: &str,
) -> std::result::Result<Vec<String>, Outcome> {
    let project = desired.definition.name.as_str();
    let mut lines = Vec::new();
    let outcome = ground
        .run(project, desired.scrubber(), async |session| {
            match session.compared(desired, id).await {
                Ok(found) => {
                    lines = found;
                    Outcome::Unchanged
                }
                Err(halt) => halt.before_phases(),
            }
        })
        .await;
    match outcome {
        Outcome::Unchanged => Ok(lines),
        other => Err(other),
    }
}

// === impl Session ===

impl Session<'_> {
    async fn back_up(&mut self, desired: &Desired) -> Result<()> {
        let source = BackupSource::of(&desired.definition)?;
        backup::make(self, &source, None, true).await?;
        backup::prune(self, &source).await
    }

    async fn compared(&mut self, desired: &Desired, id: &str) -> Result<Vec<String>> {
        let manifest = self.manifest(id).await?;
        let source = BackupSource::of(&desired.definition)?;
        let live = backup::live_rows(self, &source).await?;
        Ok(manifest.compared_with(&live))
    }

    async fn manifest(&self, id: &str) -> Result<Manifest> {
        let all = backups(&*self.world.store).await?;
        let found = all.into_iter().find(|manifest| manifest.id == id);
        found.ok_or_else(|| {
            Halt::new(
                "no_such_backup",
                format!("there is no backup {id}"),
                "`cargo xtask restore` without a name lists them",
            )
        })
    }

    async fn rollback(&mut self, desired: &Desired, with_restore: bool) -> Outcome {
        let (Some(current), Some(previous)) =
            (self.state.current.clone(), self.state.previous.clone())
        else {
            return Outcome::Refused(Problem::new(
                "no_previous",
                "there is no release to go back to",
                "deploy an earlier commit instead",
            ));
        };
        let taken_away = contracting(&unknown_to(&previous.migrations, &current.migrations));
        if !taken_away.is_empty() && !with_restore {
            return Outcome::Refused(self.across_contract(desired, &current, &taken_away).await);
        }
        let restored = with_restore.then(|| current.backup.clone()).flatten();
        if with_restore && restored.is_none() {
            return Outcome::Refused(Problem::new(
                "no_backup",
                format!("no backup was made before {}", current.title()),
                "`cargo xtask restore` lists the backups there are",
            ));
        }
        let begun = self
            .begin(Record::Begun {
                kind: Kind::Rollback,
                number: previous.number,
                from: Some(Box::new(current.clone())),
                at: self.world.clock.now(),
            })
            .await;
        if let Err(halt) = begun {
            return halt.before_phases();
        }
        match self.go(desired, &current, &previous, restored).await {
            Ok(_) => Outcome::Done {
                release: Some(previous.number),
            },
            Err(halt) => self.conclude(None, halt).await,
        }
    }

    async fn go(
        &mut self,
        desired: &Desired,
        current: &Release,
        previous: &Release,
        restored: Option<String>,
    ) -> Result<Verdict> {
        let release = Box::new(previous.clone());
        self.note(Record::Candidate { release }).await?;
        if let Some(id) = restored {
            let manifest = self.manifest(&id).await?;
            self.take_away_and_restore(desired, current, &manifest)
                .await?;
        }
        let limit = self.options.deadlines.startup;
        let woken = timeout(limit, self.wake(previous)).await;
        woken.unwrap_or(Err(Halt::Deadline))?;
        self.reporter
            .step(format!("{} runs and is healthy", previous.name()));
        let limit = self.options.deadlines.switch;
        let switched = timeout(limit, self.prove_and_switch(previous)).await;
        switched.unwrap_or(Err(Halt::Deadline))?;
        let limit = self.options.deadlines.diagnostics;
        let swept = timeout(limit, self.sweep()).await;
        swept.unwrap_or(Err(Halt::Deadline))?;
        self.finish(Verdict::Done).await
    }

    async fn restore(&mut self, desired: &Desired, id: &str) -> Outcome {
        let manifest = match self.manifest(id).await {
            Ok(manifest) => manifest,
            Err(halt) => return Outcome::Refused(halt.problem()),
        };
        let current = self.state.current.clone();
        let begun = self
            .begin(Record::Begun {
                kind: Kind::Restore,
                number: current.as_ref().map_or(0, |release| release.number),
                from: current.clone().map(Box::new),
                at: self.world.clock.now(),
            })
            .await;
        if let Err(halt) = begun {
            return halt.before_phases();
        }
        let done = async {
            if let Some(current) = &current {
                self.take_away_and_restore(desired, current, &manifest)
                    .await?;
                self.wake(current).await?;
            } else {
                let source = BackupSource::of(&desired.definition)?;
                backup::restore(self, &source, &manifest).await?;
            }
            self.finish(Verdict::Done).await
        };
        match done.await {
            Ok(_) => Outcome::Done {
                release: current.map(|release| release.number),
            },
            Err(halt) => self.conclude(None, halt).await,
        }
    }

    /// Nobody may write while the database is replaced: what they wrote would be lost unsaid.
    async fn take_away_and_restore(
        &mut self,
        desired: &Desired,
        current: &Release,
        manifest: &Manifest,
    ) -> Result<()> {
        let source = BackupSource::of(&desired.definition)?;
        self.checkpoint()?;
        let backup = manifest.id.clone();
        self.note(Record::Restoring { backup }).await?;
        self.reporter.warn(format!(
            "{} stops: nobody is served until the restore is done",
            current.name()
        ));
        self.stop_release(current).await?;
        backup::restore(self, &source, manifest).await?;
        self.note(Record::Restored).await
    }

    async fn across_contract(
        &mut self,
        desired: &Desired,
        current: &Release,
        taken_away: &[crate::migration::Migration],
    ) -> Problem {
        let titles: Vec<String> = taken_away
            .iter()
            .map(crate::migration::Migration::title)
            .collect();
        let mut text = format!(
            "migrations since then took away what the release before needs: {}",
            titles.join(", ")
        );
        if let Some(id) = &current.backup {
            let lost = self.compared(desired, id).await.unwrap_or_default();
            let lost = if lost.is_empty() {
                "the same number of rows in every table".to_owned()
            } else {
                lost.join("\n")
            };
            text = format!("{text}\nthe backup {id} from before them has:\n{lost}");
        }
        let remedy =
            "deploy a correction, or accept the loss of what was written since with `--restore`";
        Problem::new("across_contract", text, remedy)
    }
}

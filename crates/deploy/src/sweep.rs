//! Takes away what no longer serves. What serves and what served before stays.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::{
    engine::{ContainerState, Role},
    halt::Result,
    session::Session,
};

/// How often the old release is asked whether it still answers requests.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// If a release does not know its own stop.
const GRACE: Duration = Duration::from_secs(30);

/// The volume with the secrets of a release.
pub(crate) fn secrets_volume(project: &str, number: u64) -> String {
    format!("{project}-secrets-{number}")
}

// === impl Session ===

impl Session<'_> {
    /// Stops the releases that do not serve, and removes those that are not kept; with their
    /// secrets and images.
    pub(crate) async fn sweep(&self) -> Result<()> {
        self.remove_one_shots().await?;
        self.sweep_releases().await?;
        self.sweep_secrets().await?;
        self.sweep_images().await
    }

    /// Waits until a release has no more requests, or the time for that is over.
    pub(crate) async fn drain(&self, name: &str) -> Result<()> {
        let end = Instant::now() + self.options.drain;
        let mut told = false;
        while Instant::now() < end {
            match self.world.probe.in_flight(name).await {
                None | Some(0) => return Ok(()),
                Some(count) if !told => {
                    told = true;
                    self.reporter
                        .note(format!("{name} still answers {count} requests"));
                }
                Some(_) => {}
            }
            sleep_until(end.min(Instant::now() + ASK_AGAIN)).await;
        }
        self.reporter.warn(format!(
            "{name} still answered requests after {} s; its own stop ends them",
            self.options.drain.as_secs()
        ));
        Ok(())
    }

    async fn sweep_releases(&self) -> Result<()> {
        let engine = &self.world.engine;
        let target = self.world.proxy.target().await?;
        let current = self.state.current.as_ref().map(|release| release.number);
        let kept = self.kept();
        for container in engine.containers().await? {
            let serves = target.as_deref() == Some(container.name.as_str());
            let is_current = container.release.is_some() && container.release == current;
            if container.role != Role::Server || serves || is_current {
                continue;
            }
            if matches!(
                container.state,
                ContainerState::Running | ContainerState::Restarting
            ) {
                self.drain(&container.name).await?;
                let release = self
                    .state
                    .releases()
                    .find(|release| release.name() == container.name);
                let grace = release.and_then(|release| release.container.stop_grace);
                engine.stop(&container.name, grace.unwrap_or(GRACE)).await?;
                self.reporter.step(format!("{} stopped", container.name));
            }
            if !container
                .release
                .is_some_and(|number| kept.contains(&number))
            {
                engine.remove(&container.name).await?;
                self.reporter.step(format!("{} removed", container.name));
            }
        }
        Ok(())
    }

    async fn sweep_secrets(&self) -> Result<()> {
        let kept = self.kept();
        let prefix = format!("{}-secrets-", self.project);
        for volume in self.world.engine.volumes().await? {
            let number = volume
                .strip_prefix(&prefix)
                .and_then(|number| number.parse::<u64>().ok());
            if number.is_some_and(|number| !kept.contains(&number)) {
                self.world.engine.remove_volume(&volume).await?;
            }
        }
        Ok(())
    }

    async fn sweep_images(&self) -> Result<()> {
        let kept: BTreeSet<_> = self
            .state
            .releases()
            .map(|release| release.image.clone())
            .collect();
        for image in self.world.engine.images().await? {
            if !kept.contains(&image.id) {
                self.world.engine.remove_image(&image.id).await?;
            }
        }
        Ok(())
    }

    fn kept(&self) -> BTreeSet<u64> {
        self.state
            .releases()
            .map(|release| release.number)
            .collect()
    }
}

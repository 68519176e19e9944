//! What only the engine and the state can tell.

use super::{Seen, Verification};
use crate::{
    backup::backups,
    engine::{Container, Role},
    state::State,
    world::World,
};

// === impl Verification ===

impl Verification<'_> {
    pub(super) async fn backup(&self, world: &World) -> Seen {
        let remedy = "`cargo xtask backup` makes one and proves it";
        let found = backups(&*world.store).await;
        let found = found.map_err(|error| (error.to_string(), STATE))?;
        let Some(newest) = found.iter().rfind(|it| it.proven.is_some()) else {
            let text = if found.is_empty() {
                "there is none"
            } else {
                "none was ever restored"
            };
            return Err((text.into(), remedy));
        };
        let id = &newest.id;
        let age = world.clock.now().since(newest.at);
        if age > self.backup_age {
            let hours = age.as_secs() / 3600;
            let text = format!("the newest that is proven, {id}, is {hours} hours old");
            return Err((text, remedy));
        }
        let later = found.iter().filter(|it| it.at > newest.at).count();
        let text = format!("{id} was restored and found equal");
        Ok(match later {
            0 => text,
            count => format!("{text}; {count} later ones were not restored"),
        })
    }

    pub(super) async fn disk(&self, world: &World) -> Seen {
        let facts = world.engine.facts().await;
        let facts = facts.map_err(|error| (error.to_string(), ENGINE))?;
        let Some(free) = facts.disk_free_bytes else {
            return Ok("the engine's disk cannot be seen from here".into());
        };
        let (free_mb, needed_mb) = (free >> 20, self.disk_needed_bytes >> 20);
        if free < self.disk_needed_bytes {
            return Err((
                format!("{free_mb} MB are free, a deployment needs {needed_mb} MB"),
                "free space; `docker system df` shows what takes it",
            ));
        }
        Ok(format!("{free_mb} MB are free"))
    }
}

const STATE: &str = "see that the folder of the deployment's state belongs to you";
const ENGINE: &str = "see that the engine runs and that you may use it (`docker info`)";
const AGAIN: &str = "deploy again: what is not as it was meant is made anew";

/// The release that serves runs what was meant, and everything is healthy.
pub(super) async fn containers(world: &World) -> Seen {
    let state = State::read(&*world.store).await;
    let state = state.map_err(|error| (error.to_string(), STATE))?;
    let Some(current) = &state.current else {
        return Err(("nothing is deployed yet".into(), "`cargo xtask deploy`"));
    };
    let containers = world.engine.containers().await;
    let containers = containers.map_err(|error| (error.to_string(), ENGINE))?;
    let Some(serving) = containers.iter().find(|it| it.name == current.name()) else {
        return Err((format!("{} is gone", current.name()), AGAIN));
    };
    if serving.image != current.image {
        let text = format!("{} does not run the image that was meant", current.name());
        return Err((text, AGAIN));
    }
    if let Some(reason) = &state.degraded {
        return Err((format!("{} is degraded: {reason}", current.title()), AGAIN));
    }
    let target = world.proxy.target().await.unwrap_or_default();
    if target.as_deref() != Some(current.name()) {
        let target = target.unwrap_or_else(|| "nobody".into());
        return Err((format!("the traffic goes to {target}"), AGAIN));
    }
    let ill = |it: &&Container| {
        let counts = it.role == Role::Backing || it.name == current.name();
        counts && (!it.is_healthy() || it.restarts > 0)
    };
    let ill: Vec<String> = containers
        .iter()
        .filter(ill)
        .map(|it| match it.restarts {
            0 => format!("{} is {}", it.name, it.told()),
            count => format!("{} was started again {count} times", it.name),
        })
        .collect();
    if ill.is_empty() {
        return Ok(format!("{} runs the image that was meant", current.title()));
    }
    Err((ill.join("; "), "`cargo xtask logs` shows why"))
}

//! What a deployment would change, and why. No I/O: from what is wanted and what was seen.

use serde::{Deserialize, Serialize};

use crate::{
    definition::Definition,
    desired::Desired,
    engine::{Container, ContainerState, Role},
    fingerprint::{Fingerprint, short},
    migration::{Migration, contracting, unknown_to},
    state::State,
};

/// What would be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The number that the release would get.
    pub number: u64,
    /// Why there is to be a new release; empty if there is not.
    pub changes: Vec<String>,
    /// What is done to the services that it needs.
    pub services: Vec<String>,
    /// Migrations that would be applied.
    pub migrations: Vec<String>,
    /// Of these, the ones that take away.
    pub contracting: Vec<String>,
    /// What is worth a thought.
    pub warnings: Vec<String>,
    /// How long nobody would be served.
    pub downtime_ms: u64,
}

/// What was seen of the engine and the proxy.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// All containers of the project.
    pub containers: Vec<Container>,
    /// Whom the traffic goes to.
    pub target: Option<String>,
    /// Whether an earlier deployment did not finish.
    pub unfinished: bool,
}

/// The label that a backing service's definition is remembered by.
pub(crate) const DEFINITION_LABEL: &str = "tria.definition";

// === impl Plan ===

impl Plan {
    /// Compares what is wanted with what is.
    pub fn make(
        desired: &Desired,
        fingerprint: &Fingerprint,
        state: &State,
        observed: &Observed,
    ) -> Self {
        let mut plan = Self {
            number: state.last_number + 1,
            ..Self::default()
        };
        plan.compare_release(fingerprint, state, observed);
        plan.compare_services(&desired.definition, observed);
        if plan.is_unchanged() {
            return plan;
        }
        let known = state.current.as_ref();
        let known = known.map_or(&[][..], |current| &current.migrations);
        let pending = unknown_to(known, &desired.migrations);
        plan.migrations = pending.iter().map(Migration::title).collect();
        let contracting = contracting(&pending);
        plan.contracting = contracting.iter().map(Migration::title).collect();
        if !plan.contracting.is_empty() {
            plan.warnings.push(
                "a migration takes away: after it there is no way back without `--restore`".into(),
            );
        }
        let lost = unknown_to(&desired.migrations, known);
        if !lost.is_empty() {
            plan.warnings.push(format!(
                "the database has {} migrations that this source does not know",
                lost.len()
            ));
        }
        if !desired.uncommitted.is_empty() {
            plan.warnings.push(format!(
                "{} files of the tree are not committed",
                desired.uncommitted.len()
            ));
        }
        if observed.unfinished {
            plan.warnings
                .push("an earlier deployment was interrupted; it is settled first".into());
        }
        plan
    }

    /// Whether there is nothing to do.
    pub fn is_unchanged(&self) -> bool {
        self.changes.is_empty() && self.services.is_empty()
    }

    fn compare_release(&mut self, fingerprint: &Fingerprint, state: &State, observed: &Observed) {
        let Some(current) = &state.current else {
            self.changes.push("nothing is deployed yet".into());
            return;
        };
        self.changes = fingerprint.changes_since(&current.fingerprint);
        if let Some(reason) = &state.degraded {
            self.changes
                .push(format!("release {} is degraded: {reason}", current.number));
        }
        let found = observed
            .containers
            .iter()
            .find(|container| container.name == current.name());
        match found {
            None => self.changes.push(format!("{} is gone", current.name())),
            Some(container) if !container.is_healthy() => self
                .changes
                .push(format!("{} is not healthy", current.name())),
            Some(container) if container.image != current.image => self.changes.push(format!(
                "{} runs {} and not {}",
                current.name(),
                short_image(container.image.as_str()),
                short_image(current.image.as_str())
            )),
            Some(_) if observed.target.as_deref() != Some(current.name()) => self
                .changes
                .push("the traffic goes to another container".into()),
            Some(_) => {}
        }
    }

    fn compare_services(&mut self, definition: &Definition, observed: &Observed) {
        for service in definition.backing() {
            let name = definition.container_name(service);
            let found = observed
                .containers
                .iter()
                .find(|container| container.role == Role::Backing && container.name == name);
            let Some(container) = found else {
                self.services.push(format!("{service} is created"));
                continue;
            };
            if container.state != ContainerState::Running {
                self.services.push(format!("{service} is started"));
            }
            let wanted = definition.hash_of(service);
            if container.labels.get(DEFINITION_LABEL) != Some(&wanted) {
                self.warnings.push(format!(
                    "the definition of {service} changed; it is left as it is, since making it anew would interrupt the service"
                ));
            }
        }
    }
}

fn short_image(id: &str) -> &str {
    short(id.strip_prefix("sha256:").unwrap_or(id))
}

#[cfg(test)]
mod tests;

//! Phase 6: tests, the switch, the same tests through the front door.

use crate::{
    event::Event,
    halt::{Halt, Result},
    journal::Record,
    phases::Work,
    probe::Target,
    release::Release,
    session::Session,
};

pub(super) async fn run(session: &mut Session<'_>, work: &Work<'_>) -> Result<()> {
    let Some(release) = &work.candidate else {
        return Err(Halt::new(
            "bug",
            "there is no new release to switch to",
            "this is a bug; please tell us",
        ));
    };
    session.prove_and_switch(release).await
}

// === impl Session ===

impl Session<'_> {
    /// Tests a release that runs, gives it the traffic, tests it again, and makes it the one.
    pub(crate) async fn prove_and_switch(&mut self, release: &Release) -> Result<()> {
        let target = Target::Release(release.name().to_owned());
        let failures = self.failed_tests(&target).await;
        if !failures.is_empty() {
            return Err(Halt::new(
                "integration",
                format!("integration tests failed:\n{}", failures.join("\n")),
                "the new release was removed before it got traffic; correct it and deploy again",
            ));
        }
        self.reporter
            .step("Integration tests passed beside the old release");
        let from = self.world.proxy.target().await?;
        // The last moment to turn round.
        self.checkpoint()?;
        self.note(Record::Switching).await?;
        self.world.proxy.point_to(release.name()).await?;
        self.note(Record::Switched).await?;
        self.reporter.tell(Event::Switched {
            from,
            to: release.name().to_owned(),
        });
        if let Some(problem) = self.front_door_failure(release).await {
            return Err(Halt::Problem(problem));
        }
        self.reporter
            .step("The same tests passed through the front door");
        self.note(Record::Verified).await?;
        self.promote(release).await
    }

    /// The tests that failed, a line each.
    pub(crate) async fn failed_tests(&self, target: &Target) -> Vec<String> {
        let results = self.world.probe.integration(target).await;
        if results.is_empty() {
            // No test is no proof.
            return vec!["no test could be run".into()];
        }
        results
            .into_iter()
            .filter_map(|result| Some(format!("{}: {}", result.name, result.failure?)))
            .collect()
    }
}

//! Random graphs of hooks that fail, panic, hang and are interrupted.

use std::{collections::HashMap, future::pending, time::Duration};

use proptest::prelude::*;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tria_check::Phase;
use tria_lifecycle::{Hook, HookContext, HookError, Lifecycle, RunReport, Step, StepOutcome};

use crate::journal::{Journal, ms};

const START_TIMEOUT: u64 = 50;
const STOP_TIMEOUT: u64 = 40;

/// What a step of a hook does after so many milliseconds.
#[derive(Clone, Copy, Debug)]
enum Behaviour {
    Succeeds(u64),
    Fails(u64),
    Panics(u64),
    Hangs,
    /// Goes on until it is cancelled, then takes so long to say that it was.
    Listens(u64),
    /// Succeeds, and breaks the process so long after.
    BreaksLater(u64),
}

#[derive(Clone, Debug)]
struct Plan {
    hooks: Vec<HookPlan>,
    shutdown_at: u64,
    stop_deadline: u64,
}

#[derive(Clone, Debug)]
struct HookPlan {
    /// The earlier ones that it comes after.
    after: Vec<usize>,
    start: Behaviour,
    stop: Behaviour,
    stops_unstarted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Event {
    StartBegun(usize),
    StartDone(usize),
    /// The start's future is gone.
    StartGone(usize),
    StopBegun(usize),
    /// The stop's future is gone.
    StopGone(usize),
}

/// Writes an event when it is dropped, whatever the cause.
struct Gone(Journal<Event>, Event);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.write(self.1);
    }
}

fn start_behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![
        30 => (0..45_u64).prop_map(Behaviour::Succeeds),
        1 => (0..45_u64).prop_map(Behaviour::Fails),
        1 => (0..45_u64).prop_map(Behaviour::Panics),
        1 => Just(Behaviour::Hangs),
        1 => (0..60_u64).prop_map(Behaviour::Listens),
        1 => (0..400_u64).prop_map(Behaviour::BreaksLater),
    ]
}

fn stop_behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![
        8 => (0..35_u64).prop_map(Behaviour::Succeeds),
        1 => (0..35_u64).prop_map(Behaviour::Fails),
        1 => (0..35_u64).prop_map(Behaviour::Panics),
        1 => Just(Behaviour::Hangs),
    ]
}

prop_compose! {
    fn plan()(
        hooks in prop::collection::vec(
            (
                prop::collection::vec(any::<prop::sample::Index>(), 0..4),
                start_behaviour(),
                stop_behaviour(),
                prop::bool::weighted(0.2),
            ),
            0..12,
        ),
        shutdown_at in prop_oneof![0..200_u64, 2000..2001_u64],
        stop_deadline in prop_oneof![20..120_u64, 5000..5001_u64],
    ) -> Plan {
        let hooks = hooks.into_iter().enumerate().map(|(hook, planned)| {
            let (after, start, stop, stops_unstarted) = planned;
            let mut after: Vec<usize> = match hook {
                0 => Vec::new(),
                _ => after.into_iter().map(|earlier| earlier.index(hook)).collect(),
            };
            after.sort_unstable();
            after.dedup();
            HookPlan { after, start, stop, stops_unstarted }
        });
        Plan { hooks: hooks.collect(), shutdown_at, stop_deadline }
    }
}

async fn behave(behaviour: Behaviour, cx: Option<&HookContext>) -> Result<(), HookError> {
    match behaviour {
        Behaviour::Succeeds(after) => sleep(ms(after)).await,
        Behaviour::Fails(after) => {
            sleep(ms(after)).await;
            return Err("planned".into());
        }
        Behaviour::Panics(after) => {
            sleep(ms(after)).await;
            std::panic::resume_unwind(Box::new("planned"));
        }
        Behaviour::Hangs => pending().await,
        Behaviour::Listens(after) => {
            cx.unwrap().cancelled().await;
            sleep(ms(after)).await;
            return Err(HookError::interrupted());
        }
        Behaviour::BreaksLater(after) => {
            let cx = cx.unwrap().clone();
            tokio::spawn(async move {
                if cx.interruptible(sleep(ms(after))).await.is_ok() {
                    cx.fail("planned");
                }
            });
        }
    }
    Ok(())
}

fn hook(number: usize, plan: &Plan, journal: &Journal<Event>) -> Hook {
    let HookPlan {
        after,
        start,
        stop,
        stops_unstarted,
    } = plan.hooks[number].clone();
    let token = std::sync::Arc::new(std::sync::OnceLock::new());
    let (given, kept) = (std::sync::Arc::clone(&token), token);
    let (up, down) = (journal.clone(), journal.clone());
    let hook = Hook::new(number.to_string())
        .after(after.iter().map(ToString::to_string))
        .start_timeout(ms(START_TIMEOUT))
        .stop_timeout(ms(STOP_TIMEOUT))
        .on_start(move |cx| async move {
            up.write(Event::StartBegun(number));
            let _gone = Gone(up.clone(), Event::StartGone(number));
            given.set(cx.token().clone()).unwrap();
            behave(start, Some(&cx)).await?;
            up.write(Event::StartDone(number));
            Ok(())
        })
        .on_stop(move |_| async move {
            down.write(Event::StopBegun(number));
            let _gone = Gone(down, Event::StopGone(number));
            assert!(
                kept.get().is_none_or(CancellationToken::is_cancelled),
                "stopped before its token was cancelled"
            );
            behave(stop, None).await
        });
    if stops_unstarted {
        hook.stop_without_start()
    } else {
        hook
    }
}

/// Runs the plan on a clock of its own. Returns what happened, the report and the phases seen.
fn play(plan: &Plan) -> (Vec<(u128, Event)>, RunReport, Vec<Phase>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(async {
        let journal = Journal::open();
        let hooks = (0..plan.hooks.len()).map(|number| hook(number, plan, &journal));
        let lifecycle = Lifecycle::builder()
            .hooks(hooks)
            .settle_timeout(ms(30))
            .rollback_deadline(ms(plan.stop_deadline))
            .stop_deadline(ms(plan.stop_deadline))
            .build()
            .unwrap();
        let handle = lifecycle.shutdown_handle();
        let mut phase = lifecycle.phase();
        let watched = tokio::spawn(async move {
            let mut seen = vec![*phase.borrow_and_update()];
            while !seen[seen.len() - 1].is_final() {
                phase.changed().await.unwrap();
                seen.push(*phase.borrow_and_update());
            }
            seen
        });
        let shutdown_at = plan.shutdown_at;
        tokio::spawn(async move {
            sleep(ms(shutdown_at)).await;
            handle.shutdown("planned");
        });
        // The clock stands still while anything can run: only a hang gets here.
        let report = timeout(Duration::from_secs(3600), lifecycle.run())
            .await
            .expect("it hangs");
        (journal.timed(), report, watched.await.unwrap())
    })
}

/// Judges each hook: its place in the order, and that it is not forgotten.
fn judge_hooks(
    plan: &Plan,
    journal: &[(u128, Event)],
    report: &RunReport,
) -> Result<(), TestCaseError> {
    let mut at: HashMap<Event, (usize, u128)> = HashMap::new();
    for (place, (time, event)) in journal.iter().enumerate() {
        prop_assert!(
            at.insert(*event, (place, *time)).is_none(),
            "{event:?} twice: {journal:?}"
        );
    }
    let size = plan.hooks.len();
    let first_stop = (0..size)
        .filter_map(|hook| at.get(&Event::StopBegun(hook)))
        .min();

    for hook in 0..size {
        let HookPlan {
            after,
            stops_unstarted,
            ..
        } = &plan.hooks[hook];
        let done = at.get(&Event::StartDone(hook));
        let outcome = report.hooks[hook].start.outcome;
        prop_assert_eq!(done.is_some(), outcome == StepOutcome::Done);

        // Starts follow the edges, at the first moment they can, and are over before any stop.
        if let Some((place, time)) = at.get(&Event::StartBegun(hook)) {
            let ups: Vec<_> = after
                .iter()
                .map(|other| at.get(&Event::StartDone(*other)))
                .collect();
            prop_assert!(
                ups.iter().all(|up| up.is_some_and(|(up, _)| up < place)),
                "{journal:?}"
            );
            let last = ups
                .iter()
                .flatten()
                .map(|(_, time)| *time)
                .max()
                .unwrap_or(0);
            prop_assert_eq!(*time, last, "{} began late: {:?}", hook, journal);
            let (gone, _) = at[&Event::StartGone(hook)];
            prop_assert!(
                first_stop.is_none_or(|(stop, _)| gone < *stop),
                "{journal:?}"
            );
        } else {
            prop_assert_eq!(outcome, StepOutcome::Waiting);
        }

        // What is up is stopped exactly once, or named.
        let name = hook.to_string();
        let stopped = at.get(&Event::StopBegun(hook));
        let is_pending = report.pending.contains(&name);
        match (done.is_some() || *stops_unstarted, stopped) {
            (true, None) => prop_assert!(is_pending, "{hook} was forgotten: {journal:?}"),
            (false, Some(_)) => prop_assert!(false, "{hook} was stopped but not up: {journal:?}"),
            (true, Some(_)) => {
                let ended = report.hooks[hook].stop.outcome != StepOutcome::Pending;
                prop_assert_eq!(is_pending, !ended);
            }
            (false, None) => prop_assert!(!is_pending),
        }

        // Stops walk the edges backwards, at the first moment they can, also where the way leads
        // through hooks that are down.
        if let Some((place, time)) = stopped {
            let downs: Vec<_> = dependents(plan, hook)
                .into_iter()
                .filter(|other| {
                    at.contains_key(&Event::StartDone(*other)) || plan.hooks[*other].stops_unstarted
                })
                .map(|other| at.get(&Event::StopGone(other)))
                .collect();
            prop_assert!(
                downs
                    .iter()
                    .all(|down| down.is_some_and(|(down, _)| down < place))
            );
            let begun = first_stop.map_or(0, |(_, time)| *time);
            let last = downs
                .iter()
                .flatten()
                .map(|(_, time)| *time)
                .max()
                .unwrap_or(begun);
            prop_assert_eq!(*time, last, "{} stopped late: {:?}", hook, &journal);
        }
    }
    Ok(())
}

/// The hooks that come after this one, directly or not.
fn dependents(plan: &Plan, hook: usize) -> Vec<usize> {
    let mut found = vec![hook];
    for (later, planned) in plan.hooks.iter().enumerate() {
        if planned.after.iter().any(|other| found.contains(other)) {
            found.push(later);
        }
    }
    found.split_off(1)
}

/// Judges the whole: phases, exit code, and that a good plan goes well.
fn judge_run(plan: &Plan, report: &RunReport, phases: &[Phase]) -> Result<(), TestCaseError> {
    // Phases only move forward; the watcher may miss some, never see one twice.
    let rank = |phase: &Phase| match phase {
        Phase::Starting => 0,
        Phase::Ready => 1,
        Phase::Draining => 2,
        Phase::Stopping | Phase::RollingBack => 3,
        Phase::Stopped(_) | Phase::Failed(_) => 4,
    };
    prop_assert!(phases.is_sorted_by_key(rank), "{phases:?}");
    prop_assert_eq!(phases.last(), Some(&report.phase));

    // The code fits what happened.
    let reason = report.reason.clone().unwrap();
    let blames = |step: Step| report.errors.iter().any(|error| error.step() == step);
    if reason.is_on_purpose() && !blames(Step::Run) && !blames(Step::Stop) {
        prop_assert_eq!(report.phase, Phase::Stopped(0));
    } else {
        prop_assert!(report.exit_code != 0, "{report:?}");
    }
    prop_assert_eq!(
        !report.pending.is_empty(),
        report.errors.iter().any(|e| e.code() == "stop_deadline")
    );
    let planned_well = plan.hooks.iter().all(|hook| {
        matches!(
            (hook.start, hook.stop),
            (Behaviour::Succeeds(_), Behaviour::Succeeds(_))
        )
    });
    if planned_well && plan.shutdown_at == 2000 && plan.stop_deadline == 5000 {
        prop_assert!(report.is_clean(), "{report:?}");
        prop_assert!(
            report
                .hooks
                .iter()
                .all(|hook| hook.stop.outcome == StepOutcome::Done)
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn whatever_happens_the_order_holds_and_nothing_is_left_running_in_silence(plan in plan()) {
        let (journal, report, phases) = play(&plan);
        judge_hooks(&plan, &journal, &report)?;
        judge_run(&plan, &report, &phases)?;
    }
}

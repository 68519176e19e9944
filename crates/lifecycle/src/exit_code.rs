//! The exit codes that a run chooses by itself. A hook may ask for any other with
//! [`HookError::with_exit_code`](crate::HookError::with_exit_code).
//!
//! The numbers from 64 on are those of BSD's `sysexits.h`; 128 + n is the shell's way to write
//! "ended by signal n".

use crate::{LifecycleError, ShutdownReason, Signal, Step};

/// A clean stop, also one that a signal asked for.
pub const CLEAN: u8 = 0;

/// The stop was not clean: a hook failed to stop, or the stop deadline passed.
pub const UNCLEAN_STOP: u8 = 1;

/// A bug: a panic, or a failure to start or run for which the hook gave no code (`EX_SOFTWARE`).
pub const SOFTWARE: u8 = 70;

/// A start that took too long; to start again may help (`EX_TEMPFAIL`).
pub const TEMPORARY: u8 = 75;

/// The code of a process that `signal` forced to exit.
pub fn forced_by(signal: Signal) -> u8 {
    128 + signal.number()
}

/// The exit code of a run that ended for `reason` with `errors`, which are in the order in which
/// they happened.
///
/// - Where a stop was asked for, a start that it interrupted counts for nothing.
/// - The first failure of a start or of a running hook decides. A temporary one gives way to a
///   later one with a code of its own: what time will not mend is the better answer.
/// - Only if none of them happened do failures to stop count: the deadline before a panic, a panic
///   before any other.
pub(crate) fn decide(reason: Option<&ShutdownReason>, errors: &[LifecycleError]) -> u8 {
    let asked_for = reason.is_some_and(ShutdownReason::is_on_purpose);
    let mut causes = errors.iter().filter(|error| match error.step() {
        Step::Start => !asked_for,
        Step::Run => true,
        Step::Stop => false,
    });
    if let Some(first) = causes.next().map(LifecycleError::exit_code) {
        return match first {
            TEMPORARY => causes
                .find_map(LifecycleError::own_exit_code)
                .unwrap_or(TEMPORARY),
            code => code,
        };
    }
    let stops = || errors.iter().filter(|error| error.step() == Step::Stop);
    let deadline = stops().find(|error| matches!(error, LifecycleError::StopDeadline { .. }));
    let panic = stops().find(|error| matches!(error, LifecycleError::Panicked { .. }));
    let coded = stops().find(|error| error.own_exit_code().is_some());
    deadline
        .or(panic)
        .or(coded)
        .or_else(|| stops().next())
        .map_or(CLEAN, LifecycleError::exit_code)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{HookError, PanicMessage};

    fn failed(step: Step, code: Option<u8>) -> LifecycleError {
        let error = HookError::new("no");
        let error = match code {
            Some(code) => error.with_exit_code(code),
            None => error,
        };
        LifecycleError::failed("a", step, error)
    }

    fn panicked(step: Step) -> LifecycleError {
        LifecycleError::Panicked {
            hook: "a".into(),
            step,
            panic: PanicMessage::new("boom"),
        }
    }

    fn timed_out(step: Step) -> LifecycleError {
        LifecycleError::TimedOut {
            hook: "a".into(),
            step,
            limit: Duration::ZERO,
        }
    }

    fn stop_deadline() -> LifecycleError {
        LifecycleError::StopDeadline {
            limit: Duration::ZERO,
            pending: vec!["a".into()],
        }
    }

    #[test]
    fn the_worst_that_is_not_a_consequence_decides() {
        use Step::{Run, Start, Stop};
        let broke = ShutdownReason::StartFailed { hook: "a".into() };
        let signal = ShutdownReason::Signal(Signal::Terminate);
        let table: Vec<(&ShutdownReason, Vec<LifecycleError>, u8)> = vec![
            (&signal, vec![], 0),
            (&signal, vec![failed(Start, Some(69))], 0),
            (&signal, vec![failed(Run, None)], 70),
            (&signal, vec![failed(Stop, None)], 1),
            (
                &signal,
                vec![failed(Stop, None), failed(Stop, Some(69))],
                69,
            ),
            (&signal, vec![failed(Stop, Some(69)), panicked(Stop)], 70),
            (&signal, vec![panicked(Stop), stop_deadline()], 1),
            (&signal, vec![timed_out(Stop)], 1),
            (&broke, vec![failed(Start, Some(69))], 69),
            (&broke, vec![failed(Start, None)], 70),
            (&broke, vec![timed_out(Start)], 75),
            (
                &broke,
                vec![failed(Start, Some(75)), failed(Start, Some(69))],
                69,
            ),
            (
                &broke,
                vec![failed(Start, Some(69)), failed(Start, Some(75))],
                69,
            ),
            (
                &broke,
                vec![failed(Start, Some(78)), failed(Start, Some(69))],
                78,
            ),
            // The second fails because the first one's failure interrupted it.
            (
                &broke,
                vec![failed(Start, Some(75)), failed(Start, None)],
                75,
            ),
            (&broke, vec![timed_out(Start), panicked(Start)], 70),
            (
                &broke,
                vec![failed(Start, Some(69)), panicked(Stop), stop_deadline()],
                69,
            ),
            // An error never passes for a clean stop.
            (&broke, vec![failed(Start, Some(0))], 70),
        ];
        for (reason, errors, code) in table {
            assert_eq!(decide(Some(reason), &errors), code, "{reason:?} {errors:?}");
        }
    }
}

//! The time that one request may take, passed down to everything done for it.

use std::time::Duration;

use tokio::time::{self, Instant};

/// Until when the work for one request is wanted. A copy is the same moment, so that what is done
/// one after another shares what is left, and nothing outlives the answer.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    deadline: Instant,
}

/// What ended a piece of work before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutOfTime {
    /// The request's whole time is used up: nobody waits for the answer any more.
    #[error("the time for the request is used up")]
    Budget,
    /// This one call took longer than it may; the request has time left.
    #[error("a call took longer than it may")]
    Limit,
}

// === impl Budget ===

impl Budget {
    /// From now on. A time too long to be told counts as years.
    pub fn of(time: Duration) -> Self {
        Self::until(after(Instant::now(), time))
    }

    /// Until this moment.
    pub fn until(deadline: Instant) -> Self {
        Self { deadline }
    }

    /// The moment at which the time is used up.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What is left; zero once it is used up.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Does the work within `limit` and within what is left, whichever ends first. Work is dropped
    /// at that moment, and with nothing left it is not begun.
    ///
    /// # Errors
    /// [`OutOfTime`], which tells whether the limit of this work or the whole time ended it.
    pub async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, OutOfTime> {
        let now = Instant::now();
        if self.deadline <= now {
            return Err(OutOfTime::Budget);
        }
        let limited = after(now, limit);
        let (until, which) = if limited < self.deadline {
            (limited, OutOfTime::Limit)
        } else {
            (self.deadline, OutOfTime::Budget)
        };
        time::timeout_at(until, work).await.map_err(|_| which)
    }
}

/// `Instant` has no latest moment, and adding beyond it panics.
fn after(moment: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    moment + time.min(FAR)
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
    };

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn the_smaller_of_limit_and_rest_ends_the_work_and_is_told() {
        let budget = Budget::of(3 * SECOND);
        let begun = Instant::now();
        let ended = budget.within(SECOND, pending::<()>()).await;
        assert_eq!(ended, Err(OutOfTime::Limit));
        assert_eq!(begun.elapsed(), SECOND);
        let ended = budget.within(9 * SECOND, pending::<()>()).await;
        assert_eq!(ended, Err(OutOfTime::Budget));
        assert_eq!(begun.elapsed(), 3 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn where_both_end_at_once_it_is_the_budget() {
        let ended = Budget::of(SECOND).within(SECOND, pending::<()>()).await;
        assert_eq!(ended, Err(OutOfTime::Budget));
    }

    #[tokio::test(start_paused = true)]
    async fn a_copy_ends_at_the_same_moment() {
        let budget = Budget::of(3 * SECOND);
        time::sleep(SECOND).await;
        let copy = budget;
        assert_eq!(copy.left(), 2 * SECOND);
        assert_eq!(copy.deadline(), budget.deadline());
        assert_eq!(Budget::until(copy.deadline()).left(), 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn work_in_time_gives_its_value() {
        assert_eq!(Budget::of(SECOND).within(SECOND, ready(7)).await, Ok(7));
        assert_eq!(
            Budget::of(Duration::MAX)
                .within(Duration::MAX, ready(7))
                .await,
            Ok(7)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn with_nothing_left_nothing_is_begun() {
        let budget = Budget::of(Duration::ZERO);
        assert_eq!(budget.left(), Duration::ZERO);
        let begun = AtomicBool::new(false);
        let work = async { begun.store(true, Ordering::Relaxed) };
        assert_eq!(budget.within(SECOND, work).await, Err(OutOfTime::Budget));
        assert!(!begun.into_inner());
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_is_out_of_time_is_dropped() {
        struct Flag(Arc<AtomicBool>);
        impl Drop for Flag {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let dropped = Arc::new(AtomicBool::new(false));
        let flag = Flag(Arc::clone(&dropped));
        let work = async move {
            let _flag = flag;
            pending::<()>().await;
        };
        let ended = Budget::of(9 * SECOND).within(SECOND, work).await;
        assert_eq!(ended, Err(OutOfTime::Limit));
        assert!(dropped.load(Ordering::Relaxed));
    }
}

//! How often somebody may ask.

use std::{fmt, time::Duration};

use deadpool_redis::{Pool, redis::Cmd};

use crate::store::{StoreError, milliseconds, name, run, script};

/// Admits so many requests of each subject in so much time, counted in Redis for all servers
/// together. Clones count together.
///
/// It is the generic cell rate algorithm: a whole burst may come at once, and after it one request
/// each `per / burst`. The clock is that of Redis, so that servers need not agree on the time.
#[derive(Clone)]
pub struct Limiter {
    pool: Pool,
    rate: Rate,
}

/// How often is not too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many requests are admitted at once. None ever with 0.
    pub burst: u32,
    /// In what time a burst that was used up is there again.
    pub per: Duration,
    /// What the keys in Redis begin with. Limiters with the same one count together.
    pub prefix: String,
}

/// Whether a request is admitted, and what the headers `RateLimit-*` and `Retry-After` tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is.
    pub allowed: bool,
    /// How many are admitted at once.
    pub limit: u32,
    /// How many would be admitted now, after this one.
    pub remaining: u32,
    /// When all of [`Verdict::limit`] are there again.
    pub reset_after: Duration,
    /// When the next one is admitted; `None` where this one was.
    pub retry_after: Option<Duration>,
}

// === impl Limiter ===

impl Limiter {
    /// A limiter that counts in the Redis that `pool` leads to.
    pub fn new(pool: Pool, rate: Rate) -> Self {
        Self { pool, rate }
    }

    /// Counts a request of the subject: a user, an address, a key. One that is refused does not
    /// count, so that somebody who keeps asking is admitted as soon as somebody who waits.
    ///
    /// # Errors
    /// [`StoreError`], when Redis gives no answer. Whether requests pass then is for the caller to
    /// say.
    pub async fn check(&self, subject: &str) -> Result<Verdict, StoreError> {
        let counted = run(&self.pool, &self.count(subject), None).await?;
        let (allowed, remaining, reset, retry): (bool, u32, u64, u64) = counted;
        Ok(Verdict {
            allowed,
            limit: self.rate.burst,
            remaining,
            reset_after: Duration::from_micros(reset),
            retry_after: (!allowed).then(|| Duration::from_micros(retry)),
        })
    }

    /// Redis keeps one time, at which the burst is full again; it is never further away than `per`,
    /// unless the server's clock was set back. Times are whole microseconds, which a double holds
    /// exactly.
    fn count(&self, subject: &str) -> Cmd {
        // A fraction of a microsecond less would admit one too many in the end.
        let interval = (milliseconds(self.rate.per) * 1000).div_ceil(self.rate.burst.max(1).into());
        let mut count = script(
            "local time = redis.call('TIME')
            local now = time[1] * 1000000 + time[2]
            local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
            local span = interval * burst
            local full = tonumber(redis.call('GET', KEYS[1]) or now)
            full = math.min(math.max(full, now), now + span)
            local wait = full + interval - span - now
            local allowed = 0
            if wait <= 0 then
                allowed, wait, full = 1, 0, full + interval
                local life = math.ceil((full - now) / 1000)
                redis.call('SET', KEYS[1], full, 'PX', life)
            end
            return {allowed, math.floor((span - (full - now)) / interval), full - now, wait}",
            &name(&self.rate.prefix, &[subject]),
        );
        count.arg(interval).arg(self.rate.burst);
        count
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;
    use crate::store::{away, of_a_test};

    async fn limiter(burst: u32, per: Duration) -> Limiter {
        let (pool, prefix) = of_a_test().await;
        Limiter::new(pool, Rate { burst, per, prefix })
    }

    const HOUR: Duration = Duration::from_secs(3600);

    /// Reading a count and adding to it in two commands admits any number at once
    /// (redis/redis-doc#777, langgenius/dify#39177).
    #[tokio::test]
    async fn a_crowd_is_admitted_up_to_the_burst() {
        let limiter = limiter(20, HOUR).await;
        let verdicts = join_all((0..200).map(|_| limiter.check("ann"))).await;
        let verdicts: Vec<Verdict> = verdicts.into_iter().map(Result::unwrap).collect();
        let mut remaining: Vec<u32> = verdicts
            .iter()
            .filter(|verdict| verdict.allowed)
            .map(|verdict| verdict.remaining)
            .collect();
        remaining.sort_unstable();
        assert_eq!(remaining, (0..20).collect::<Vec<_>>());
        for verdict in &verdicts {
            assert_eq!(verdict.limit, 20);
            assert!(verdict.reset_after <= HOUR);
            assert_eq!(verdict.retry_after.is_none(), verdict.allowed);
        }
    }

    #[tokio::test]
    async fn the_verdict_tells_when_to_come_again() {
        let limiter = limiter(2, HOUR).await;
        let first = limiter.check("ann").await.unwrap();
        assert_eq!((first.allowed, first.remaining), (true, 1));
        assert_eq!(first.reset_after, HOUR / 2);
        assert!(limiter.check("ann").await.unwrap().allowed);
        let third = limiter.check("ann").await.unwrap();
        assert_eq!((third.allowed, third.remaining), (false, 0));
        let retry_after = third.retry_after.unwrap();
        assert!(retry_after <= HOUR / 2 && retry_after > HOUR / 3);
    }

    #[tokio::test]
    async fn who_waits_as_told_is_admitted_and_asking_in_vain_costs_nothing() {
        let limiter = limiter(2, Duration::from_millis(400)).await;
        for _ in 0..2 {
            assert!(limiter.check("ann").await.unwrap().allowed);
        }
        let mut refused = limiter.check("ann").await.unwrap();
        for _ in 0..5 {
            refused = limiter.check("ann").await.unwrap();
        }
        if let Some(retry_after) = refused.retry_after {
            sleep(retry_after).await;
        }
        assert!(limiter.check("ann").await.unwrap().allowed);
    }

    #[tokio::test]
    async fn subjects_are_counted_apart_and_clones_together() {
        let limiter = limiter(1, HOUR).await;
        assert!(limiter.check("ann").await.unwrap().allowed);
        assert!(limiter.check("bob").await.unwrap().allowed);
        assert!(!limiter.clone().check("ann").await.unwrap().allowed);
    }

    #[tokio::test]
    async fn a_burst_of_none_admits_none_and_one_that_does_not_divide_admits_no_more() {
        let none = limiter(0, HOUR).await.check("ann").await.unwrap();
        assert_eq!((none.allowed, none.remaining), (false, 0));
        let seven = limiter(7, HOUR).await;
        let verdicts = join_all((0..20).map(|_| seven.check("ann"))).await;
        let admitted = verdicts
            .iter()
            .filter(|verdict| verdict.as_ref().unwrap().allowed);
        assert_eq!(admitted.count(), 7);
    }

    /// A key without an expiry stays for ever (marcosbarbero/spring-cloud-zuul-ratelimit#121).
    #[tokio::test]
    async fn nothing_is_left_when_the_burst_is_full_again() {
        let limiter = limiter(3, HOUR).await;
        limiter.check("ann").await.unwrap();
        let mut connection = limiter.pool.get().await.unwrap();
        let key = name(&limiter.rate.prefix, &["ann"]);
        let mut left = deadpool_redis::redis::cmd("PTTL");
        let left: i64 = left.arg(key).query_async(&mut connection).await.unwrap();
        assert!(left > 0 && left <= 1_200_000, "{left}");
    }

    #[tokio::test]
    async fn without_redis_there_is_no_verdict() {
        let rate = Rate {
            burst: 1,
            per: HOUR,
            prefix: String::new(),
        };
        let error = Limiter::new(away(), rate).check("ann").await.unwrap_err();
        assert!(matches!(error, StoreError::Pool(_)), "{error:?}");
    }
}

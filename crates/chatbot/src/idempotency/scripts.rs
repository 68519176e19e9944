//! What Redis does in one piece.
//!
//! A key holds a hash: the fingerprint of the request, the token of its owner and, when it is done,
//! the answer. As long as there is no answer it lives as long as the lease. The token stays after
//! the answer came, so that storing it again after an answer of Redis was lost is no failure.

use std::time::Duration;

use deadpool_redis::redis::Cmd;
use uuid::Uuid;

use crate::store::{milliseconds, script};

use super::answer::StoredAnswer;

/// What [`enter`] answers: one of the states, what is left of the lease in ms, and status, content
/// type and body of the answer.
pub(super) type Entered = (u8, i64, u16, String, Vec<u8>);

pub(super) const FIRST: u8 = 0;
pub(super) const MISMATCH: u8 = 1;
pub(super) const DONE: u8 = 2;

/// Takes the key if it is free, and tells about it if it is not.
pub(super) fn enter(key: &str, fingerprint: &[u8; 32], owner: Uuid, lease: Duration) -> Cmd {
    let mut enter = script(
        "local seen = redis.call('HMGET', KEYS[1], 'fingerprint', 'status', 'type', 'body')
        if not seen[1] then
            redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'owner', ARGV[2])
            redis.call('PEXPIRE', KEYS[1], ARGV[3])
            return {0, 0, 0, '', ''}
        end
        if seen[1] ~= ARGV[1] then return {1, 0, 0, '', ''} end
        if seen[2] then return {2, 0, seen[2], seen[3], seen[4]} end
        return {3, redis.call('PTTL', KEYS[1]), 0, '', ''}",
        key,
    );
    enter
        .arg(fingerprint.as_slice())
        .arg(owner.as_bytes().as_slice())
        .arg(milliseconds(lease));
    enter
}

/// Gives the lease its full length again. 1 if it is still the owner's, else 0.
pub(super) fn renew(key: &str, owner: Uuid, lease: Duration) -> Cmd {
    let mut renew = script(
        "local seen = redis.call('HMGET', KEYS[1], 'owner', 'status')
        if seen[1] ~= ARGV[1] or seen[2] then return 0 end
        return redis.call('PEXPIRE', KEYS[1], ARGV[2])",
        key,
    );
    renew
        .arg(owner.as_bytes().as_slice())
        .arg(milliseconds(lease));
    renew
}

/// Stores the answer. 1 if the key is still the owner's, else 0.
pub(super) fn complete(key: &str, owner: Uuid, answer: &StoredAnswer, keep: Duration) -> Cmd {
    let mut complete = script(
        "local seen = redis.call('HMGET', KEYS[1], 'owner', 'status')
        if seen[1] ~= ARGV[1] then return 0 end
        if not seen[2] then
            redis.call('HSET', KEYS[1], 'status', ARGV[2], 'type', ARGV[3], 'body', ARGV[4])
            redis.call('PEXPIRE', KEYS[1], ARGV[5])
        end
        return 1",
        key,
    );
    complete
        .arg(owner.as_bytes().as_slice())
        .arg(answer.status)
        .arg(&answer.content_type)
        .arg(&answer.body)
        .arg(milliseconds(keep));
    complete
}

/// Makes the key free if it is still the owner's and has no answer. 1 if it was so, else 0.
pub(super) fn release(key: &str, owner: Uuid) -> Cmd {
    let mut release = script(
        "local seen = redis.call('HMGET', KEYS[1], 'owner', 'status')
        if seen[1] ~= ARGV[1] or seen[2] then return 0 end
        return redis.call('DEL', KEYS[1])",
        key,
    );
    release.arg(owner.as_bytes().as_slice());
    release
}

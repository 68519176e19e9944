//! What is to be done, in every state.

use Advice::{Close, GoAway, Wait, WaitUntil};

use super::*;

const LIMITS: Limits = Limits {
    header_read: Duration::from_secs(10),
    idle: Duration::from_secs(75),
};

/// So many milliseconds after the connection was accepted.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn at(self, milliseconds: u64) -> Instant {
        self.0 + Duration::from_millis(milliseconds)
    }
}

/// What happens, in milliseconds after the connection was accepted.
#[derive(Clone, Copy, Debug)]
enum Event {
    Read(u64),
    Begin(u64),
    End(u64),
    Flush(u64),
    Told(u64),
}

fn connection(clock: Clock, http2: bool, events: &[Event]) -> Manners {
    let mut manners = Manners::new(clock.0);
    let bytes: &[u8] = if http2 { b"PRI * HTTP/2.0" } else { b"PUT /" };
    let mut first = true;
    for event in events {
        match *event {
            Event::Read(at) => {
                manners.read(bytes, std::mem::take(&mut first), clock.at(at));
            }
            Event::Begin(at) => assert!(manners.begin(http2, clock.at(at)) > 0),
            Event::End(at) => assert!(!manners.end(manners.count, true, clock.at(at))),
            Event::Flush(at) => assert_eq!(manners.flushed(clock.at(at)), 1),
            Event::Told(at) => manners.told(clock.at(at)),
        }
    }
    manners
}

use Event::{Begin, End, Flush, Read, Told};

const ANSWERED: [Event; 4] = [Read(1000), Begin(1000), End(2000), Flush(3000)];

#[test]
fn http1_while_it_serves() {
    let clock = Clock(Instant::now());
    let table: [(&[Event], u64, Advice); 9] = [
        (&[], 0, WaitUntil(clock.at(10_000))),
        (&[], 10_000, Close),
        (&[Read(4000)], 4000, WaitUntil(clock.at(14_000))),
        // More bytes do not make the time for the head longer.
        (&[Read(4000), Read(13_000)], 14_000, Close),
        (&[Read(0), Begin(0)], 3_600_000, Wait),
        // The kernel does not have the answer yet.
        (&[Read(0), Begin(0), End(0)], 3_600_000, Wait),
        (&ANSWERED, 3000, WaitUntil(clock.at(78_000))),
        (&ANSWERED, 78_000, Close),
        (
            &[Read(0), Begin(0), End(0), Flush(0), Read(70_000)],
            76_000,
            WaitUntil(clock.at(80_000)),
        ),
    ];
    for (events, now, advice) in table {
        let manners = connection(clock, false, events);
        for stage in [Stage::Serving, Stage::PreDrain] {
            let given = manners.advice(stage, LIMITS, clock.at(now), || panic!("no need"));
            assert_eq!(given, advice, "{events:?} at {now} in {stage:?}");
        }
    }
}

#[test]
fn http1_when_it_closes() {
    let clock = Clock(Instant::now());
    // When it closes, what happened, whether bytes wait in the socket, when it is looked at.
    let table: [(u64, &[Event], bool, u64, Advice); 12] = [
        // hyperium/hyper#3792: a request may wait in the socket of an idle connection.
        (5000, &ANSWERED, false, 5000, Close),
        (5000, &ANSWERED, true, 5000, WaitUntil(clock.at(5500))),
        (5000, &ANSWERED, true, 5500, Close),
        // It became idle later.
        (2500, &ANSWERED, true, 3000, WaitUntil(clock.at(3500))),
        (2500, &ANSWERED, false, 3000, Close),
        // Just connected, and connected long ago without a word.
        (0, &[], false, 0, WaitUntil(clock.at(500))),
        (499, &[], false, 499, WaitUntil(clock.at(999))),
        (500, &[], false, 500, Close),
        (500, &[], true, 500, WaitUntil(clock.at(1000))),
        // tokio-rs/axum#3478: half a head.
        (5000, &[Read(4000)], false, 5000, WaitUntil(clock.at(5500))),
        (5000, &[Read(4000)], false, 5500, Close),
        (5000, &[Read(4000), Begin(4500)], false, 3_600_000, Wait),
    ];
    for (closing, events, unread, now, advice) in table {
        let stage = Stage::Closing(clock.at(closing));
        let manners = connection(clock, false, events);
        let given = manners.advice(stage, LIMITS, clock.at(now), || unread);
        assert_eq!(given, advice, "{events:?} at {now}, closing at {closing}");
    }
}

#[test]
fn http2_in_every_stage() {
    let clock = Clock(Instant::now());
    let told = [
        ANSWERED[0],
        ANSWERED[1],
        ANSWERED[2],
        ANSWERED[3],
        Told(5000),
    ];
    let busy = [Read(0), Begin(0)];
    let busy_told = [Read(0), Begin(0), Told(5000)];
    let closing = Stage::Closing(clock.at(6000));
    let table: [(Stage, &[Event], u64, Advice); 17] = [
        // The client has a limit for its first byte, and then for its first request.
        (Stage::Serving, &[], 10_000, Close),
        (
            Stage::Serving,
            &[Read(0)],
            70_000,
            WaitUntil(clock.at(75_000)),
        ),
        (Stage::Serving, &[Read(0)], 75_000, GoAway),
        (Stage::Serving, &busy, 3_600_000, Wait),
        (Stage::Serving, &ANSWERED, 3000, WaitUntil(clock.at(78_000))),
        (Stage::Serving, &ANSWERED, 78_000, GoAway),
        (Stage::Serving, &told, 79_000, WaitUntil(clock.at(80_000))),
        (Stage::Serving, &told, 80_000, Close),
        // It may ask first, but not for ever.
        (Stage::PreDrain, &[Read(0)], 0, WaitUntil(clock.at(500))),
        (Stage::PreDrain, &[Read(0)], 500, GoAway),
        (Stage::PreDrain, &busy, 0, GoAway),
        (Stage::PreDrain, &busy_told, 3_600_000, Wait),
        (Stage::PreDrain, &ANSWERED, 3000, GoAway),
        (closing, &ANSWERED, 6000, GoAway),
        (closing, &told, 6000, WaitUntil(clock.at(6500))),
        (closing, &told, 6500, Close),
        (closing, &busy_told, 3_600_000, Wait),
    ];
    for (stage, events, now, advice) in table {
        let manners = connection(clock, true, events);
        let given = manners.advice(stage, LIMITS, clock.at(now), || panic!("no need"));
        assert_eq!(given, advice, "{events:?} at {now} in {stage:?}");
    }
}

#[test]
fn only_a_connection_between_two_requests_can_make_room() {
    let clock = Clock(Instant::now());
    let idle = |http2, events: &[Event]| connection(clock, http2, events).idle_since();
    assert_eq!(idle(false, &[]), None);
    assert_eq!(idle(false, &[Read(0), Begin(0)]), None);
    assert_eq!(idle(false, &ANSWERED), Some(clock.at(3000)));
    let reading = [
        ANSWERED[0],
        ANSWERED[1],
        ANSWERED[2],
        ANSWERED[3],
        Read(4000),
    ];
    assert_eq!(idle(false, &reading), None);
    // On HTTP/2 bytes are no sign of a request.
    assert_eq!(idle(true, &reading), Some(clock.at(3000)));
}

#[test]
fn what_is_in_flight_when_the_socket_goes_is_abandoned_once() {
    let now = Instant::now();
    let mut manners = Manners::new(now);
    let (first, second) = (manners.begin(true, now), manners.begin(true, now));
    let third = manners.begin(true, now);
    assert!(!manners.end(first, true, now), "it waits to be flushed");
    assert!(manners.end(third, false, now));
    assert_eq!(manners.in_flight(), 2);
    assert_eq!(manners.close(), 2);
    assert!(!manners.end(second, false, now), "it is counted already");
    assert_eq!((manners.in_flight(), manners.close()), (0, 0));
    assert_eq!(manners.oldest(), None);
}

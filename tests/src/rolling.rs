//! Servers that are restarted one after the other, while a balancer sends them requests.

use std::{net::SocketAddr, process::Command, time::Duration};

use tokio::time::sleep;

use crate::{Balancer, ClosedPort, Fixture, Running, Style, Tally, command};

/// What is restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// `tria-server` with this `PRE_DRAIN`.
    Tria {
        /// As the key is written, as in `3s`.
        pre_drain: &'static str,
    },
    /// A bare axum server with graceful shutdown and nothing else: what most services do.
    BareAxum,
}

/// The programs that a test or a bench was built with.
pub struct Programs<'a> {
    /// What `tria-server` needs.
    pub fixture: &'a Fixture,
    /// The path of `bare-axum`.
    pub bare_axum: &'a str,
}

/// How it is done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Clients that keep their connections, and as many that do not.
    pub clients: u32,
    /// How often a server is restarted.
    pub restarts: usize,
    /// How many requests all clients send in a second.
    pub per_second: u32,
}

/// How long a server is down at the least, as on any platform: the control starts in no time.
const DOWN: Duration = Duration::from_millis(200);

/// How long both servers are in before one is stopped.
const SETTLED: Duration = Duration::from_millis(300);

// === impl Programs ===

impl Programs<'_> {
    /// Starts one of them on a port, and waits until it listens; for `tria-server` until it is
    /// ready.
    ///
    /// # Panics
    /// If it does not.
    pub fn start(&self, candidate: Candidate, port: u16) -> Running {
        match candidate {
            Candidate::Tria { pre_drain } => {
                let mut keys = self.fixture.keys.clone();
                keys.insert("PORT".to_owned(), port.to_string());
                keys.insert("PRE_DRAIN".to_owned(), pre_drain.to_owned());
                keys.insert("STARTUP_DEADLINE".to_owned(), "60s".to_owned());
                let running = Running::start(command(&["serve"], &keys));
                running.ready();
                running
            }
            Candidate::BareAxum => {
                let mut command = Command::new(self.bare_axum);
                command.arg(port.to_string());
                let running = Running::start(command);
                running.wait_for("listening");
                running
            }
        }
    }

    /// Restarts two servers in turn under load. Gives what came of the requests of those clients
    /// that keep their connections, and of those that do not.
    ///
    /// # Panics
    /// If a server does not start, or does not end with 0.
    pub async fn roll(&self, candidate: Candidate, plan: Plan) -> [Tally; 2] {
        let ports = [ClosedPort::take(), ClosedPort::take()];
        let addresses: Vec<SocketAddr> = ports
            .iter()
            .map(|port| ([127, 0, 0, 1], port.number()).into())
            .collect();
        let mut servers: Vec<Running> = ports
            .iter()
            .map(|port| self.start(candidate, port.number()))
            .collect();
        let balancer = Balancer::start(&addresses);
        balancer.until_in(0).await;
        balancer.until_in(1).await;
        let loads = [Style::KeepAlive, Style::ConnectPerRequest]
            .map(|style| balancer.load(style, plan.clients, plan.per_second / 2));
        for restart in 0..plan.restarts {
            let at = restart % servers.len();
            balancer.until_in(at).await;
            sleep(SETTLED).await;
            let stopped = servers.remove(at);
            stopped.signal("TERM");
            stopped.ended().expect(0, &[]);
            sleep(DOWN).await;
            servers.insert(at, self.start(candidate, ports[at].number()));
        }
        sleep(SETTLED).await;
        let [kept, connected] = loads.map(crate::Load::stop);
        [kept.await, connected.await]
    }
}

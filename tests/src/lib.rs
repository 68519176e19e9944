//! What the tests of the built programs share: the programs, run as a user runs them, and the
//! servers that they need.

mod closed_port;
mod dependency;
mod fixture;
mod footprint;
mod http;
mod load;
mod prober;
mod server;

pub use closed_port::ClosedPort;
pub use dependency::Dependency;
pub use fixture::Fixture;
pub use footprint::Footprint;
pub use http::{Answer, get, get_text, get_with_token};
pub use load::{Limit, Load};
pub use prober::{Prober, Pulse, Sight};
pub use server::{Ended, Keys, Running, command, program, run};

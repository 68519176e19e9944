//! What the tests of the built programs share: the programs, run as a user runs them, and the
//! servers that they need.

mod closed_port;
mod fixture;
mod http;
mod load;
mod server;

pub use closed_port::ClosedPort;
pub use fixture::Fixture;
pub use http::{Answer, get, get_text, get_with_token};
pub use load::{Limit, Load};
pub use server::{Ended, Keys, Running, command, program, run};

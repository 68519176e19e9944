//! What the tests of the built programs share: the programs, run as a user runs them, and the
//! servers that they need.

mod closed_port;
mod customer;
mod deaf_client;
mod dependency;
mod events;
mod fixture;
mod footprint;
mod http;
mod load;
mod model_front;
mod paced;
mod prober;
mod redis_admin;
mod rolling;
mod saturation;
mod server;
mod shop;
mod spread;
mod stub_model;
mod talker;
mod wire;

pub use closed_port::ClosedPort;
pub use customer::{Customer, Door, Post, Reply};
pub use deaf_client::DeafClient;
pub use dependency::Dependency;
pub use events::{Event, Events};
pub use fixture::{Fixture, connect};
pub use footprint::Footprint;
pub use http::{Answer, get, get_text, get_with_token};
pub use load::{Balancer, Load, Style, Tally};
pub use model_front::{Call, Conduct, ModelFront};
pub use paced::{Paced, Probed};
pub use prober::{Prober, Pulse, Sight};
pub use redis_admin::RedisAdmin;
pub use rolling::{Candidate, Plan, Programs};
pub use saturation::{Limit, Saturation};
pub use server::{Ended, Keys, Running, command, program, run, signal};
pub use shop::{OpenShop, Shop};
pub use spread::Spread;
pub use stub_model::{Asked, StubModel};
pub use talker::{Said, Talker};
pub use wire::{Connection, Failure, WireAnswer};

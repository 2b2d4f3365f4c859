//! The connection pool: what scripts see of it, what may be parked and taken, and that the counters are exact.

mod idle;
mod logins;
mod model;
mod moving;
mod objects;
mod parallel;
mod parking;
mod random;
mod relogin;
pub mod support;

//! How the proxy stops: who may go on, what the others are told, and how another process takes its place.

mod drain;
mod takeover;

//! The harness of the tests that drive the real programs: brings clusters up, runs the operators' commands on them, kills
//! daemons and waits for what should follow.
//!
//! `cargo xtask test` builds the programs and says where they are. A test never waits for a length of time but for a
//! condition, with a deadline; and never passes because something it needs is missing.

#![forbid(unsafe_code)]

pub mod cluster;
pub mod contract;
pub mod daemon;
pub mod fault;
pub mod htools;
pub mod inventory;
pub mod jobs;
pub mod os;
pub mod output;
pub mod peer;
pub mod programs;
pub mod rapi;
pub mod reaper;
pub mod shared;
pub mod wait;

pub use cluster::Cluster;
pub use output::Output;
pub use wait::wait_for;

//! Tests through the public face of the library: properties of random clusters, and bad input.

#[path = "it/bad_input.rs"]
mod bad_input;
#[path = "it/explain.rs"]
mod explain;
#[path = "it/losses.rs"]
mod losses;
#[path = "it/overcommit.rs"]
mod overcommit;
#[path = "it/plans.rs"]
mod plans;
#[path = "it/random.rs"]
mod random;
#[path = "it/state.rs"]
mod state;
#[path = "it/whatif.rs"]
mod whatif;

//! Tests through the public face of the library: properties of random clusters, and bad input.

#[path = "it/bad_input.rs"]
mod bad_input;
#[path = "it/capacity.rs"]
mod capacity;
#[path = "it/evacuation.rs"]
mod evacuation;
#[path = "it/explain.rs"]
mod explain;
#[cfg(feature = "tools")]
#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/losses.rs"]
mod losses;
#[cfg(feature = "tools")]
#[path = "it/mutate.rs"]
mod mutate;
#[path = "it/one_model.rs"]
mod one_model;
#[path = "it/order.rs"]
mod order;
#[path = "it/overcommit.rs"]
mod overcommit;
#[path = "it/plans.rs"]
mod plans;
#[path = "it/random.rs"]
mod random;
#[cfg(feature = "tools")]
#[path = "it/report.rs"]
mod report;
#[path = "it/state.rs"]
mod state;
#[path = "it/whatif.rs"]
mod whatif;

//! The first, small placement library. `gannet-masterd` places with it until the new core answers its questions; nothing else
//! should begin to use it.

pub mod alloc;
pub mod cluster;
pub mod instance;
pub mod limit;
pub mod metric;
pub mod node;
pub mod redundancy;

#[cfg(test)]
mod tests;

pub use alloc::{Placement, allocate, relocate};
pub use cluster::{Cluster, Group};
pub use instance::{Instance, Mirror};
pub use limit::{Limit, NoPlace};
pub use node::{Node, Nodes};

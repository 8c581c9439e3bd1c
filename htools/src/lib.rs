//! Placement of instances on nodes, as functions of values: no clock, no socket, no file.
//!
//! A [`Cluster`] holds groups, nodes and instances with what they use. [`alloc`] answers where a new instance goes and where
//! an existing one can go; [`metric`] says how even a cluster is (Ganeti's cluster score).
#![forbid(unsafe_code)]

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

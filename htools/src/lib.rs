//! Placement of instances on nodes, as functions of values: no clock, no socket, no file, and the same answer every time.
//!
//! | module | what it knows |
//! |---|---|
//! | [`cluster`], [`group`], [`node`], [`instance`], [`policy`], [`tag`], [`id`] | a cluster as it was read |
//! | [`load`], [`save`] | texts to clusters and back; what is derived while loading |
//! | [`state`], [`moves`] | where instances are, what that takes of each node, and what a move would make of it |
//! | [`score`] | how even a cluster is |
//! | [`balance`] | which moves make it more even |
//! | [`allocate`] | where a new instance should go |
//! | [`capacity`] | how many new instances fit |
//! | [`explain`] | why a new instance has no place |
//! | [`evacuable`] | whether a group survives the loss of any node |
//! | [`whatif`] | a cluster that lost nodes, or got more |
//! | [`job`] | moves as commands and sets of jobs |
//! | [`repair`] | which broken instances may be repaired, and how |
//! | [`show`] | numbers, tables and lists in the reference's form |
//! | [`program`] (feature `tools`) | the tools: options, files, output |
#![forbid(unsafe_code)]

pub mod allocate;
pub mod balance;
pub mod capacity;
pub mod cluster;
pub mod evacuable;
pub mod evacuate;
pub mod explain;
pub mod fail;
pub mod group;
pub mod iallocator;
pub mod id;
pub mod instance;
pub mod job;
pub mod load;
pub mod moves;
pub mod node;
pub mod policy;
#[cfg(feature = "tools")]
pub mod program;
pub mod repair;
pub mod roll;
pub mod save;
pub mod score;
pub mod show;
pub mod squeeze;
pub mod state;
pub mod tag;
pub mod whatif;

pub use cluster::Cluster;
pub use fail::{FailCounts, FailMode};
pub use group::Group;
pub use id::{GroupId, InstanceId, NodeId};
pub use instance::Instance;
pub use moves::{Move, Trial};
pub use node::Node;
pub use policy::Policy;
pub use state::{Limits, State, Usage};

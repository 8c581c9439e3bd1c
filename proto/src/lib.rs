//! The protocols between Gannet's daemons: generated messages, and conversions from and to the domain.

/// Calls from the master to nodes, and between nodes.
#[allow(clippy::all, missing_docs, unreachable_pub)]
pub mod node {
    tonic::include_proto!("gannet.node");
}

/// How a new node becomes a member of a cluster.
#[allow(clippy::all, missing_docs, unreachable_pub)]
pub mod join {
    tonic::include_proto!("gannet.join");
}

pub mod state;

mod convert;

pub use convert::{params_from_proto, params_to_proto};

/// Metadata key of the master's epoch on every call to a node.
pub const EPOCH_KEY: &str = "gannet-epoch";

/// Metadata key of the ticket on calls between nodes.
pub const TICKET_KEY: &str = "gannet-ticket";

/// Common name of the certificate with which a master calls nodes.
pub const MASTER_COMMON_NAME: &str = "gannet-master";

/// Largest message between daemons, in bytes: disk chunks and bulk answers stay below it.
pub const MAX_MESSAGE: usize = 64 << 20;

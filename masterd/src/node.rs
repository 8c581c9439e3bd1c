//! Calls to node daemons: one connection per node, the epoch on every call, a deadline for each.

mod calls;
mod pool;

use gannet_core::name::NodeName;

pub use calls::{NodeHandle, NodeReads};
pub use pool::{Nodes, TlsFiles};

/// Why a call to a node gave no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NodeError {
    /// The node is marked offline; it was not asked.
    #[error("Node {node} is marked offline")]
    Offline {
        /// Which node.
        node: NodeName,
    },
    /// No connection, or it broke.
    #[error("Cannot reach node {node}: {reason}; is the machine up, and does gannet-noded run there?")]
    Unreachable {
        /// Which node.
        node: NodeName,
        /// What the transport said.
        reason: String,
    },
    /// No answer within the call's deadline.
    #[error("Node {node} did not answer {call} within {seconds} s")]
    Timeout {
        /// Which node.
        node: NodeName,
        /// What was asked.
        call: &'static str,
        /// The deadline.
        seconds: u64,
    },
    /// The node answered that it could not.
    #[error("{message} (node {node})")]
    Refused {
        /// Which node.
        node: NodeName,
        /// What was asked.
        call: &'static str,
        /// The kind of refusal.
        code: tonic::Code,
        /// What the node said.
        message: String,
    },
    /// The node has heard of a newer master.
    #[error("Node {node} obeys a newer master: {message}")]
    Deposed {
        /// Which node.
        node: NodeName,
        /// What the node said.
        message: String,
    },
}

impl NodeError {
    /// Whether it is unknown what happened on the node, if anything.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Offline { .. } | Self::Unreachable { .. } | Self::Timeout { .. })
    }

    fn from_status(node: &NodeName, call: &'static str, seconds: u64, status: &tonic::Status) -> Self {
        use tonic::Code;
        let node = node.clone();
        match status.code() {
            Code::DeadlineExceeded | Code::Cancelled => Self::Timeout { node, call, seconds },
            Code::Unavailable => Self::Unreachable { node, reason: chain(status) },
            Code::FailedPrecondition if status.message().contains("epoch") => Self::Deposed { node, message: status.message().to_owned() },
            code => Self::Refused { node, call, code, message: chain(status) },
        }
    }
}

/// The message of a status with its causes, each once.
fn chain(status: &tonic::Status) -> String {
    let mut text = status.message().to_owned();
    let mut source = std::error::Error::source(status);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

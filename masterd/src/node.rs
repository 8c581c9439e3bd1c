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
    #[error("{}", on_node(.message, .node))]
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
            Code::DeadlineExceeded => Self::Timeout { node, call, seconds },
            Code::Unavailable => Self::Unreachable { node, reason: root(status) },
            // What has a cause was not said by the node: the connection broke in the middle of the call.
            Code::Internal | Code::Unknown | Code::Cancelled if std::error::Error::source(status).is_some() => {
                Self::Unreachable { node, reason: root(status) }
            }
            Code::Cancelled => Self::Timeout { node, call, seconds },
            Code::FailedPrecondition if status.message().contains("epoch") => Self::Deposed { node, message: status.message().to_owned() },
            code => Self::Refused { node, call, code, message: status.message().to_owned() },
        }
    }
}

/// The message, with the node's name if it does not have it.
fn on_node(message: &str, node: &NodeName) -> String {
    if message.contains(node.as_str()) { message.to_owned() } else { format!("{message} (node {node})") }
}

/// What the system said, without what each layer above it has to say about that.
fn root(status: &tonic::Status) -> String {
    let causes = std::iter::successors(std::error::Error::source(status), |cause| cause.source());
    let text = causes.last().map_or_else(|| status.message().to_owned(), ToString::to_string);
    match text.as_str() {
        // The connector's and the keep-alive's words for a machine that is there, or not, and says nothing.
        "deadline has elapsed" | "operation timed out" => "it does not answer".to_owned(),
        // With a lecture about TLS behind it.
        text if text.contains("close_notify") => "the connection was closed".to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: &tonic::Status) -> NodeError {
        NodeError::from_status(&"node1.example.com".parse().unwrap(), "disk_create", 60, status)
    }

    /// A connection that broke is not an answer of the node: what happened there is not known.
    #[test]
    fn what_the_node_has_not_said_is_silence() {
        let mut broken = tonic::Status::unknown("h2 protocol error: http2 error");
        broken.set_source(std::sync::Arc::new(std::io::Error::other("connection reset")));
        let error_text = error(&broken).to_string();
        assert!(
            error(&broken).is_silence() && error_text.contains("Cannot reach node node1.example.com: connection reset;"),
            "{error_text}"
        );
        assert!(error(&tonic::Status::unavailable("no")).is_silence());
        assert!(error(&tonic::Status::cancelled("Timeout expired")).to_string().contains("did not answer disk_create within 60 s"));
        let said = error(&tonic::Status::internal("no space"));
        assert!(!said.is_silence());
        assert_eq!(said.to_string(), "no space (node node1.example.com)");
        assert_eq!(error(&tonic::Status::internal("node node1.example.com: no")).to_string(), "node node1.example.com: no");
    }
}

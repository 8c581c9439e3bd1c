//! Why confd did not do what it was asked.

use std::time::Duration;

/// Errors by what the caller can do. A conflict is not an error but an
/// [`Outcome`](crate::command::Outcome).
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Ask the leader instead. For masterd: this node is not the master.
    #[error("this node does not lead the configuration store{}", match .leader {
        Some(id) => format!(" (member {id} does)"),
        None => " (no leader is known)".to_owned(),
    })]
    NotLeader {
        /// The member that leads.
        leader: Option<u64>,
    },
    /// Nothing was written; try again when the reason is gone.
    #[error("the configuration store is not available: {reason}")]
    Unavailable {
        /// Why, and what to do.
        reason: String,
    },
    /// No answer in time. A proposal may still be applied: repeat it with the
    /// same token.
    #[error("the configuration store did not answer within {} s", .limit.as_secs_f32())]
    Timeout {
        /// The deadline.
        limit: Duration,
    },
    /// The follower was too slow and lost its place: follow again.
    #[error("fell too far behind the changes of the configuration store: follow again")]
    Lagged,
    /// The copy on this node cannot be used any more, now or after a restart.
    #[error("{reason}")]
    Unusable {
        /// Why, and what to do.
        reason: String,
    },
    /// The request makes no sense as it is.
    #[error("{reason}")]
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    pub(crate) fn unavailable(reason: impl std::fmt::Display) -> Self {
        Self::Unavailable { reason: reason.to_string() }
    }

    pub(crate) fn invalid(reason: impl std::fmt::Display) -> Self {
        Self::Invalid { reason: reason.to_string() }
    }
}

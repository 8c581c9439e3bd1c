//! The two ways in which an opcode does not succeed: refused before anything was changed, or failed on the way.

use gannet_core::config::LookupError;
use gannet_core::error::{ErrorCode, WireError};

use crate::node::NodeError;
use crate::store::CommitError;

/// An operation was refused; nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Why, for programs.
    pub code: ErrorCode,
    /// Why, for people: the thing, the node, the reason, and the next step where there is one.
    pub message: String,
}

impl Refusal {
    /// A refusal with `code`.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Bad arguments.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Invalid, message)
    }

    /// The entity is in the wrong state.
    pub fn state(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::State, message)
    }

    /// Not enough resources.
    pub fn no_resources(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NoResources, message)
    }

    /// The name is taken.
    pub fn exists(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Exists, message)
    }

    /// No such entity.
    pub fn no_entity(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NoEntity, message)
    }

    /// A daemon, program or node is not as it must be.
    pub fn environment(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Environment, message)
    }
}

impl From<LookupError> for Refusal {
    fn from(error: LookupError) -> Self {
        let wire = WireError::from(error);
        Self { code: wire.code().unwrap_or(ErrorCode::NoEntity), message: wire.message() }
    }
}

impl From<NodeError> for Refusal {
    fn from(error: NodeError) -> Self {
        Self::environment(error.to_string())
    }
}

impl From<Refusal> for WireError {
    fn from(refusal: Refusal) -> Self {
        Self::prereq(refusal.message, refusal.code)
    }
}

/// An operation failed on the way. The engine takes back what was done, unless the job had passed its point of no return.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A node could not do a step, or did not answer.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Something else went wrong.
    #[error("{0}")]
    Other(String),
    /// A hook refused.
    #[error("{0}")]
    Hooks(String),
    /// The state store refused a write of this job: somebody else changed the object.
    #[error("{0}")]
    Conflict(String),
    /// The state store cannot be reached, or another master has taken over. The job stops where it is: whoever is master
    /// next goes on from its last step.
    #[error("the state store does not accept writes of this master: {0}")]
    Stopped(String),
    /// A step that the journal does not know: the job was begun by another version.
    #[error("{0}")]
    Journal(String),
}

impl Failure {
    /// Something else went wrong.
    pub fn other(message: impl Into<String>) -> Self {
        Self::Other(message.into())
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict(text) => Self::Conflict(text),
            CommitError::Unavailable(text) | CommitError::Deposed(text) => Self::Stopped(text),
        }
    }
}

impl From<&Failure> for WireError {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Hooks(text) => Self::new("HooksAbort", text.clone()),
            Failure::Node(_) | Failure::Other(_) | Failure::Conflict(_) | Failure::Stopped(_) | Failure::Journal(_) => {
                Self::exec(failure.to_string())
            }
        }
    }
}

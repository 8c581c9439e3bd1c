//! Why a JSON value is not an opcode.

/// Why a JSON value is not an opcode. `Display` is Ganeti's wording, which scripts look at; [`Error::detail`] says more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a JSON object.
    #[error("Invalid data to LoadOpCode (not an object)")]
    NotAnObject,
    /// No `OP_ID`, or one that is no text.
    #[error("Invalid data to LoadOpCode, missing OP_ID")]
    NoOpId,
    /// No opcode of this name exists.
    #[error("Invalid data to LoadOpCode: OP_ID {0} unsupported")]
    UnknownOpId(String),
    /// A parameter without default was not given.
    #[error("Required parameter '{op_id}.{parameter}' missing")]
    Missing {
        /// The opcode.
        op_id: &'static str,
        /// The parameter.
        parameter: String,
    },
    /// The opcode has no such parameter.
    #[error("Object {op_id} doesn't support the parameter '{parameter}'")]
    Unknown {
        /// The opcode.
        op_id: &'static str,
        /// The parameter.
        parameter: String,
    },
    /// The value is of the wrong type or out of range.
    #[error("Parameter '{op_id}.{parameter}' fails validation")]
    Invalid {
        /// The opcode.
        op_id: &'static str,
        /// The parameter.
        parameter: String,
        /// What is wrong with the value; never the value of a private or secret parameter.
        detail: String,
    },
}

impl Error {
    /// The opcode, when it is known.
    #[must_use]
    pub fn op_id(&self) -> Option<&str> {
        match self {
            Self::NotAnObject | Self::NoOpId => None,
            Self::UnknownOpId(op_id) => Some(op_id),
            Self::Missing { op_id, .. } | Self::Unknown { op_id, .. } | Self::Invalid { op_id, .. } => Some(op_id),
        }
    }

    /// The parameter at fault.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::NotAnObject | Self::NoOpId | Self::UnknownOpId(_) => None,
            Self::Missing { parameter, .. } | Self::Unknown { parameter, .. } | Self::Invalid { parameter, .. } => Some(parameter),
        }
    }

    /// What is wrong with the value, for people.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Invalid { detail, .. } => Some(detail),
            _ => None,
        }
    }
}

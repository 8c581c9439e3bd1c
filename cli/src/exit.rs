//! How a command ends: the one table of exit codes, and Ganeti's wording of failures.

use gannet_core::error::{STATE_UNAVAILABLE, WireError};
use gannet_core::luxi;
use serde_json::Value;

/// Done.
pub const SUCCESS: u8 = 0;
/// It failed.
pub const FAILURE: u8 = 1;
/// A mistake in the options, or a corrupt configuration.
pub const BAD_OPTION: u8 = 2;
/// This machine is in no cluster.
pub const NOT_CLUSTER: u8 = 5;
/// This node is not the master.
pub const NOT_MASTER: u8 = 11;
/// A node could not be set up.
pub const NODE_SETUP: u8 = 12;
/// The operator did not agree, or was not asked.
pub const CONFIRMATION: u8 = 13;
/// A field that does not exist was asked for.
pub const UNKNOWN_FIELD: u8 = 14;

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// All was said already; only the code is left.
    #[error("exit code {0}")]
    Silent(u8),
    /// A mistake in the options that only the command could find.
    #[error("{0}")]
    BadOption(String),
    /// Not possible as asked; found before anything was sent.
    #[error("{0}")]
    Refused(String),
    /// Part of Ganeti, but not of this version of Gannet.
    #[error("{0} is not available in this version of Gannet yet (see docs/status.md)")]
    NotYet(String),
    /// This machine is in no cluster.
    #[error("Cluster not initialized or this machine is not part of a cluster")]
    NotCluster,
    /// Another node is the master.
    #[error("This is not the master node, please connect to node '{0}' and rerun the command")]
    NotMaster(String),
    /// A node could not be set up.
    #[error("{0}")]
    NodeSetup(String),
    /// The operator did not agree.
    #[error("{0}")]
    Confirmation(String),
    /// A job failed, or the master refused.
    #[error("{0}")]
    Remote(WireError),
    /// The master could not be asked.
    #[error(transparent)]
    Luxi(luxi::Error),
    /// A file, a program or the terminal failed.
    #[error("{what}: {source}")]
    Io {
        what: String,
        #[source]
        source: std::io::Error,
    },
}

impl From<luxi::Error> for Failure {
    fn from(error: luxi::Error) -> Self {
        match error {
            luxi::Error::Remote(error) => Self::Remote(error),
            other => Self::Luxi(other),
        }
    }
}

impl Failure {
    /// A failed operation on a file, a program or the terminal.
    #[must_use]
    pub fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io { what: what.into(), source }
    }

    /// A mistake in values that Ganeti reports as a refused operation.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Remote(WireError::prereq(message, gannet_core::error::ErrorCode::Invalid))
    }

    /// The exit code (`qa/parity/params.json`: exit_codes).
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Silent(code) => *code,
            Self::BadOption(_) => BAD_OPTION,
            Self::NotCluster => NOT_CLUSTER,
            Self::NotMaster(_) => NOT_MASTER,
            Self::NodeSetup(_) => NODE_SETUP,
            Self::Confirmation(_) => CONFIRMATION,
            Self::Remote(error) if error.class == "ConfigurationError" => BAD_OPTION,
            Self::Refused(_) | Self::NotYet(_) | Self::Remote(_) | Self::Luxi(_) | Self::Io { .. } => FAILURE,
        }
    }

    /// What standard error is told; `None` when all was said.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        match self {
            Self::Silent(_) => None,
            Self::NotCluster | Self::NotMaster(_) => Some(format!("{PREREQ}\nerror type: wrong_state, error details:\n{self}")),
            Self::Remote(error) => Some(remote(error)),
            Self::Luxi(error) => Some(local(error)),
            other => Some(other.to_string()),
        }
    }
}

const PREREQ: &str = "Failure: prerequisites not met for this operation:";

/// Ganeti's words for an error that the master sent.
#[must_use]
pub fn remote(error: &WireError) -> String {
    let text = error.message();
    match error.class.as_str() {
        "OpPrereqError" => match error.args.get(1).and_then(Value::as_str) {
            Some(code) => format!("{PREREQ}\nerror type: {code}, error details:\n{text}"),
            None => format!("{PREREQ}\n{text}"),
        },
        "OpExecError" => format!("Failure: command execution error:\n{text}"),
        "HooksAbort" => hooks_abort(error),
        "HooksFailure" => format!("Failure: hooks general failure: {text}"),
        "ResolverError" => format!("Failure: can't resolve hostname '{text}'"),
        "TagError" => format!("Failure: invalid tag(s) given:\n{text}"),
        "JobQueueDrainError" => "Failure: the job queue is marked for drain and doesn't accept new requests".into(),
        "JobQueueFull" => "Failure: the job queue is full and doesn't accept new job submissions until old jobs are archived".into(),
        "TypeEnforcementError" => format!("Parameter Error: {text}"),
        "ParameterError" => format!("Failure: unknown/wrong parameter name '{text}'"),
        "ConfigurationError" => format!("Corrupt configuration file: {text}\nAborting."),
        "JobLost" => format!("Error checking job status: {text}"),
        STATE_UNAVAILABLE => format!("Failure: {text}"),
        "JobCanceled" => "Job was canceled".into(),
        _ => format!("Unhandled Ganeti error: {text}"),
    }
}

/// `[[node, script, output], …]` as the first argument.
fn hooks_abort(error: &WireError) -> String {
    let mut lines = vec!["Failure: hooks execution failed:".to_owned()];
    let results = error.args.first().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for result in results {
        let part = |at: usize| result.get(at).and_then(Value::as_str).unwrap_or_default();
        lines.push(match part(2) {
            "" => format!("  node: {}, script: {} (no output)", part(0), part(1)),
            output => format!("  node: {}, script: {}, output: {output}", part(0), part(1)),
        });
    }
    if results.is_empty() {
        lines.push(format!("  {}", error.message()));
    }
    lines.join("\n")
}

fn local(error: &luxi::Error) -> String {
    match error {
        luxi::Error::Timeout { .. } => format!(
            "Timeout while talking to the master daemon. Jobs might have been submitted and will continue to run even if the call timed \
             out. Useful commands in this situation are \"gnt-job list\", \"gnt-job cancel\" and \"gnt-job watch\". Error:\n{error}"
        ),
        luxi::Error::Protocol(_) => format!("Error while talking to the master daemon:\n{error}"),
        other => match std::error::Error::source(other) {
            Some(source) => format!("{other} ({source})"),
            None => other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use gannet_core::error::ErrorCode;
    use serde_json::json;

    use super::*;

    #[test]
    fn failures_are_worded_as_ganeti_does() {
        let prereq = Failure::Remote(WireError::prereq("Instance 'x' not known", ErrorCode::NoEntity));
        assert_eq!(
            prereq.message().unwrap(),
            "Failure: prerequisites not met for this operation:\nerror type: unknown_entity, error details:\nInstance 'x' not known"
        );
        assert_eq!(prereq.code(), 1);
        assert_eq!(remote(&WireError::exec("it broke")), "Failure: command execution error:\nit broke");
        let hooks = WireError { class: "HooksAbort".into(), args: vec![json!([["n1", "00-a", "no"], ["n2", "00-a", ""]])] };
        assert_eq!(
            remote(&hooks),
            "Failure: hooks execution failed:\n  node: n1, script: 00-a, output: no\n  node: n2, script: 00-a (no output)"
        );
        assert_eq!(Failure::Remote(WireError::new("ConfigurationError", "x")).code(), 2);
        assert_eq!(Failure::NotMaster("n1".into()).code(), 11);
        assert_eq!(Failure::NotCluster.code(), 5);
    }
}

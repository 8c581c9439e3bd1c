//! The journal of the opcode that a job is in: its plan and its steps, stored in the job's row.

use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, Mode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::effect::AnyEffect;
use crate::store::Change;

/// What a new master needs to carry on or to take back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// Position of the opcode in the job.
    pub op: usize,
    /// Its plan.
    pub plan: Value,
    /// The locks it held.
    pub locks: Vec<(Lock, Mode)>,
    /// Its steps so far, in order.
    pub steps: Vec<StepRecord>,
    /// Steps before this index are not taken back any more.
    pub keep: usize,
    /// The steps are being taken back, for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoing: Option<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// What is done.
    pub action: Action,
    /// How far it is.
    pub state: StepState,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// An effect on a node.
    Node {
        /// Which node.
        node: NodeUuid,
        /// What is done there.
        effect: Box<AnyEffect>,
    },
    /// A change of the configuration; done in the same write as its record.
    Commit {
        /// What puts the objects back as they were.
        inverse: Vec<Change>,
    },
    /// Jobs that were submitted; done in the same write as its record.
    Submit,
}

/// How far a step is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// It will be done, or has been: the record was written before.
    Intended,
    /// It is done.
    Done {
        /// The node's answer.
        reply: Value,
        /// False when the node had it already; then there is nothing to take back.
        changed: bool,
    },
    /// It was taken back.
    Undone,
}

impl Journal {
    /// Whether the operation has changed the configuration.
    #[must_use]
    pub fn has_commits(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, StepRecord { action: Action::Commit { .. }, state: StepState::Done { .. } }))
    }

    /// Whether a crash or failure leaves something to take back.
    #[must_use]
    pub fn has_undoable(&self) -> bool {
        self.steps.iter().skip(self.keep).any(|step| step.state != StepState::Undone)
    }
}

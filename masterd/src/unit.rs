//! What an opcode does, in phases that cannot be mixed up: locks, check, execute.

use std::collections::{BTreeMap, BTreeSet};

use gannet_core::config::Config;
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};

/// What a new master does with a half-done opcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterCrash {
    /// Goes on from the last finished step.
    Resume,
    /// Takes the finished steps back in reverse order. Once the opcode has passed its point of no return
    /// ([`Steps::point_of_no_return`]), it is resumed instead.
    Undo,
}

/// The behaviour of one opcode; implemented for its parameters' struct in `gannet_core::opcode`.
pub trait LogicalUnit: Send + Sync {
    /// All that `execute` may know. Stored with the job before its first step, so it never holds secrets.
    type Plan: Serialize + DeserializeOwned + Send + Sync;
    /// The opcode's result, as Ganeti's clients expect it.
    type Output: Serialize + Send;

    /// What a new master does with a half-done one.
    const AFTER_CRASH: AfterCrash;

    /// Which locks it needs. Pure: the engine calls it, waits for the locks, calls it again on the newer configuration, and
    /// starts over if the answer moved.
    ///
    /// # Errors
    /// A refusal, typically because a name is not known.
    fn locks(&self, config: &Config) -> Result<LockSet, Refusal>;

    /// Looks whether it can be done, and how. Reads only: `Held` has no way to change anything. A dry run ends here.
    fn check(&self, held: &Held<'_>) -> impl Future<Output = Result<Self::Plan, Refusal>> + Send;

    /// The hooks to run around `execute`; none for opcodes without hooks (`parity/hooks.json`).
    fn hooks(_plan: &Self::Plan) -> Option<Hooks> {
        None
    }

    /// What a dry run answers (Ganeti: `dry_run_result`).
    fn dry_run_result(_plan: &Self::Plan) -> Value {
        Value::Null
    }

    /// Carries the plan out. The only phase with hands, and it sees the plan, not the opcode: no clock, no random number, no
    /// configuration. It may be called again after a crash: same plan, same steps, same order.
    fn execute(plan: &Self::Plan, job: &mut Steps<'_>) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

/// Which hooks run, where, and with which environment (without the `GANETI_` prefix).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hooks {
    /// E.g. `instance-start`.
    pub path: String,
    /// `CLUSTER`, `NODE`, `GROUP`, `INSTANCE` or `NETWORK`.
    pub object_type: String,
    /// Nodes of the pre phase.
    pub pre_nodes: BTreeSet<NodeUuid>,
    /// Nodes of the post phase.
    pub post_nodes: BTreeSet<NodeUuid>,
    /// Values before the operation.
    pub env: BTreeMap<String, String>,
    /// Values after it, as far as the plan knows them; they get `GANETI_POST_`.
    pub post_env: BTreeMap<String, String>,
}

//! `OP_INSTANCE_QUERY_DATA`: answers with all that is known about instances.

use serde::{Deserialize, Serialize};

use crate::opcode::{Parameters, check};

/// Parameters of `OP_INSTANCE_QUERY_DATA`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceQueryData {
    /// Take locks for a consistent answer.
    #[serde(default)]
    pub use_locking: bool,
    /// Names of instances; none means all.
    #[serde(default, deserialize_with = "check::nonempty_list")]
    pub instances: Vec<String>,
    /// Answer from the configuration only, without asking nodes.
    #[serde(default)]
    pub r#static: bool,
}

impl Parameters for InstanceQueryData {
    const OP_ID: &'static str = "OP_INSTANCE_QUERY_DATA";
}

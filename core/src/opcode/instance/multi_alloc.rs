//! `OP_INSTANCE_MULTI_ALLOC`: finds places for several instances at once and submits jobs to create them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::opcode::{Op, OpCode, Parameters, check};

/// Parameters of `OP_INSTANCE_MULTI_ALLOC`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceMultiAlloc {
    /// Let the iallocator choose among nodes that are free right now.
    #[serde(default)]
    pub opportunistic_locking: bool,
    /// Iallocator to ask for places; `None` with no other choice given means the default one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub iallocator: Option<String>,
    /// The instances to create.
    #[serde(default, deserialize_with = "only_creation")]
    pub instances: Vec<OpCode>,
}

impl Parameters for InstanceMultiAlloc {
    const OP_ID: &'static str = "OP_INSTANCE_MULTI_ALLOC";
}

fn only_creation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<OpCode>, D::Error> {
    let opcodes = Vec::<OpCode>::deserialize(deserializer)?;
    match opcodes.iter().find(|opcode| !matches!(opcode.op, Op::InstanceCreate(_))) {
        Some(other) => Err(D::Error::custom(format!("{} does not create an instance", other.op.id()))),
        None => Ok(opcodes),
    }
}

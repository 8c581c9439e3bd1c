//! `OP_TEST_ALLOCATOR`: asks an iallocator without doing what it says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::opcode::{EvacMode, NicParamsRequest, Parameters, check, default};
use crate::param::{DiskTemplate, HypervisorKind, closed_set};

/// Parameters of `OP_TEST_ALLOCATOR`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestAllocator {
    /// Only show the request, or also the answer.
    pub direction: AllocatorDirection,
    /// What is asked.
    pub mode: AllocatorMode,
    /// Name of the instance or node that the request is about.
    #[serde(deserialize_with = "check::nonempty")]
    pub name: String,
    /// The NICs.
    pub nics: Option<Vec<NicParamsRequest>>,
    /// The disks, as the iallocator protocol writes them.
    pub disks: Option<Vec<Value>>,
    /// The hypervisor; `None` means the default of the cluster.
    pub hypervisor: Option<HypervisorKind>,
    /// The iallocator; needed for an answer.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub iallocator: Option<String>,
    /// Tags.
    #[serde(default, deserialize_with = "check::nonempty_list")]
    pub tags: Vec<String>,
    /// Memory of the instance, in MiB.
    pub memory: Option<u64>,
    /// Virtual CPUs of the instance.
    pub vcpus: Option<u64>,
    /// The OS, with `+variant`.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub os: Option<String>,
    /// How the disks are stored.
    pub disk_template: Option<DiskTemplate>,
    /// Names of instances.
    #[serde(default, deserialize_with = "check::maybe_nonempty_list")]
    pub instances: Option<Vec<String>>,
    /// Which instances are moved.
    pub evac_mode: Option<EvacMode>,
    /// Node groups to go to; `None` means any other.
    #[serde(default, deserialize_with = "check::maybe_nonempty_list")]
    pub target_groups: Option<Vec<String>>,
    /// Spindles that the instance uses.
    #[serde(default = "default::one")]
    pub spindle_use: u64,
    /// How many instances.
    #[serde(default = "default::one")]
    pub count: u64,
    /// Node group to choose from.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub group_name: Option<String>,
}

impl TestAllocator {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(direction: AllocatorDirection, mode: AllocatorMode, name: impl Into<String>) -> Self {
        Self {
            direction,
            mode,
            name: name.into(),
            nics: None,
            disks: None,
            hypervisor: None,
            iallocator: None,
            tags: Vec::new(),
            memory: None,
            vcpus: None,
            os: None,
            disk_template: None,
            instances: None,
            evac_mode: None,
            target_groups: None,
            spindle_use: 1,
            count: 1,
            group_name: None,
        }
    }
}

impl Parameters for TestAllocator {
    const OP_ID: &'static str = "OP_TEST_ALLOCATOR";
    const NEEDS_BGL: bool = true;

    fn subject(&self) -> Option<String> {
        Some(self.iallocator.clone().unwrap_or_else(|| "None".to_owned()))
    }
}

closed_set! {
    /// How far a test of an iallocator goes.
    pub enum AllocatorDirection ("iallocator direction") {
        /// Only show the request.
        In = "in",
        /// Also run the iallocator and show its answer.
        Out = "out",
    }
}

closed_set! {
    /// What an iallocator is asked.
    pub enum AllocatorMode ("iallocator mode") {
        /// A place for a new instance.
        Allocate = "allocate",
        /// A secondary node for a plain instance.
        AllocateSecondary = "allocate-secondary",
        /// How to move instances to other node groups.
        ChangeGroup = "change-group",
        /// Places for several new instances.
        MultiAllocate = "multi-allocate",
        /// How to move instances away from nodes.
        NodeEvacuate = "node-evacuate",
        /// A new secondary node.
        Relocate = "relocate",
    }
}

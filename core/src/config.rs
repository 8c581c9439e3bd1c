//! The configuration tree: the same objects, keys and JSON as Ganeti's `config.data` (`parity/config_schema.json`).
//!
//! [`Config`] is an immutable value with structural sharing: cloning it is cheap, and changing one object of a cluster
//! with 20,000 instances copies a few tree nodes. It holds indexes by name and by node, kept by [`Config::put`] and
//! [`Config::remove`], the only ways to change it.

mod cluster;
mod disk;
mod filter;
mod group;
mod instance;
mod network;
mod nic;
mod node;
mod tree;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::quantity::Timestamp;

pub use cluster::{Cluster, DataCollector};
pub use disk::{Disk, DiskMode, LogicalId};
pub use filter::FilterRule;
pub use group::{AllocPolicy, NodeGroup};
pub use instance::{AdminState, AdminStateSource, Instance};
pub use network::Network;
pub use nic::Nic;
pub use node::{Node, NodeRole};
pub use tree::{Config, LookupError, Object, ObjectKind};

/// Parameters by name; only those that are set at this level.
pub type ParamMap = BTreeMap<String, serde_json::Value>;

/// Configuration version of Ganeti 3.1, also its protocol version.
pub const CONFIG_VERSION: u32 = 3_010_000;

/// What every top-level object has besides its own fields.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Stamps {
    /// Creation, seconds since 1970.
    #[serde(default)]
    pub ctime: f64,
    /// Last change, seconds since 1970.
    #[serde(default)]
    pub mtime: f64,
    /// Grows by one with each change.
    pub serial_no: u64,
}

impl Stamps {
    /// The stamps of an object made at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { ctime: now.as_secs_f64(), mtime: now.as_secs_f64(), serial_no: 1 }
    }

    /// Marks a change at `now`.
    pub fn touch(&mut self, now: Timestamp) {
        self.mtime = now.as_secs_f64();
        self.serial_no += 1;
    }
}

fn is_false(value: &bool) -> bool {
    !*value
}

//! What the agent and the keeper say to each other: one JSON object a line, over a UNIX socket that only root can open.

use std::time::Duration;

use gannet_proto::node::{ClockStamp, Instance, InstanceRef};
use serde::{Deserialize, Serialize};

use super::state::Grant;

/// The longest line, in bytes: some ten thousand guests.
pub(super) const MAX_LINE: u64 = 4 << 20;

/// A reading of this node's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Of which boot.
    pub boot_id: String,
    /// The reading.
    pub at: Duration,
}

impl From<ClockStamp> for Stamp {
    fn from(stamp: ClockStamp) -> Self {
        Self { boot_id: stamp.boot_id, at: Duration::from_nanos(stamp.nanos) }
    }
}

impl From<Stamp> for ClockStamp {
    fn from(stamp: Stamp) -> Self {
        Self { boot_id: stamp.boot_id, nanos: u64::try_from(stamp.at.as_nanos()).unwrap_or(u64::MAX) }
    }
}

/// An instance that is ended when the lease ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: String,
    /// What runs it.
    pub hypervisor: String,
}

impl From<InstanceRef> for Guest {
    fn from(instance: InstanceRef) -> Self {
        Self { name: instance.name, uuid: instance.uuid, hypervisor: instance.hypervisor }
    }
}

impl From<&Instance> for Guest {
    fn from(instance: &Instance) -> Self {
        Self { name: instance.name.clone(), uuid: instance.uuid.clone(), hypervisor: instance.hypervisor.clone() }
    }
}

/// What the agent wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "want", rename_all = "lowercase")]
pub(super) enum Request {
    /// A renewal, and changes of who is guarded.
    Renew { grant: Option<Grant>, guard: Vec<Guest>, release: Vec<String> },
    /// A guest is about to be started, for as long as this connection is open.
    Begin { guest: Guest },
}

/// What the keeper says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The clock, read while answering.
    pub stamp: Stamp,
    /// How long the lease goes on.
    pub left: Duration,
    /// UUIDs of those that are guarded.
    pub guarded: Vec<String>,
    /// Why it was not done; empty when it was.
    pub refused: String,
}

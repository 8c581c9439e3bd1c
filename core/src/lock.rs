//! The names of locks (Ganeti's levels, in the order in which they are taken) and sets of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{GroupUuid, NetworkUuid, NodeUuid};
use crate::name::InstanceName;

/// One lock. The order of the variants is the order of the levels; within a level, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lock {
    /// The big lock: shared by nearly every job, exclusive for the few that must be alone.
    Cluster,
    /// All instances, present and future.
    AllInstances,
    /// One instance, by name (which may not exist yet).
    Instance(InstanceName),
    /// All node groups.
    AllGroups,
    /// One node group.
    Group(GroupUuid),
    /// All nodes.
    AllNodes,
    /// One node.
    Node(NodeUuid),
    /// The resources (memory, disk) of all nodes.
    AllNodeRes,
    /// The resources of one node.
    NodeRes(NodeUuid),
    /// All networks.
    AllNetworks,
    /// One network.
    Network(NetworkUuid),
}

impl Lock {
    /// The lock of the whole level, if this is a lock of one member.
    #[must_use]
    pub fn level(&self) -> Option<Self> {
        match self {
            Self::Instance(_) => Some(Self::AllInstances),
            Self::Group(_) => Some(Self::AllGroups),
            Self::Node(_) => Some(Self::AllNodes),
            Self::NodeRes(_) => Some(Self::AllNodeRes),
            Self::Network(_) => Some(Self::AllNetworks),
            Self::Cluster | Self::AllInstances | Self::AllGroups | Self::AllNodes | Self::AllNodeRes | Self::AllNetworks => None,
        }
    }

    /// Whether holding both at once, one of them exclusively, by two jobs is impossible: the same lock, or one is the
    /// whole level of the other.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self == other || self.level().as_ref() == Some(other) || other.level().as_ref() == Some(self)
    }
}

/// Ganeti's spelling, as in `gnt-debug locks`.
impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => f.write_str("cluster/BGL"),
            Self::AllInstances => f.write_str("instance/[lockset]"),
            Self::Instance(name) => write!(f, "instance/{name}"),
            Self::AllGroups => f.write_str("nodegroup/[lockset]"),
            Self::Group(uuid) => write!(f, "nodegroup/{uuid}"),
            Self::AllNodes => f.write_str("node/[lockset]"),
            Self::Node(uuid) => write!(f, "node/{uuid}"),
            Self::AllNodeRes => f.write_str("node-res/[lockset]"),
            Self::NodeRes(uuid) => write!(f, "node-res/{uuid}"),
            Self::AllNetworks => f.write_str("network/[lockset]"),
            Self::Network(uuid) => write!(f, "network/{uuid}"),
        }
    }
}

/// How a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Together with other sharers.
    Shared,
    /// Alone.
    Exclusive,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shared => "shared",
            Self::Exclusive => "exclusive",
        })
    }
}

/// The locks that an opcode needs, all of which it gets at once.
///
/// `optional` ones (opportunistic locking) are taken when they are free at that moment and left out when not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockSet {
    needed: BTreeMap<Lock, Mode>,
    optional: BTreeMap<Lock, Mode>,
}

impl LockSet {
    /// No lock at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The big lock shared: what every opcode without `req_bgl` takes.
    #[must_use]
    pub fn shared_cluster() -> Self {
        Self::none().shared(Lock::Cluster)
    }

    /// The big lock alone.
    #[must_use]
    pub fn exclusive_cluster() -> Self {
        Self::none().exclusive(Lock::Cluster)
    }

    /// Adds `lock`, shared (unless it is already wanted exclusively).
    #[must_use]
    pub fn shared(mut self, lock: Lock) -> Self {
        self.needed.entry(lock).or_insert(Mode::Shared);
        self
    }

    /// Adds `lock`, exclusive.
    #[must_use]
    pub fn exclusive(mut self, lock: Lock) -> Self {
        self.needed.insert(lock, Mode::Exclusive);
        self
    }

    /// Adds each of `locks` in `mode`.
    #[must_use]
    pub fn all(self, locks: impl IntoIterator<Item = Lock>, mode: Mode) -> Self {
        locks.into_iter().fold(self, |set, lock| match mode {
            Mode::Shared => set.shared(lock),
            Mode::Exclusive => set.exclusive(lock),
        })
    }

    /// Adds each of `locks` if it is free at the moment of the grant.
    #[must_use]
    pub fn opportunistic(mut self, locks: impl IntoIterator<Item = Lock>, mode: Mode) -> Self {
        self.optional.extend(locks.into_iter().map(|lock| (lock, mode)));
        self
    }

    /// What must be had, in the order of the levels.
    pub fn needed(&self) -> impl Iterator<Item = (&Lock, Mode)> {
        self.needed.iter().map(|(lock, mode)| (lock, *mode))
    }

    /// What is taken when free.
    pub fn optional(&self) -> impl Iterator<Item = (&Lock, Mode)> {
        self.optional.iter().map(|(lock, mode)| (lock, *mode))
    }

    /// Whether `lock` is held (in either mode) by whoever holds this set.
    #[must_use]
    pub fn covers(&self, lock: &Lock) -> bool {
        let has = |lock: &Lock| self.needed.contains_key(lock) || self.optional.contains_key(lock);
        has(lock) || lock.level().is_some_and(|level| has(&level))
    }
}

//! Node groups.

use gannet_core::param::AllocPolicy;

use crate::policy::Policy;

/// A node group.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its UUID, which nodes refer to.
    pub uuid: String,
    /// Whether, and how gladly, it takes new instances.
    pub alloc_policy: AllocPolicy,
    /// UUIDs of the networks that its nodes are connected to.
    pub networks: Vec<String>,
    /// What its instances may be.
    pub policy: Policy,
    /// Its tags.
    pub tags: Vec<String>,
}

impl Group {
    /// Whether it takes new instances.
    #[must_use]
    pub fn is_allocable(&self) -> bool {
        self.alloc_policy != AllocPolicy::Unallocable
    }

    /// Preferred groups go first.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self.alloc_policy {
            AllocPolicy::Preferred => 0,
            AllocPolicy::LastResort => 1,
            AllocPolicy::Unallocable => 2,
        }
    }
}

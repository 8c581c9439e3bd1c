//! Why an instance cannot be somewhere.

use std::fmt;

/// What stands in the way on one node (or in one group). The order is that in which the checks are made.
#[derive(Debug, Clone, PartialEq)]
pub enum Limit {
    /// The group's policy.
    Policy(Vec<String>),
    /// Memory, in MiB.
    Memory { needed: u64, unallocated: i64 },
    /// Disk space, in MiB.
    Disk { needed: u64, free: i64 },
    /// Virtual CPUs beyond the policy's ratio.
    Cpu { vcpus: u64, allowed: f64 },
    /// Spindles beyond the policy's ratio.
    Spindles { used: u64, allowed: f64 },
    /// An instance with the same exclusion tag is there.
    ExclusionTag(String),
    /// Memory kept for secondaries would no longer do, or does not do for this one.
    Reserved { unallocated: i64, reserved: i64 },
    /// If this node failed, its instances would not all find a place (its name).
    Redundancy { failing: String },
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(violations) => write!(f, "violates the instance policy: {}", violations.join("; ")),
            Self::Memory { needed, unallocated } => {
                write!(f, "not enough memory: needed {needed} MiB, {} MiB not allocated", unallocated.max(&0))
            }
            Self::Disk { needed, free } => write!(f, "not enough disk space: needed {needed} MiB, {} MiB free", free.max(&0)),
            Self::Cpu { vcpus, allowed } => write!(f, "too many virtual CPUs: {vcpus} where the policy allows {allowed}"),
            Self::Spindles { used, allowed } => write!(f, "too many spindles in use: {used} where the policy allows {allowed}"),
            Self::ExclusionTag(tag) => write!(f, "an instance with the exclusion tag {tag} is there already"),
            Self::Reserved { unallocated, reserved } => {
                write!(f, "N+1: {} MiB would be left, but {reserved} MiB must be kept for a failing node", unallocated.max(&0))
            }
            Self::Redundancy { failing } => write!(f, "N+1: the instances of {failing} would have nowhere to go if it failed"),
        }
    }
}

/// No place was found: what stands in the way where.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NoPlace {
    /// Node or group, and the limit there.
    pub reasons: Vec<(String, Limit)>,
    /// Groups that were left out since nothing may be allocated there.
    pub unallocable: Vec<String>,
}

/// Most places that are named; the others are counted.
const MAX_NAMED: usize = 10;

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reasons.is_empty() {
            f.write_str("no usable node (online, not drained, vm_capable and answering)")?;
        }
        for (index, (place, limit)) in self.reasons.iter().take(MAX_NAMED).enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}{place}: {limit}")?;
        }
        if self.reasons.len() > MAX_NAMED {
            write!(f, "; and {} more", self.reasons.len() - MAX_NAMED)?;
        }
        if !self.unallocable.is_empty() {
            write!(f, " (not considered, since unallocable: {})", self.unallocable.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for NoPlace {}

//! Why something cannot be placed, and how often.

use std::fmt;

/// The limit that stood in the way. The order is the reference's, which reports and ties follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailMode {
    /// Memory, or a node that would no longer survive the loss of a peer.
    Memory,
    /// Disk space, the floor below it, or a template that does not fit.
    Disk,
    /// Virtual CPUs.
    Cpu,
    /// The group could not be evacuated any more.
    GlobalN1,
    /// An exclusion tag that is on the node already.
    Tags,
    /// Migration tags.
    Migration,
    /// The number of disks.
    DiskCount,
    /// Spindles.
    Spindles,
    /// Nothing that can happen to a well-formed cluster.
    Internal,
}

impl FailMode {
    /// All, in order.
    pub const ALL: [Self; 9] =
        [Self::Memory, Self::Disk, Self::Cpu, Self::GlobalN1, Self::Tags, Self::Migration, Self::DiskCount, Self::Spindles, Self::Internal];

    /// The name that the reference prints.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "FailMem",
            Self::Disk => "FailDisk",
            Self::Cpu => "FailCPU",
            Self::GlobalN1 => "FailN1",
            Self::Tags => "FailTags",
            Self::Migration => "FailMig",
            Self::DiskCount => "FailDiskCount",
            Self::Spindles => "FailSpindles",
            Self::Internal => "FailInternal",
        }
    }
}

impl fmt::Display for FailMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How often each limit stood in the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailCounts([u64; FailMode::ALL.len()]);

impl FailCounts {
    /// Counts one more.
    pub fn add(&mut self, mode: FailMode) {
        self.0[mode as usize] += 1;
    }

    /// Counts so many more.
    pub fn add_many(&mut self, mode: FailMode, count: u64) {
        self.0[mode as usize] += count;
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own += other);
    }

    /// The count of one limit.
    #[must_use]
    pub fn get(&self, mode: FailMode) -> u64 {
        self.0[mode as usize]
    }

    /// Limits that stood in the way at least once, with their counts, in order.
    pub fn seen(&self) -> impl Iterator<Item = (FailMode, u64)> + '_ {
        FailMode::ALL.into_iter().map(|mode| (mode, self.get(mode))).filter(|(_, count)| *count > 0)
    }

    /// All of them together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

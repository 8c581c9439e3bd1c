//! Instance policies: how large instances may be, which templates they may have, and how far a node may be overcommitted.

use gannet_core::param::DiskTemplate;

use crate::fail::FailMode;
use crate::instance::Instance;

/// Sizes of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// In MiB.
    pub memory: i64,
    /// Virtual CPUs.
    pub cpus: i64,
    /// Of each disk, in MiB.
    pub disk: i64,
    /// Number of disks.
    pub disks: i64,
    /// Number of NICs.
    pub nics: i64,
    /// Spindles.
    pub spindles: i64,
}

/// A range of sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinMax {
    /// The smallest instance.
    pub min: Spec,
    /// The largest.
    pub max: Spec,
}

/// What a group allows.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Ranges; an instance must be in one of them.
    pub ranges: Vec<MinMax>,
    /// What "one instance" means where no size is given.
    pub standard: Spec,
    /// Templates that may be used.
    pub templates: Vec<DiskTemplate>,
    /// Virtual CPUs per CPU.
    pub vcpu_ratio: f64,
    /// Spindle use per spindle.
    pub spindle_ratio: f64,
}

/// All templates, in the order in which the reference lists them.
pub const TEMPLATES: [DiskTemplate; 9] = [
    DiskTemplate::Diskless,
    DiskTemplate::File,
    DiskTemplate::SharedFile,
    DiskTemplate::Plain,
    DiskTemplate::BlockDev,
    DiskTemplate::Drbd,
    DiskTemplate::Rbd,
    DiskTemplate::Ext,
    DiskTemplate::Gluster,
];

impl Spec {
    /// Built-in smallest and standard size.
    pub const SMALLEST: Self = Self { memory: 128, cpus: 1, disk: 1024, disks: 1, nics: 1, spindles: 1 };
    /// Built-in largest size.
    pub const LARGEST: Self = Self { memory: 32_768, cpus: 8, disk: 1024 * 1024, disks: 16, nics: 8, spindles: 12 };
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ranges: vec![MinMax { min: Spec::SMALLEST, max: Spec::LARGEST }],
            standard: Spec::SMALLEST,
            templates: TEMPLATES.to_vec(),
            vcpu_ratio: 4.0,
            spindle_ratio: 32.0,
        }
    }
}

impl Policy {
    /// Whether `instance` may be in a group of this policy: in any of the ranges, with an allowed template. `exclusive`: whether
    /// its node has exclusive storage, where spindles are a resource and their number must be known.
    ///
    /// # Errors
    /// Why the first range refuses it; later ranges are only asked whether they accept. Ganeti asks them in the opposite
    /// order: the last range first, and the answer of the first range stands when none accepts.
    pub fn check(&self, instance: &Instance, exclusive: bool) -> Result<(), FailMode> {
        if let Some((first, others)) = self.ranges.split_first()
            && !others.iter().any(|range| range.check(instance, exclusive).is_ok())
        {
            first.check(instance, exclusive)?;
        }
        if self.templates.contains(&instance.template) { Ok(()) } else { Err(FailMode::Disk) }
    }
}

impl MinMax {
    /// Whether `instance` is in this range.
    ///
    /// # Errors
    /// The first size that is out of it: below the smallest goes before above the largest.
    pub fn check(&self, instance: &Instance, exclusive: bool) -> Result<(), FailMode> {
        outside(instance, &self.min, exclusive, |own, limit| own < limit)?;
        outside(instance, &self.max, exclusive, |own, limit| own > limit)
    }
}

fn outside(instance: &Instance, limit: &Spec, exclusive: bool, out: impl Fn(i64, i64) -> bool) -> Result<(), FailMode> {
    let spindles = if exclusive {
        instance.total_spindles().is_none_or(|total| out(total, limit.spindles))
    } else {
        out(instance.spindle_use, limit.spindles)
    };
    let count = i64::try_from(instance.disks.len()).unwrap_or(i64::MAX);
    let checks = [
        (out(instance.memory, limit.memory), FailMode::Memory),
        (instance.disks.iter().any(|disk| out(disk.size, limit.disk)), FailMode::Disk),
        (out(instance.vcpus, limit.cpus), FailMode::Cpu),
        (spindles, FailMode::Spindles),
        (instance.template != DiskTemplate::Diskless && out(count, limit.disks), FailMode::DiskCount),
    ];
    checks.into_iter().find(|(fails, _)| *fails).map_or(Ok(()), |(_, mode)| Err(mode))
}

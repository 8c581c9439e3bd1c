//! What instances take of a node, in numbers, and how adding or removing one changes them.
//!
//! These are functions of values, so that candidates can be judged without touching anything. Each check and its place in the
//! order is the reference's: the first that fails names the reason.
//!
//! Quantities exist twice: as they are, and "eventual", which adds forthcoming instances and counts the memory of stopped ones.

use crate::fail::FailMode;
use crate::instance::Instance;
use crate::node::Node;

/// What is taken of a node. Memory and disk space in MiB.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Memory of the primaries that use it.
    pub instance_memory: i64,
    /// Free memory once all instances are there and up.
    pub eventual_memory: i64,
    /// Memory kept for the loss of the peer with the most of it.
    pub reserved_memory: i64,
    /// The node cannot take over the instances of that peer.
    pub fails_n1: bool,
    /// Free disk space.
    pub free_disk: i64,
    /// Free disk space once forthcoming instances are there.
    pub eventual_disk: i64,
    /// Free spindles (with exclusive storage, else 0 after the first change).
    pub free_spindles: i64,
    /// The same with forthcoming instances.
    pub eventual_spindles: i64,
    /// Pressure on the spindles (without exclusive storage).
    pub spindle_use: f64,
    /// The same with forthcoming instances.
    pub eventual_spindle_use: f64,
    /// Virtual CPUs, the node's own included.
    pub vcpus: i64,
    /// The same with forthcoming instances.
    pub eventual_vcpus: i64,
    /// Load: CPU, memory, disk, network.
    pub load: [f64; 4],
    /// Number of primary instances.
    pub primaries: u32,
    /// Number of secondary instances.
    pub secondaries: u32,
    /// Uses of exclusion tags beyond the first of each.
    pub tag_conflicts: i64,
    /// Failure causes that primaries share with their secondaries, and their unmet wishes.
    pub location: i64,
}

/// What an instance does to a primary node beyond its sizes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Effect {
    /// Conflicts of exclusion tags that appear or go.
    pub conflicts: i64,
    /// One of its exclusion tags is on the node already.
    pub meets_tag: bool,
    /// Failure causes shared with the secondary, and unmet wishes.
    pub location: i64,
}

/// Whether soft limits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// All limits.
    All,
    /// Only those that no force can lift.
    Hard,
}

impl Limits {
    /// [`Limits::Hard`] when `force`d.
    #[must_use]
    pub fn unless(force: bool) -> Self {
        if force { Self::Hard } else { Self::All }
    }
}

/// The lines of a check: what fails, and what it is called.
fn first(checks: &[(bool, FailMode)]) -> Result<(), FailMode> {
    checks.iter().find(|(fails, _)| *fails).map_or(Ok(()), |(_, mode)| Err(*mode))
}

impl Usage {
    /// Memory that is not taken, less what is missing.
    #[must_use]
    pub fn unallocated(&self, node: &Node) -> i64 {
        node.memory_for_instances() - self.instance_memory
    }

    /// Memory that a new instance can have.
    #[must_use]
    pub fn available_memory(&self, node: &Node) -> i64 {
        (self.unallocated(node) - self.reserved_memory).max(0)
    }

    /// Disk space above the floor.
    #[must_use]
    pub fn available_disk(&self, node: &Node) -> i64 {
        (self.free_disk - node.disk_floor()).max(0)
    }

    /// Virtual CPUs below the limit.
    #[must_use]
    pub fn available_vcpus(&self, node: &Node) -> i64 {
        (node.vcpu_limit() - self.vcpus).max(0)
    }

    /// Without a primary instance.
    #[must_use]
    pub fn without_primary(&self, node: &Node, instance: &Instance, effect: Effect) -> Self {
        let mut new = *self;
        let disk = if instance.uses_local_disk() { instance.disk } else { 0 };
        let vcpus = if instance.is_online() { instance.vcpus } else { 0 };
        new.tag_conflicts -= effect.conflicts;
        new.eventual_memory += instance.memory;
        new.eventual_disk += disk;
        new.eventual_vcpus -= vcpus;
        new.eventual_spindle_use = spindle_use_less(self.eventual_spindle_use, node, instance);
        new.eventual_spindles = spindles_more(self.eventual_spindles, node, instance);
        if instance.forthcoming {
            return new;
        }
        new.instance_memory -= if instance.uses_memory() { instance.memory } else { 0 };
        new.fails_n1 = new.unallocated(node) <= self.reserved_memory;
        new.free_disk += disk;
        new.vcpus -= vcpus;
        new.spindle_use = spindle_use_less(self.spindle_use, node, instance);
        new.free_spindles = spindles_more(self.free_spindles, node, instance);
        for (own, load) in new.load.iter_mut().zip(instance.load) {
            *own -= load;
        }
        new.primaries -= 1;
        new.location -= effect.location;
        new
    }

    /// With one more primary instance.
    ///
    /// # Errors
    /// The first limit that stands in the way.
    pub fn with_primary(&self, node: &Node, instance: &Instance, effect: Effect, limits: Limits) -> Result<Self, FailMode> {
        let soft = limits == Limits::All;
        let local = instance.uses_local_disk();
        let mut new = *self;
        let disk = if local { instance.disk } else { 0 };
        let vcpus = if instance.is_online() { instance.vcpus } else { 0 };
        new.tag_conflicts += effect.conflicts;
        new.eventual_memory -= instance.memory;
        new.eventual_disk -= disk;
        new.eventual_vcpus += vcpus;
        new.eventual_spindle_use = spindle_use_more(self.eventual_spindle_use, node, instance);
        new.eventual_spindles = spindles_less(self.eventual_spindles, node, instance);
        if instance.forthcoming {
            return if soft { new.check_eventual_primary(node, local).map(|()| new) } else { Ok(new) };
        }
        new.instance_memory += if instance.uses_memory() { instance.memory } else { 0 };
        let unallocated = new.unallocated(node);
        new.fails_n1 = unallocated <= self.reserved_memory;
        new.free_disk -= disk;
        new.vcpus += vcpus;
        new.spindle_use = spindle_use_more(self.spindle_use, node, instance);
        new.free_spindles = spindles_less(self.free_spindles, node, instance);
        first(&[
            (unallocated <= 0, FailMode::Memory),
            (local && new.free_disk <= 0, FailMode::Disk),
            (soft && local && new.free_disk < node.disk_floor(), FailMode::Disk),
            (local && node.exclusive_storage && new.free_spindles < 0, FailMode::Spindles),
            (soft && local && new.spindle_use > node.spindle_limit(), FailMode::Disk),
            (soft && new.fails_n1 && !self.fails_n1, FailMode::Memory),
            (soft && over_vcpu_ratio(new.vcpus, node), FailMode::Cpu),
            (soft && effect.meets_tag, FailMode::Tags),
        ])?;
        if soft {
            new.check_eventual_primary(node, local)?;
        }
        for (own, load) in new.load.iter_mut().zip(instance.load) {
            *own += load;
        }
        new.primaries += 1;
        new.location += effect.location;
        Ok(new)
    }

    fn check_eventual_primary(&self, node: &Node, local: bool) -> Result<(), FailMode> {
        first(&[
            (self.eventual_memory <= 0, FailMode::Memory),
            (local && self.eventual_disk <= 0, FailMode::Disk),
            (local && self.eventual_disk < node.disk_floor(), FailMode::Disk),
            (local && node.exclusive_storage && self.eventual_spindles < 0, FailMode::Spindles),
            (local && self.eventual_spindle_use > node.spindle_limit(), FailMode::Disk),
            (over_vcpu_ratio(self.eventual_vcpus, node), FailMode::Cpu),
        ])
    }

    /// Without a secondary instance. `own`: memory of all instances here whose primary is that of this one; `others`: the largest
    /// memory of any other peer.
    #[must_use]
    pub fn without_secondary(&self, node: &Node, instance: &Instance, own: i64, others: i64) -> Self {
        let mut new = *self;
        let disk = if instance.uses_local_disk() { instance.disk } else { 0 };
        new.eventual_disk += disk;
        new.eventual_spindle_use = spindle_use_less(self.eventual_spindle_use, node, instance);
        new.eventual_spindles = spindles_more(self.eventual_spindles, node, instance);
        if instance.forthcoming {
            return new;
        }
        new.free_disk += disk;
        new.spindle_use = spindle_use_less(self.spindle_use, node, instance);
        new.free_spindles = spindles_more(self.free_spindles, node, instance);
        if own >= self.reserved_memory {
            new.reserved_memory = others.max(own - instance.reserves()).max(0);
        }
        new.fails_n1 = self.unallocated(node) <= new.reserved_memory;
        new.load[2] -= instance.load[2];
        new.secondaries -= 1;
        new
    }

    /// With one more secondary instance. `own`: memory of the instances here whose primary is that of this one;
    /// `ignore_disk`: free disk space may become nothing.
    ///
    /// # Errors
    /// The first limit that stands in the way.
    pub fn with_secondary(&self, node: &Node, instance: &Instance, own: i64, limits: Limits, ignore_disk: bool) -> Result<Self, FailMode> {
        let soft = limits == Limits::All;
        let mut new = *self;
        new.eventual_disk -= instance.disk;
        new.eventual_spindle_use = spindle_use_more(self.eventual_spindle_use, node, instance);
        new.eventual_spindles = spindles_less(self.eventual_spindles, node, instance);
        if instance.forthcoming {
            return if soft { new.check_eventual_secondary(node, instance).map(|()| new) } else { Ok(new) };
        }
        let unallocated = self.unallocated(node);
        new.free_disk -= instance.disk;
        new.spindle_use = spindle_use_more(self.spindle_use, node, instance);
        new.free_spindles = spindles_less(self.free_spindles, node, instance);
        new.reserved_memory = self.reserved_memory.max(own + instance.reserves());
        new.fails_n1 = unallocated <= new.reserved_memory;
        first(&[
            (!instance.has_secondary(), FailMode::Disk),
            (!ignore_disk && new.free_disk <= 0, FailMode::Disk),
            (soft && new.free_disk < node.disk_floor(), FailMode::Disk),
            (node.exclusive_storage && new.free_spindles < 0, FailMode::Spindles),
            (soft && new.spindle_use > node.spindle_limit(), FailMode::Disk),
            (soft && instance.reserves() >= unallocated, FailMode::Memory),
            (soft && new.fails_n1 && !self.fails_n1, FailMode::Memory),
        ])?;
        if soft {
            new.check_eventual_secondary(node, instance)?;
        }
        new.load[2] += instance.load[2];
        new.secondaries += 1;
        Ok(new)
    }

    /// `self` has the instance already, which changes no memory.
    fn check_eventual_secondary(&self, node: &Node, instance: &Instance) -> Result<(), FailMode> {
        first(&[
            (!instance.has_secondary(), FailMode::Disk),
            (self.eventual_disk <= 0, FailMode::Disk),
            (self.eventual_disk < node.disk_floor(), FailMode::Disk),
            (node.exclusive_storage && self.eventual_spindles < 0, FailMode::Spindles),
            (self.eventual_spindle_use > node.spindle_limit(), FailMode::Disk),
            (instance.reserves() >= self.eventual_memory, FailMode::Memory),
        ])
    }
}

/// A ratio below zero means no limit.
pub(crate) fn over_vcpu_ratio(vcpus: i64, node: &Node) -> bool {
    node.vcpu_ratio >= 0.0 && node.vcpu_ratio < real(vcpus) / node.cpus
}

/// A quantity as a real number. Loaders bound quantities, so that none is rounded.
#[expect(clippy::cast_precision_loss, reason = "loaders bound quantities far below 2^53")]
pub(crate) fn real(quantity: i64) -> f64 {
    quantity as f64
}

pub(super) fn spindle_use_more(now: f64, node: &Node, instance: &Instance) -> f64 {
    match (node.exclusive_storage, instance.uses_local_disk()) {
        (true, _) => 0.0,
        (false, true) => now + real(instance.spindle_use),
        (false, false) => now,
    }
}

fn spindle_use_less(now: f64, node: &Node, instance: &Instance) -> f64 {
    match (node.exclusive_storage, instance.uses_local_disk()) {
        (true, _) => 0.0,
        (false, true) => now - real(instance.spindle_use),
        (false, false) => now,
    }
}

/// An instance whose spindles are not known takes so many that it does not fit.
pub(super) fn spindles_less(now: i64, node: &Node, instance: &Instance) -> i64 {
    if node.exclusive_storage { instance.total_spindles().map_or(-1, |spindles| now - spindles) } else { 0 }
}

/// An instance whose spindles are not known gives none back.
fn spindles_more(now: i64, node: &Node, instance: &Instance) -> i64 {
    if node.exclusive_storage { now + instance.total_spindles().unwrap_or(0) } else { 0 }
}

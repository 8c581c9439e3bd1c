//! The limit that an instance meets on a node, with its numbers. The order of the checks is that of [`Usage`].

use gannet_core::param::DiskTemplate;

use crate::allocate::Options;
use crate::cluster::Cluster;
use crate::fail::FailMode;
use crate::id::NodeId;
use crate::instance::Instance;
use crate::node::Node;
use crate::policy::{MinMax, Policy, Spec};
use crate::state::{Limits, State, Usage, over_vcpu_ratio, real};

/// What stands in the way on a node. Quantities in MiB where they are memory or disk space.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "`wanted` beside `free`, a value beside the `limit` that it is over")]
pub enum Limit {
    /// More than is not allocated; one MiB has to stay.
    Memory { wanted: i64, free: i64 },
    /// What would be left does not do for the instances of a peer that come here when it dies.
    Reserved { left: i64, reserved: i64 },
    /// Memory that would have to be kept here for it.
    SecondaryMemory { wanted: i64, free: i64 },
    /// The same once stopped and forthcoming instances are up.
    EventualMemory { wanted: i64, free: i64 },
    /// One MiB has to stay.
    Disk { wanted: i64, free: i64 },
    /// Disk space that has to stay free.
    DiskFloor { left: i64, floor: i64 },
    /// Disk space once forthcoming instances are there.
    EventualDisk { wanted: i64, free: i64 },
    /// Spindles, with exclusive storage; `None`: the instance does not say how many it needs.
    Spindles { wanted: Option<i64>, free: i64 },
    /// Spindle use, as the policy's ratio allows it.
    SpindleUse { used: f64, limit: f64 },
    /// Virtual CPUs, as the policy's ratio allows them.
    Cpu { vcpus: i64, limit: i64 },
    /// The node has an instance with this exclusion tag.
    Tag(String),
    /// The node's group does not take such an instance on this node.
    Policy(OutOfPolicy),
    /// Anything else, in the reference's word.
    Other(FailMode),
}

/// A size that is out of a policy's range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutOfPolicy {
    /// What, its size, and the bound: the smallest or the largest that is allowed.
    Size {
        /// In the operator's words, with the unit.
        what: &'static str,
        /// The instance's.
        value: i64,
        /// The policy's.
        bound: i64,
    },
    /// Spindles have to be named where they are a resource.
    UnknownSpindles,
    /// The template is not allowed.
    Template(DiskTemplate),
}

impl Limit {
    /// The place in the order in which kinds are told.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Self::Memory { .. } => 0,
            Self::SecondaryMemory { .. } => 1,
            Self::Reserved { .. } => 2,
            Self::EventualMemory { .. } => 3,
            Self::Disk { .. } => 4,
            Self::DiskFloor { .. } => 5,
            Self::EventualDisk { .. } => 6,
            Self::Spindles { .. } => 7,
            Self::SpindleUse { .. } => 8,
            Self::Cpu { .. } => 9,
            Self::Tag(_) => 10,
            Self::Policy(_) => 11,
            Self::Other(_) => 12,
        }
    }

    /// How far the instance is from fitting, in the limit's unit.
    pub(super) fn gap(&self) -> f64 {
        match *self {
            Self::Memory { wanted, free }
            | Self::SecondaryMemory { wanted, free }
            | Self::EventualMemory { wanted, free }
            | Self::Disk { wanted, free }
            | Self::EventualDisk { wanted, free } => real(wanted - free),
            Self::Reserved { left, reserved } => real(reserved - left),
            Self::DiskFloor { left, floor } => real(floor - left),
            Self::Spindles { wanted, free } => real(wanted.unwrap_or(i64::from(u16::MAX)) - free),
            Self::SpindleUse { used, limit } => used - limit,
            Self::Cpu { vcpus, limit } => real(vcpus - limit),
            Self::Tag(_) | Self::Policy(_) | Self::Other(_) => 0.0,
        }
    }
}

/// What keeps the instance's primary from a node.
pub(super) fn of_primary(cluster: &Cluster, state: &State, id: NodeId, instance: &Instance, options: &Options) -> Option<Limit> {
    let node = cluster.node(id);
    let policy = &cluster.group(node.group).policy;
    if let Some(out) = out_of_policy(policy, instance, node.exclusive_storage) {
        return Some(Limit::Policy(out));
    }
    let limits = Limits::unless(options.ignore_soft_errors);
    let mode = state.with_primary(cluster, id, instance, 0, limits).err()?;
    let usage = state.usage(id);
    Some(primary(cluster, state, id, usage, instance, limits).filter(|limit| limit.mode() == mode).unwrap_or(Limit::Other(mode)))
}

fn primary(cluster: &Cluster, state: &State, id: NodeId, usage: &Usage, instance: &Instance, limits: Limits) -> Option<Limit> {
    let node = cluster.node(id);
    let soft = limits == Limits::All;
    let memory = if instance.uses_memory() { instance.memory } else { 0 };
    let vcpus = usage.vcpus + if instance.is_online() { instance.vcpus } else { 0 };
    let free = usage.unallocated(node);
    if !instance.forthcoming {
        if free - memory <= 0 {
            return Some(Limit::Memory { wanted: memory, free });
        }
        if instance.uses_local_disk()
            && let Some(limit) = disk(node, usage, instance, soft)
        {
            return Some(limit);
        }
        if soft && free - memory <= usage.reserved_memory && !usage.fails_n1 {
            return Some(Limit::Reserved { left: free - memory, reserved: usage.reserved_memory });
        }
        if soft && over_vcpu_ratio(vcpus, node) {
            return Some(Limit::Cpu { vcpus, limit: node.vcpu_limit() });
        }
        if soft && state.effect_of_adding(cluster, id, instance, 0).meets_tag {
            let met = instance.exclusion.iter().find(|tag| state.exclusion[id.at()].count(**tag) > 0);
            return met.map(|tag| Limit::Tag(cluster.words.name(*tag).to_owned()));
        }
    }
    if !soft {
        return None;
    }
    if usage.eventual_memory - instance.memory <= 0 {
        return Some(Limit::EventualMemory { wanted: instance.memory, free: usage.eventual_memory });
    }
    if instance.uses_local_disk()
        && let Some(limit) = eventual_disk(node, usage, instance)
    {
        return Some(limit);
    }
    let vcpus = usage.eventual_vcpus + if instance.is_online() { instance.vcpus } else { 0 };
    over_vcpu_ratio(vcpus, node).then(|| Limit::Cpu { vcpus, limit: node.vcpu_limit() })
}

/// What keeps the instance's secondary from a node, when its primary is on `primary`.
pub(super) fn of_secondary(cluster: &Cluster, state: &State, id: NodeId, instance: &Instance, primary: NodeId) -> Option<Limit> {
    let mode = state.with_secondary(cluster, id, instance, primary, Limits::All).err()?;
    let node = cluster.node(id);
    let usage = state.usage(id);
    let known = || {
        if !instance.forthcoming {
            if let Some(limit) = disk(node, usage, instance, true) {
                return Some(limit);
            }
            let free = usage.unallocated(node);
            if instance.reserves() >= free {
                return Some(Limit::SecondaryMemory { wanted: instance.reserves(), free });
            }
            let reserved = usage.reserved_memory.max(state.peers[id.at()].get(primary) + instance.reserves());
            if free <= reserved && !usage.fails_n1 {
                return Some(Limit::Reserved { left: free, reserved });
            }
        }
        eventual_disk(node, usage, instance).or_else(|| {
            let (wanted, free) = (instance.reserves(), usage.eventual_memory);
            (wanted >= free).then_some(Limit::EventualMemory { wanted, free })
        })
    };
    Some(known().filter(|limit| limit.mode() == mode).unwrap_or(Limit::Other(mode)))
}

fn disk(node: &Node, usage: &Usage, instance: &Instance, soft: bool) -> Option<Limit> {
    let left = usage.free_disk - instance.disk;
    if left <= 0 {
        return Some(Limit::Disk { wanted: instance.disk, free: usage.free_disk });
    }
    if soft && left < node.disk_floor() {
        return Some(Limit::DiskFloor { left, floor: node.disk_floor() });
    }
    if node.exclusive_storage {
        let wanted = instance.total_spindles();
        return wanted.is_none_or(|wanted| usage.free_spindles < wanted).then_some(Limit::Spindles { wanted, free: usage.free_spindles });
    }
    let used = usage.spindle_use + real(instance.spindle_use);
    (soft && used > node.spindle_limit()).then(|| Limit::SpindleUse { used, limit: node.spindle_limit() })
}

fn eventual_disk(node: &Node, usage: &Usage, instance: &Instance) -> Option<Limit> {
    let left = usage.eventual_disk - instance.disk;
    if left <= 0 {
        return Some(Limit::EventualDisk { wanted: instance.disk, free: usage.eventual_disk });
    }
    if left < node.disk_floor() {
        return Some(Limit::DiskFloor { left, floor: node.disk_floor() });
    }
    if node.exclusive_storage {
        let (wanted, free) = (instance.total_spindles(), usage.eventual_spindles);
        return wanted.is_none_or(|wanted| free < wanted).then_some(Limit::Spindles { wanted, free });
    }
    let used = usage.eventual_spindle_use + real(instance.spindle_use);
    (used > node.spindle_limit()).then(|| Limit::SpindleUse { used, limit: node.spindle_limit() })
}

impl Limit {
    /// The reference's word for it.
    #[must_use]
    pub fn mode(&self) -> FailMode {
        match self {
            Self::Memory { .. } | Self::Reserved { .. } | Self::SecondaryMemory { .. } | Self::EventualMemory { .. } => FailMode::Memory,
            Self::Disk { .. } | Self::DiskFloor { .. } | Self::EventualDisk { .. } | Self::SpindleUse { .. } => FailMode::Disk,
            Self::Spindles { .. } => FailMode::Spindles,
            Self::Cpu { .. } => FailMode::Cpu,
            Self::Tag(_) => FailMode::Tags,
            Self::Policy(OutOfPolicy::UnknownSpindles) => FailMode::Spindles,
            Self::Policy(_) => FailMode::Disk,
            Self::Other(mode) => *mode,
        }
    }
}

/// What of the instance is out of a policy: of its first range, as [`Policy::check`] has it.
pub(super) fn out_of_policy(policy: &Policy, instance: &Instance, exclusive: bool) -> Option<OutOfPolicy> {
    policy.check(instance, exclusive).err()?;
    if !policy.templates.contains(&instance.template) {
        return Some(OutOfPolicy::Template(instance.template));
    }
    policy.ranges.first().and_then(|range| out_of_range(range, instance, exclusive))
}

fn out_of_range(range: &MinMax, instance: &Instance, exclusive: bool) -> Option<OutOfPolicy> {
    let below = |own: i64, bound: i64| own < bound;
    let above = |own: i64, bound: i64| own > bound;
    out_of_bound(&range.min, instance, exclusive, below).or_else(|| out_of_bound(&range.max, instance, exclusive, above))
}

fn out_of_bound(bound: &Spec, instance: &Instance, exclusive: bool, out: impl Fn(i64, i64) -> bool) -> Option<OutOfPolicy> {
    let size = |what, value, bound| out(value, bound).then_some(OutOfPolicy::Size { what, value, bound });
    let spindles = if exclusive { instance.total_spindles() } else { Some(instance.spindle_use) };
    let count = i64::try_from(instance.disks.len()).unwrap_or(i64::MAX);
    let disks = || instance.disks.iter().find_map(|disk| size("MiB of a disk", disk.size, bound.disk));
    size("MiB of memory", instance.memory, bound.memory)
        .or_else(disks)
        .or_else(|| size("virtual CPUs", instance.vcpus, bound.cpus))
        .or_else(|| match spindles {
            None => Some(OutOfPolicy::UnknownSpindles),
            Some(spindles) => size("spindles", spindles, bound.spindles),
        })
        .or_else(|| (instance.template != DiskTemplate::Diskless).then(|| size("disks", count, bound.disks)).flatten())
}

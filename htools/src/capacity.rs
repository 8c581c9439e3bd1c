//! How many instances still fit into a cluster: of one size ([`standard`]), or of sizes that shrink whenever nothing fits any
//! more ([`tiered`]).
//!
//! Each new instance goes where [`allocate`](crate::allocate) puts it, so the answer is what would really be had, and not a
//! quotient. Nothing is changed: the answer has a cluster and a state of its own.

pub mod forecast;
mod room;
mod scout;
mod shrink;
mod tiers;
mod totals;

pub use tiers::tiered;
pub use totals::{Shares, Totals};

use gannet_core::param::DiskTemplate;

use crate::allocate::{Options, Refusal, Targets};
use crate::cluster::Cluster;
use crate::fail::FailCounts;
use crate::id::InstanceId;
use crate::instance::{Disk, Instance};
use crate::policy::Spec;
use crate::state::State;
use room::Room;

/// No cluster takes more new instances than this; those that take nothing would never end.
pub const MOST_INSTANCES: usize = 1_000_000;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The cluster as it is.
    pub cluster: &'a Cluster,
    /// Where its instances are.
    pub state: &'a State,
    /// Where new instances can be tried.
    pub targets: &'a Targets,
    /// What has to be heeded.
    pub options: &'a Options,
    /// So many at most. (Ganeti: a limit below zero stops no placement, but the tiers.)
    pub limit: Option<i64>,
}

/// The size of a new instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// In MiB.
    pub memory: i64,
    /// Its one disk, in MiB.
    pub disk: i64,
    /// Virtual CPUs.
    pub vcpus: i64,
    /// Spindles, where they are a resource.
    pub spindles: i64,
}

/// What became of the cluster.
#[derive(Debug, Clone)]
pub struct Filled {
    /// The cluster with the new instances, which are its last ones.
    pub cluster: Cluster,
    /// Where all instances are.
    pub state: State,
    /// How many instances were there before.
    pub first: usize,
    /// Why no more were placed: how the last attempt fared. `None`: nothing was attempted.
    pub failures: Option<FailCounts>,
}

impl From<&Spec> for Size {
    fn from(spec: &Spec) -> Self {
        Self { memory: spec.memory, disk: spec.disk, vcpus: spec.cpus, spindles: spec.spindles }
    }
}

impl Size {
    /// A running instance of this size.
    #[must_use]
    pub fn instance(&self, template: DiskTemplate, spindle_use: i64) -> Instance {
        let disk = Disk { size: self.disk, spindles: Some(self.spindles) };
        Instance { memory: self.memory, vcpus: self.vcpus, spindle_use, ..Instance::new("new", template, vec![disk]) }
    }

    /// The size of an instance.
    #[must_use]
    pub fn of(instance: &Instance) -> Self {
        let spindles = match instance.disks.as_slice() {
            [only] => only.spindles.unwrap_or(0),
            _ => 0,
        };
        Self { memory: instance.memory, disk: instance.disk, vcpus: instance.vcpus, spindles }
    }
}

impl Filled {
    /// How many were placed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.cluster.instances.len() - self.first
    }

    /// The new instances, in the order in which they were placed.
    pub fn placed(&self) -> impl Iterator<Item = InstanceId> + use<> {
        (self.first..self.cluster.instances.len()).map(InstanceId::new)
    }

    /// The sizes that were placed, in order, with how many of each.
    #[must_use]
    pub fn sizes(&self) -> Vec<(Size, usize)> {
        let all: Vec<Size> = self.placed().map(|id| Size::of(self.cluster.instance(id))).collect();
        all.chunk_by(|a, b| a == b).filter_map(|same| Some((*same.first()?, same.len()))).collect()
    }
}

/// Places instances like `instance` until no more fit.
///
/// # Errors
/// There is no node to try, or there is no end to it.
pub fn standard(question: &Question<'_>, instance: &Instance) -> Result<Filled, Refusal> {
    let mut room = Room::new(question);
    let failures = room.fill(instance, question.limit)?;
    Ok(room.filled(Some(failures)))
}

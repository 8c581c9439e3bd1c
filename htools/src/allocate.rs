//! Where a new instance should go.
//!
//! The instance is the last one of its cluster and not in the state yet ([`State::place`] puts it there). All functions judge
//! values; nothing is changed.

pub mod dedicated;
mod group;
mod pair;
mod secondary;
mod single;
mod solution;
mod target;

pub use group::{best_group, in_any_group, in_group, in_named_group};
pub use secondary::{for_existing as secondary_for, take_secondary};
pub(crate) use solution::first_of;
pub use solution::{Placement, Solution};
pub use target::{Targets, targets};

use crate::cluster::Cluster;
use crate::evacuable::{Loss, Scope, Watch, Which};
use crate::id::{GroupId, InstanceId, NodeId};
use crate::state::State;

/// What an allocation has to heed.
#[derive(Debug, Clone)]
pub struct Options {
    /// Soft limits of the primary node do not count.
    pub ignore_soft_errors: bool,
    /// Every node must be evacuable afterwards.
    pub capacity: bool,
    /// Only online nodes must be.
    pub accept_existing: bool,
    /// Nodes of these groups need not be.
    pub ignored_groups: Vec<GroupId>,
    /// Nor these nodes; sorted.
    pub excused: Vec<NodeId>,
    /// Instances that are bound to their node do not count there.
    pub mirrored_only: bool,
    /// Besides single nodes, these sets must be evacuable when they are lost together.
    pub losses: Vec<Loss>,
    /// Of these sets, by their positions and sorted, those that need not be.
    pub excused_losses: Vec<usize>,
    /// Only nodes of these names; `None`: all.
    pub restrict_to: Option<Vec<String>>,
    /// A refusal says what would help.
    pub explain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ignore_soft_errors: false,
            capacity: true,
            accept_existing: false,
            ignored_groups: Vec::new(),
            excused: Vec::new(),
            mirrored_only: false,
            losses: Vec::new(),
            excused_losses: Vec::new(),
            restrict_to: None,
            explain: false,
        }
    }
}

impl Options {
    /// Which nodes of `nodes` must be evacuable.
    #[must_use]
    pub fn scope(&self, nodes: Vec<NodeId>) -> Scope {
        let which = Which {
            online_only: self.accept_existing,
            ignored: self.ignored_groups.clone(),
            excused: self.excused.clone(),
            mirrored_only: self.mirrored_only,
            losses: self.losses.clone(),
            excused_losses: self.excused_losses.clone(),
        };
        Scope { nodes, which }
    }
}

/// Why nothing was even tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl Refusal {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Finds the best place among `targets`. Scores are those of the nodes of `scope`.
///
/// # Errors
/// There is no target.
pub fn allocate(
    cluster: &Cluster,
    state: &State,
    id: InstanceId,
    scope: &Scope,
    targets: &Targets,
    options: &Options,
) -> Result<Solution, Refusal> {
    let mut watch = options.capacity.then(|| Watch::new(cluster, state, scope, id));
    match targets {
        Targets::Single(nodes) if nodes.is_empty() => Err(Refusal::new("No online nodes")),
        Targets::Single(nodes) => Ok(single::allocate(cluster, state, id, &scope.nodes, nodes, options, watch.as_mut())),
        Targets::Pairs(pairs) if pairs.is_empty() => Err(Refusal::new("Not enough online nodes")),
        Targets::Pairs(pairs) => Ok(pair::allocate(cluster, state, cluster.instance(id), &scope.nodes, pairs, options, |p, s| {
            watch.as_mut().is_none_or(|watch| watch.allows(p, Some(s)))
        })),
    }
}

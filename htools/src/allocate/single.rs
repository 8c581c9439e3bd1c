//! On one node.

use super::solution::sort;
use super::{Options, Placement, Solution};
use crate::cluster::Cluster;
use crate::evacuable::Watch;
use crate::fail::FailMode;
use crate::id::{InstanceId, NodeId};
use crate::score::Board;
use crate::state::{Limits, State, Usage};

/// Tries each node. Scores are those of `scope`, summed anew for each node.
pub(super) fn allocate(
    cluster: &Cluster,
    state: &State,
    id: InstanceId,
    scope: &[NodeId],
    nodes: &[NodeId],
    options: &Options,
    mut watch: Option<&mut Watch<'_>>,
) -> Solution {
    let instance = cluster.instance(id);
    let shared = state.shared.get(id.at()).copied().unwrap_or(0);
    let mut board = Board::new(cluster, state, scope.to_vec());
    let mut solution = Solution::default();
    let mut found: Vec<(f64, (NodeId, Usage))> = Vec::new();
    for id in nodes {
        let node = cluster.node(*id);
        let tried = cluster.group(node.group).policy.check(instance, node.exclusive_storage);
        let tried = tried.and_then(|()| state.with_primary(cluster, *id, instance, shared, Limits::unless(options.ignore_soft_errors)));
        match tried {
            Err(mode) => solution.fail(mode, 1),
            Ok(usage) => found.push((board.score_if(cluster, state, instance, &[(*id, usage)], (None, *id)), (*id, usage))),
        }
    }
    sort(&mut found);
    let good = found.iter().position(|(_, (id, usage))| watch.as_mut().is_none_or(|watch| watch.allows((*id, usage), None)));
    let dropped = good.unwrap_or(found.len());
    solution.fail(FailMode::GlobalN1, dropped);
    solution.successes = u64::try_from(found.len() - dropped).unwrap_or(u64::MAX);
    solution.best = good.map(|at| Placement { primary: found[at].1, secondary: None, metric: found[at].0 });
    solution
}

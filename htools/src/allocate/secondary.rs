//! A secondary node for an instance that has none yet, before its disks become drbd.

use gannet_core::param::DiskTemplate;

use super::target::Pairs;
use super::{Options, Refusal, Solution, pair};
use crate::cluster::Cluster;
use crate::evacuable;
use crate::id::{InstanceId, NodeId};
use crate::instance::Instance;
use crate::state::{State, Step};

/// Finds a secondary node in the group of an instance.
///
/// Ganeti: offline nodes are tried as well (a known defect), and whether nodes stay evacuable is judged as if the instance kept
/// its template.
///
/// # Errors
/// It has a secondary node.
pub fn for_existing(cluster: &Cluster, state: &State, id: InstanceId, options: &Options) -> Result<Solution, Refusal> {
    if state.secondary[id.at()].is_some() {
        return Err(Refusal::new("Instance already has a secondary"));
    }
    let instance = cluster.instance(id);
    let p = state.primary[id.at()];
    let without = without(cluster, state, id, p);
    let future = Instance { template: DiskTemplate::Drbd, ..instance.clone() };
    let seconds: Vec<NodeId> = cluster.nodes_of(cluster.node(p).group).filter(|node| *node != p).collect();
    let targets = Pairs { primaries: vec![(p, 0)], seconds: vec![seconds] };
    let all: Vec<NodeId> = cluster.node_ids().collect();
    let scope = options.scope(all.clone());
    let allows = |primary: (NodeId, &crate::state::Usage), second: (NodeId, &crate::state::Usage)| {
        if !options.capacity {
            return true;
        }
        let mut after = without.clone();
        after.list(cluster, id, Step::AddPrimary(p));
        after.list(cluster, id, Step::AddSecondary { node: second.0, primary: p });
        after.usage[p.at()] = *primary.1;
        after.usage[second.0.at()] = *second.1;
        evacuable::all(cluster, &after, &scope)
    };
    Ok(pair::allocate(cluster, &without, &future, &all, &targets, options, allows))
}

/// The state without the instance on its primary node.
fn without(cluster: &Cluster, state: &State, id: InstanceId, p: NodeId) -> State {
    let mut without = state.clone();
    let effect = state.effect_of_removing(cluster, p, cluster.instance(id), state.shared[id.at()]);
    without.list(cluster, id, Step::DropPrimary(p));
    without.usage[p.at()] = state.usage(p).without_primary(cluster.node(p), cluster.instance(id), effect);
    without
}

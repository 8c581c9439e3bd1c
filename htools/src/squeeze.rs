//! Power saving: which nodes can be powered off with the rest still able to work, or which must be powered on.

use crate::balance::{self, Search};
use crate::cluster::Cluster;
use crate::id::NodeId;
use crate::instance::Instance;
use crate::job::Planned;
use crate::node::floor;
use crate::policy::Spec;
use crate::state::{Limits, State, real};
use crate::tag::prefix;
use gannet_core::param::DiskTemplate;

/// Some nodes are on other than before, and instances moved accordingly.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// With the nodes marked.
    pub cluster: Cluster,
    /// After the moves.
    pub state: State,
    /// The moves.
    pub plan: Vec<Planned>,
}

/// The room that every node should have: a number of standard instances, on shared storage so that only memory and CPUs count.
#[must_use]
pub fn spare(standard: &Spec, factor: f64) -> Instance {
    let times = |amount: i64| floor(factor * real(amount));
    let mut instance = Instance::new("spare", DiskTemplate::Ext, Vec::new());
    instance.memory = times(standard.memory);
    instance.vcpus = times(standard.cpus);
    instance.spindle_use = times(standard.spindles);
    instance.auto_balance = false;
    instance
}

/// Whether each node has room for `spare`. Offline nodes are asked too, as in the reference: one of which nothing is known always
/// makes this false.
#[must_use]
pub fn has_room(cluster: &Cluster, state: &State, spare: &Instance) -> bool {
    cluster.node_ids().all(|id| state.with_primary(cluster, id, spare, 0, Limits::All).is_ok())
}

/// Nodes that could be powered off, those with the most primaries first: online ones, not the master, without secondaries, and
/// only with instances whose disks are elsewhere.
#[must_use]
pub fn offline_candidates(cluster: &Cluster, state: &State) -> Vec<NodeId> {
    let suits = |id: &NodeId| {
        let node = cluster.node(*id);
        let external = || state.primaries[id.at()].iter().all(|id| !cluster.instance(*id).uses_local_disk());
        !node.offline && !node.master && state.secondaries[id.at()].is_empty() && external()
    };
    let mut found: Vec<NodeId> = cluster.node_ids().filter(suits).collect();
    found.sort_by_key(|id| std::cmp::Reverse(state.primaries[id.at()].len()));
    found
}

/// Nodes that could be powered on: offline ones with a standby tag.
#[must_use]
pub fn online_candidates(cluster: &Cluster) -> Vec<NodeId> {
    let tagged = |id: &NodeId| cluster.node(*id).tags.iter().any(|tag| tag.starts_with(prefix::STANDBY));
    cluster.node_ids().filter(|id| cluster.node(*id).offline && tagged(id)).collect()
}

/// The nodes among `candidates` that can be off at the same time; the last candidate is tried first.
#[must_use]
pub fn to_offline(cluster: &Cluster, state: &State, candidates: &[NodeId], spare: &Instance) -> Vec<NodeId> {
    let mut chosen: Vec<NodeId> = Vec::new();
    for candidate in candidates.iter().rev() {
        chosen.insert(0, *candidate);
        if !suffices(&marked(cluster, state, &chosen, true), spare) {
            chosen.remove(0);
        }
    }
    chosen
}

/// The shortest beginning of `candidates` that suffices when it is powered on; `None`: not even all of them do.
#[must_use]
pub fn to_online(cluster: &Cluster, state: &State, candidates: &[NodeId], spare: &Instance) -> Option<Vec<NodeId>> {
    let beginnings = (0..=candidates.len()).map(|count| &candidates[..count]);
    beginnings.into_iter().find(|nodes| suffices(&marked(cluster, state, nodes, false), spare)).map(<[NodeId]>::to_vec)
}

/// With `nodes` offline or online, and balanced as far as that goes.
#[must_use]
pub fn marked(cluster: &Cluster, state: &State, nodes: &[NodeId], offline: bool) -> Outcome {
    let (mut cluster, mut state) = (cluster.clone(), state.clone());
    nodes.iter().for_each(|id| cluster.nodes[id.at()].offline = offline);
    let options = balance::Options { min_gain: 0.0, min_gain_limit: 0.0, ..balance::Options::default() };
    let all = cluster.node_ids().collect();
    let mut search = Search::new(&cluster, &mut state, all, &options);
    let plan = std::iter::from_fn(|| search.step(f64::NEG_INFINITY)).collect();
    Outcome { cluster, state, plan }
}

/// Every instance is on a node that is online, and every node has room.
fn suffices(outcome: &Outcome, spare: &Instance) -> bool {
    let Outcome { cluster, state, .. } = outcome;
    state.primary.iter().all(|id| !cluster.node(*id).offline) && has_room(cluster, state, spare)
}

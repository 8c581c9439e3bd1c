//! Moves of one instance: judged on values first, then made.

mod trial;

pub use trial::Trial;

use crate::cluster::Cluster;
use crate::fail::FailMode;
use crate::id::{InstanceId, NodeId};
use crate::state::{State, Step, Undo};

/// What can be done with an instance. The target node is the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    /// Primary and secondary change places (`f`).
    Failover,
    /// To any node that reaches its disks (`fa:T`).
    FailoverToAny(NodeId),
    /// A new primary, the secondary stays (`f r:T f`).
    ReplacePrimary(NodeId),
    /// A new secondary (`r:T`).
    ReplaceSecondary(NodeId),
    /// The new node becomes primary, the old primary secondary (`r:T f`).
    ReplaceAndFailover(NodeId),
    /// The old secondary becomes primary, the new node secondary (`f r:T`).
    FailoverAndReplace(NodeId),
}

impl Move {
    /// Whether the instance's disks are copied to another node.
    #[must_use]
    pub fn copies(self) -> bool {
        !matches!(self, Self::Failover | Self::FailoverToAny(_))
    }

    /// What is copied, in GiB.
    #[must_use]
    pub fn copied_gib(self, instance: &crate::Instance) -> f64 {
        if self.copies() { crate::state::real(instance.disk) / 1024.0 } else { 0.0 }
    }
}

impl State {
    /// Makes a move that [`State::trial`] judged on this very state.
    pub fn apply(&mut self, cluster: &Cluster, id: InstanceId, chosen: Move, trial: &Trial) -> Undo {
        let undo = self.remember(id, trial.touched().iter().map(|(node, _)| *node));
        for step in self.steps(id, chosen) {
            self.list(cluster, id, step);
        }
        for (node, usage) in trial.touched() {
            self.usage[node.at()] = *usage;
        }
        self.primary[id.at()] = trial.primary;
        self.secondary[id.at()] = trial.secondary;
        self.shared[id.at()] = trial.shared;
        undo
    }

    /// Judges a move and makes it.
    ///
    /// # Errors
    /// The first limit that stands in the way; then nothing has changed.
    pub fn try_move(&mut self, cluster: &Cluster, id: InstanceId, chosen: Move, force: bool) -> Result<Undo, FailMode> {
        let trial = self.trial(cluster, id, chosen, force)?;
        Ok(self.apply(cluster, id, chosen, &trial))
    }

    /// The elementary changes of a move, in the order in which the reference makes them, which the order of its lists shows.
    fn steps(&self, id: InstanceId, chosen: Move) -> Vec<Step> {
        use Step::{AddPrimary, AddSecondary, DropPrimary, DropSecondary};
        let p = self.primary[id.at()];
        let leave = self.secondary[id.at()].map(|s| DropSecondary { node: s, primary: p });
        let s = self.secondary[id.at()].unwrap_or(p);
        let rest = match chosen {
            Move::FailoverToAny(t) => return vec![AddPrimary(t), DropPrimary(p)],
            Move::ReplaceSecondary(t) => {
                let steps = [Some(DropPrimary(p)), leave, Some(AddSecondary { node: t, primary: p }), Some(AddPrimary(p))];
                return steps.into_iter().flatten().collect();
            }
            Move::Failover => vec![AddPrimary(s), AddSecondary { node: p, primary: s }],
            Move::ReplacePrimary(t) => {
                vec![AddPrimary(s), DropPrimary(s), AddPrimary(t), AddSecondary { node: s, primary: t }]
            }
            Move::ReplaceAndFailover(t) => vec![AddPrimary(t), AddSecondary { node: p, primary: t }],
            Move::FailoverAndReplace(t) => vec![AddPrimary(s), AddSecondary { node: t, primary: s }],
        };
        [Some(DropPrimary(p)), leave].into_iter().flatten().chain(rest).collect()
    }
}

//! Moving instances off nodes, and to other groups, one after the other: each sees what became of those before.

mod all;
mod instance;
mod pairs;
mod request;

pub use request::{change_group, evacuate, relocate};

use crate::cluster::Cluster;
use crate::id::{GroupId, InstanceId, NodeId};
use crate::moves::Move;
use crate::state::State;

/// Which of its nodes an instance has to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The primary one (`primary-only`).
    Primary,
    /// The secondary one (`secondary-only`).
    Secondary,
    /// Both (`all`).
    All,
}

impl Mode {
    /// The mode of that name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "primary-only" => Some(Self::Primary),
            "secondary-only" => Some(Self::Secondary),
            "all" => Some(Self::All),
            _ => None,
        }
    }
}

/// An instance that was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// It.
    pub instance: InstanceId,
    /// The group that it is in now.
    pub group: GroupId,
    /// Its nodes now.
    pub nodes: Vec<NodeId>,
    /// How it came there.
    pub moves: Vec<Move>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Evacuation {
    /// Instances that were moved, in order.
    pub moved: Vec<Moved>,
    /// Instances that were not, with the reason.
    pub failed: Vec<(InstanceId, String)>,
    /// The cluster afterwards.
    pub state: State,
}

impl Evacuation {
    fn new(state: State) -> Self {
        Self { moved: Vec::new(), failed: Vec::new(), state }
    }

    /// Takes over what became of one instance.
    fn add(&mut self, cluster: &Cluster, id: InstanceId, result: Result<Vec<Move>, String>) {
        match result {
            Err(reason) => self.failed.push((id, reason)),
            Ok(moves) => {
                let nodes: Vec<NodeId> = self.state.nodes_of(cluster, id).collect();
                let group = cluster.node(self.state.primary[id.at()]).group;
                self.moved.push(Moved { instance: id, group, nodes, moves });
            }
        }
    }
}

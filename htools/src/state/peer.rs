//! The peer map of a node: for each primary node, the memory of those instances that would come here if it died.

use crate::id::NodeId;

/// Peers with their memory in MiB, the largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peers(Vec<(NodeId, i64)>);

impl Peers {
    /// Memory of the instances of `peer`; 0 when it has none here.
    #[must_use]
    pub fn get(&self, peer: NodeId) -> i64 {
        self.0.iter().find(|(other, _)| *other == peer).map_or(0, |(_, memory)| *memory)
    }

    /// The largest memory of one peer.
    #[must_use]
    pub fn max(&self) -> i64 {
        self.0.first().map_or(0, |(_, memory)| *memory)
    }

    /// The largest memory of one peer, `peer` not counted.
    #[must_use]
    pub fn max_without(&self, peer: NodeId) -> i64 {
        self.0.iter().find(|(other, _)| *other != peer).map_or(0, |(_, memory)| *memory)
    }

    /// Memory of all of them.
    #[must_use]
    pub fn sum(&self) -> i64 {
        self.0.iter().map(|(_, memory)| memory).sum()
    }

    /// Sets the memory of a peer; among equals, the newest comes first, as in the reference, which prints this order.
    pub fn set(&mut self, peer: NodeId, memory: i64) {
        self.remove(peer);
        let at = self.0.iter().position(|(_, other)| *other <= memory).unwrap_or(self.0.len());
        self.0.insert(at, (peer, memory));
    }

    /// Takes a peer out.
    pub fn remove(&mut self, peer: NodeId) {
        self.0.retain(|(other, _)| *other != peer);
    }

    /// The peers, the largest first.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, i64)> + '_ {
        self.0.iter().copied()
    }
}

//! Role and members, as the library's metrics have them.

use std::collections::BTreeSet;

use openraft::{RaftMetrics, ServerState};
use tokio::sync::watch;

use super::transfer::while_yielding;
use super::types::{NodeId, Peer, Raft};
use crate::status::{Member, Role, RoleKind};

/// The role alone: the library's metrics change with every entry.
pub(super) fn watch(raft: &Raft, mut yields: watch::Receiver<bool>) -> watch::Receiver<Role> {
    let mut metrics = raft.metrics();
    let (sender, receiver) = watch::channel(role(&metrics.borrow(), false));
    tokio::spawn(async move {
        loop {
            let more = tokio::select! {
                changed = metrics.changed() => changed.is_ok(),
                Ok(()) = yields.changed() => true,
            };
            if !more {
                break;
            }
            let now = role(&metrics.borrow_and_update(), *yields.borrow_and_update());
            sender.send_if_modified(|last| {
                let changed = *last != now;
                *last = now;
                changed
            });
        }
        // Raft is gone.
        sender.send_modify(|last| last.kind = RoleKind::Stopped);
    });
    receiver
}

fn role(metrics: &RaftMetrics<NodeId, Peer>, yields: bool) -> Role {
    let kind = match metrics.state {
        _ if metrics.running_state.is_err() => RoleKind::Stopped,
        ServerState::Leader => RoleKind::Leader,
        ServerState::Follower => RoleKind::Follower,
        ServerState::Candidate => RoleKind::Candidate,
        ServerState::Learner => RoleKind::Learner,
        ServerState::Shutdown => RoleKind::Stopped,
    };
    let (kind, leader) = if yields { while_yielding(kind, metrics.current_leader) } else { (kind, metrics.current_leader) };
    Role { id: metrics.id, kind, term: metrics.current_term, leader }
}

pub(super) fn members(metrics: &RaftMetrics<NodeId, Peer>) -> Vec<Member> {
    let membership = metrics.membership_config.membership();
    let voters: BTreeSet<NodeId> = membership.voter_ids().collect();
    let last = metrics.last_log_index.unwrap_or(0);
    let lag_and_term = |id: &NodeId| {
        let matched = *metrics.replication.as_ref()?.get(id)?;
        let (index, term) = matched.map_or((0, 0), |at| (at.index, at.leader_id.term));
        Some((last.saturating_sub(index), term))
    };
    let members = membership.nodes().map(|(id, peer)| Member {
        id: *id,
        name: peer.name.clone(),
        address: peer.address.clone(),
        voter: voters.contains(id),
        lag: lag_and_term(id).map(|(lag, _)| lag),
        term: lag_and_term(id).map(|(_, term)| term),
    });
    members.collect()
}

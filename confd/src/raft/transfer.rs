//! Leadership that moves on purpose. The library has no call for it, so: the leader's masterd stops, the leader falls silent,
//! and when the others' promise to it has run out, the member that is wanted asks for votes, before anybody else does.

use std::time::Duration;

use tokio::sync::watch;

use super::node::{ELECTION, Node};
use super::types::NodeId;
use crate::error::Error;
use crate::status::RoleKind;

/// From the moment in which the leader's masterd is told to stop until its confd falls silent.
const NOTICE: Duration = Duration::from_millis(100);
/// A leader that nobody has followed by then leads on.
const SILENT_LIMIT: Duration = Duration::from_secs(6);
/// Between two requests for votes.
const AGAIN: Duration = Duration::from_millis(200);
/// The whole transfer.
const LIMIT: Duration = Duration::from_secs(8);

impl Node {
    /// Makes this member the leader.
    ///
    /// # Errors
    /// It does not vote; the leader is not known; or no majority has followed it in time.
    pub(crate) async fn take_lead(&self) -> Result<(), Error> {
        let role = *self.role_now().borrow();
        if role.is_leader() {
            return Ok(());
        }
        let own = self.known_members().into_iter().find(|member| member.id == role.id);
        if !own.is_some_and(|member| member.voter) {
            return Err(Error::invalid("this node has a copy of the state and does not vote: it cannot take over by itself"));
        }
        if let Some(leader) = role.leader {
            // One that does not answer does not lead on either.
            if let Err(error) = self.ask_to_step_aside(leader).await {
                tracing::warn!(leader, %error, "the leader does not answer; the others decide");
            }
        }
        let mut roles = self.role_now();
        let ask = async {
            tokio::time::sleep(ELECTION.1.saturating_sub(NOTICE)).await;
            loop {
                if self.raft().trigger().elect().await.is_err() {
                    return;
                }
                tokio::time::sleep(AGAIN).await;
            }
        };
        let leads = tokio::time::timeout(LIMIT, async {
            tokio::select! {
                won = roles.wait_for(|role| role.is_leader()) => won.is_ok(),
                () = ask => false,
            }
        });
        match leads.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::unavailable("confd has stopped")),
            Err(_) => Err(Error::unavailable("no majority of the voting master candidates has followed this node")),
        }
    }

    /// Gives the lead up, unless nobody takes it.
    pub(crate) fn step_aside(&self) {
        if !self.role_now().borrow().is_leader() {
            return;
        }
        tracing::info!("another member was told to lead; this one falls silent");
        self.yields().send_replace(true);
        let node = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(NOTICE).await;
            node.raft().runtime_config().heartbeat(false);
            tokio::time::sleep(SILENT_LIMIT).await;
            node.raft().runtime_config().heartbeat(true);
            node.yields().send_replace(false);
        });
    }
}

/// The role that is shown while this member gives up the lead.
pub(super) fn while_yielding(kind: RoleKind, leader: Option<NodeId>) -> (RoleKind, Option<NodeId>) {
    match kind {
        RoleKind::Leader => (RoleKind::Follower, None),
        other => (other, leader),
    }
}

/// Says whether this member gives up the lead.
pub(super) fn channel() -> watch::Sender<bool> {
    watch::channel(false).0
}

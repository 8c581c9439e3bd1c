//! Elections that nobody wins.
//!
//! The library draws how long a member waits for an election once, at its start. Two members that have drawn nearly the same ask for votes at
//! the same moments, again and again, and each votes for itself. So a member without a leader asks once more at a moment drawn anew.

use std::time::Duration;

use rand::Rng;

use super::types::{NodeId, Raft};

/// A member that knows no leader for so long (random between the two) asks for votes out of turn.
const PAUSE_MS: std::ops::RangeInclusive<u64> = 500..=1500;

/// Runs until Raft ends.
pub(super) async fn unstick(id: NodeId, raft: Raft) {
    let mut metrics = raft.metrics();
    loop {
        if metrics.wait_for(|now| now.current_leader.is_none() || now.running_state.is_err()).await.is_err() {
            return;
        }
        let pause = Duration::from_millis(rand::rng().random_range(PAUSE_MS));
        let found = metrics.wait_for(|now| now.current_leader.is_some() || now.running_state.is_err());
        let alone = tokio::time::timeout(pause, found).await.is_err();
        let (votes, ended) = {
            let now = metrics.borrow();
            (now.membership_config.membership().voter_ids().any(|voter| voter == id), now.running_state.is_err())
        };
        if ended || (alone && votes && raft.trigger().elect().await.is_err()) {
            return;
        }
    }
}

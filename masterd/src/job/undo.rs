//! Takes the steps of an opcode back, in reverse order.

use std::collections::HashMap;
use std::time::Duration;

use gannet_core::config::ObjectKind;
use gannet_core::id::NodeUuid;
use serde_json::Value;
use tokio::time::Instant;

use super::OpContext;
use super::journal::{Action, StepRecord, StepState};
use crate::effect::AnyEffect;
use crate::node::NodeError;
use crate::store::{Change, Changes, CommitError, Precondition, Transaction};

/// How long an undo waits for a node that does not answer: longer than a daemon's restart, shorter than an operator's
/// patience.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries.
const RETRY: Duration = Duration::from_millis(500);

/// Takes back every step after the point of no return. Durable on its way: a new master goes on with it. What cannot be taken
/// back is written to the job's log, and `gnt-cluster verify` will find it.
///
/// # Errors
/// The text of why this master may not write any more.
pub(super) async fn take_back(context: &OpContext, reason: &str) -> Result<(), String> {
    let (fresh, undoable) = context.journal(|journal| {
        let fresh = journal.undoing.is_none();
        journal.undoing.get_or_insert_with(|| reason.to_owned());
        (fresh, journal.has_undoable())
    });
    if !undoable {
        return Ok(());
    }
    if fresh {
        persist(context, Transaction::default()).await?;
    }
    let (keep, count) = context.journal(|journal| (journal.keep, journal.steps.len()));
    for index in (keep..count).rev() {
        let (mut record, left) = context.journal(|journal| (journal.steps[index].clone(), left_behind(&journal.steps[index + 1..])));
        if let Action::Commit { inverse } = &mut record.action {
            expect(inverse, &left);
        }
        match take_back_one(context, &record).await {
            Ok(()) => {}
            Err(Trouble::Reported(text)) => context.log().warn(format!("{text}; `gnt-cluster verify` will name what is left")),
            Err(Trouble::Stopped(text)) => return Err(text),
        }
        context.journal(|journal| journal.steps[index].state = StepState::Undone);
    }
    Ok(())
}

/// What the objects are at after the steps that have been taken back; the last one was taken back first.
fn left_behind(later: &[StepRecord]) -> HashMap<(ObjectKind, String), Precondition> {
    let mut left = HashMap::new();
    for record in later.iter().rev().filter(|record| record.state == StepState::Undone) {
        let Action::Commit { inverse } = &record.action else { continue };
        for change in inverse {
            let key = (change.kind, change.id.clone());
            let before = left.get(&key).copied().unwrap_or(change.before);
            let after = match (&change.value, before) {
                (None, _) => Precondition::Absent,
                (Some(_), Precondition::Absent) => Precondition::Rev(1),
                (Some(_), Precondition::Rev(rev)) => Precondition::Rev(rev + 1),
            };
            left.insert(key, after);
        }
    }
    left
}

/// An object that has been put back once is not any more at the revision that the step before had left.
fn expect(inverse: &mut [Change], left: &HashMap<(ObjectKind, String), Precondition>) {
    for change in inverse {
        if let Some(now) = left.get(&(change.kind, change.id.clone())) {
            change.before = *now;
        }
    }
}

enum Trouble {
    Reported(String),
    Stopped(String),
}

async fn take_back_one(context: &OpContext, record: &StepRecord) -> Result<(), Trouble> {
    let reply = match &record.state {
        StepState::Undone | StepState::Done { changed: false, .. } => return Ok(()),
        StepState::Intended => None,
        StepState::Done { reply, .. } => Some(reply),
    };
    match &record.action {
        Action::Node { node, effect } => match patiently(context, node, effect, reply).await {
            Ok(()) => Ok(()),
            Err(error @ NodeError::Deposed { .. }) => Err(Trouble::Stopped(error.to_string())),
            Err(error) => Err(Trouble::Reported(format!("Could not take back «{}»: {error}", effect.describe()))),
        },
        Action::Commit { inverse } => restore(context, inverse).await,
        // Submitted jobs are jobs of their own.
        Action::Submit => Ok(()),
    }
}

/// Tries again while the node does not answer: its daemon may be restarting, or the machine booting.
async fn patiently(context: &OpContext, node: &NodeUuid, effect: &AnyEffect, reply: Option<&Value>) -> Result<(), NodeError> {
    let deadline = Instant::now() + PATIENCE;
    let mut told = false;
    loop {
        let outcome = match context.master.node(node) {
            Ok(handle) => {
                gannet_daemon::fault::point("before an undo");
                effect.undo(&handle, reply, &context.log()).await
            }
            Err(error) => Err(error),
        };
        match outcome {
            // Nobody will answer for a node that is marked offline.
            Err(error) if error.is_silence() && !matches!(error, NodeError::Offline { .. }) && Instant::now() < deadline => {
                if !told {
                    context.log().note(format!("Waiting up to {} s to take back «{}»: {error}", PATIENCE.as_secs(), effect.describe()));
                    told = true;
                }
                tokio::time::sleep(RETRY).await;
            }
            outcome => return outcome,
        }
    }
}

/// Puts configuration objects back.
async fn restore(context: &OpContext, inverse: &[Change]) -> Result<(), Trouble> {
    let changes = Changes(inverse.to_vec());
    match context.cell.persist(context.master.store(), context.transaction(&changes)).await {
        Ok(()) => Ok(()),
        // After a crash between this write and its record the objects are back already; their revisions have moved.
        Err(CommitError::Conflict(_)) if is_restored(context, inverse) => Ok(()),
        Err(CommitError::Conflict(text)) => Err(Trouble::Reported(format!("Could not put the configuration back: {text}"))),
        Err(CommitError::Unavailable(text) | CommitError::Deposed(text)) => Err(Trouble::Stopped(text)),
    }
}

fn is_restored(context: &OpContext, inverse: &[Change]) -> bool {
    let state = context.master.store().state();
    let without_stamps = |mut value: serde_json::Value| {
        if let Some(object) = value.as_object_mut() {
            object.remove("mtime");
            object.remove("serial_no");
            object.remove("ctime");
        }
        value
    };
    inverse.iter().all(|change| {
        let now = crate::store::current(&state, change.kind, &change.id).map(without_stamps);
        now == change.value.clone().map(without_stamps)
    })
}

async fn persist(context: &OpContext, transaction: Transaction) -> Result<(), String> {
    context.cell.persist(context.master.store(), transaction).await.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn commit(state: StepState, id: &str, value: Option<Value>, before: Precondition) -> StepRecord {
        let inverse = vec![Change { kind: ObjectKind::Instance, id: id.to_owned(), value, before }];
        StepRecord { action: Action::Commit { inverse }, state }
    }

    /// An instance was added (revision 1), changed (2), and changed again (3). It was put back twice, which made revisions 4 and
    /// 5, and still the first step could not be taken back, because it expected revision 1.
    #[test]
    fn an_object_that_was_written_three_times_is_put_back_three_times() {
        let done = StepState::Done { reply: Value::Null, changed: true };
        let steps = [
            commit(done.clone(), "i", None, Precondition::Rev(1)),
            commit(StepState::Undone, "i", Some(json!({"v": 1})), Precondition::Rev(2)),
            commit(StepState::Undone, "i", Some(json!({"v": 2})), Precondition::Rev(3)),
            commit(done, "other", Some(json!({})), Precondition::Rev(7)),
        ];
        let left = left_behind(&steps[1..]);
        let Action::Commit { mut inverse } = steps[0].action.clone() else { panic!("it is a commit") };
        expect(&mut inverse, &left);
        assert_eq!(inverse[0].before, Precondition::Rev(5));
        assert_eq!(left.len(), 1, "what is not taken back yet is as it was");
    }

    #[test]
    fn an_object_that_was_removed_is_there_again() {
        let steps = [commit(StepState::Undone, "i", Some(json!({})), Precondition::Absent)];
        assert_eq!(left_behind(&steps)[&(ObjectKind::Instance, "i".to_owned())], Precondition::Rev(1));
    }
}

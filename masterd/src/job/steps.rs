//! The hands of an opcode: every effect goes through here, and is in the journal before it happens.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use gannet_core::id::{JobId, NodeUuid};
use gannet_core::lock::Lock;
use gannet_core::opcode::OpCode;
use gannet_daemon::world::{Mistake, makes};
use serde_json::Value;
use tokio::time::Instant;

use super::journal::{Action, StepRecord, StepState};
use super::{JobLog, OpContext};
use crate::effect::{Done, NodeEffect};
use crate::lock::Grant;
use crate::node::NodeError;
use crate::refusal::Failure;
use crate::store::{Change, Changes, Precondition, Transaction};

/// How long a step waits for a node whose agent is not there: longer than a restart of the agent, shorter than the time in
/// which an operator begins to wonder.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two tries.
const RETRY: Duration = Duration::from_millis(250);

/// Carries out steps, in order. After a crash the journal answers those that are done.
pub struct Steps<'a> {
    context: &'a OpContext,
    grant: &'a mut Grant,
    /// Index of the next step.
    cursor: usize,
    /// Changes to be written together with the opcode's end.
    at_end: Changes,
    log: JobLog,
    /// Nodes that were waited for in vain: not twice.
    lost: Mutex<BTreeSet<NodeUuid>>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(context: &'a OpContext, grant: &'a mut Grant) -> Self {
        Self { context, grant, cursor: 0, at_end: Changes::none(), log: context.log(), lost: Mutex::default() }
    }

    /// The services of the master, for what is neither an effect nor a change: a console session.
    #[must_use]
    pub fn master(&self) -> &std::sync::Arc<crate::master::Master> {
        &self.context.master
    }

    /// The job's log.
    #[must_use]
    pub fn log(&self) -> &JobLog {
        &self.log
    }

    /// The number of this job, for the names of files and the like.
    #[must_use]
    pub fn job_id(&self) -> JobId {
        self.context.cell.id()
    }

    /// Does `effect` on `node`: intent first (durable), then the call.
    ///
    /// # Errors
    /// [`Failure::Node`] when the node could not, or did not answer; [`Failure::Stopped`] when this master may not write.
    pub async fn step<E: NodeEffect>(&mut self, node: &NodeUuid, effect: E) -> Result<E::Reply, Failure> {
        let mut results = self.parallel(vec![(node.clone(), effect)]).await?;
        // One result for one effect.
        results.pop().expect("parallel answers each effect").map_err(Failure::Node)
    }

    /// Does `effect` on `node` if it can be; a failure is written to the job's log as a warning. For clean-up that must not
    /// stop the job (a dead node, a file that is in use).
    ///
    /// # Errors
    /// Only when this master may not write.
    pub async fn try_step<E: NodeEffect>(&mut self, node: &NodeUuid, effect: E) -> Result<Option<E::Reply>, Failure> {
        let describe = effect.describe();
        let mut results = self.parallel(vec![(node.clone(), effect)]).await?;
        match results.pop().expect("parallel answers each effect") {
            Ok(reply) => Ok(Some(reply)),
            Err(error) => {
                self.log.warn(format!("Could not {describe}: {error}"));
                Ok(None)
            }
        }
    }

    /// Does several effects at once, each on its node. One durable write holds all their intents. A node whose agent is just
    /// being started again is waited for.
    ///
    /// # Errors
    /// Only when this master may not write, or the journal does not fit. What each node said is in the list, in order.
    pub async fn parallel<E: NodeEffect>(&mut self, effects: Vec<(NodeUuid, E)>) -> Result<Vec<Result<E::Reply, NodeError>>, Failure> {
        self.all(effects, E::REPEATS).await
    }

    /// As [`Self::parallel`], but waits for nobody: for nodes that are probably dead.
    ///
    /// # Errors
    /// As [`Self::parallel`].
    pub async fn parallel_now<E: NodeEffect>(&mut self, effects: Vec<(NodeUuid, E)>) -> Result<Vec<Result<E::Reply, NodeError>>, Failure> {
        self.all(effects, false).await
    }

    async fn all<E: NodeEffect>(
        &mut self,
        effects: Vec<(NodeUuid, E)>,
        patient: bool,
    ) -> Result<Vec<Result<E::Reply, NodeError>>, Failure> {
        let first = self.cursor;
        self.cursor += effects.len();
        if self.intend(first, &effects)? && !makes(Mistake::NoJournal) {
            self.persist(Transaction::default()).await?;
        }
        let calls = effects.iter().enumerate().map(|(offset, (node, effect))| self.one(first + offset, node, effect, patient));
        join_all(calls).await.into_iter().collect()
    }

    /// Changes the configuration, now. It is taken back if the job fails later.
    ///
    /// # Errors
    /// [`Failure::Conflict`] when an object was changed by somebody else; [`Failure::Stopped`].
    pub async fn commit(&mut self, changes: Changes) -> Result<(), Failure> {
        let index = self.cursor;
        self.cursor += 1;
        match self.recorded(index) {
            Some(StepRecord { action: Action::Commit { .. }, state: StepState::Done { .. } }) => return Ok(()),
            Some(_) => return Err(mismatch(index)),
            None => {}
        }
        let changes = self.after_own(changes);
        let inverse = self.inverse(&changes);
        let done = StepState::Done { reply: Value::Null, changed: true };
        self.context.journal(|journal| journal.steps.push(StepRecord { action: Action::Commit { inverse }, state: done }));
        match self.persist(self.context.transaction(&changes)).await {
            Ok(()) => Ok(()),
            Err(failure) => {
                self.context.journal(|journal| journal.steps.pop());
                Err(failure)
            }
        }
    }

    /// Changes the configuration together with the end of the opcode: one write for both.
    pub fn finish_with(&mut self, changes: Changes) {
        let changes = self.after_own(changes);
        self.at_end = std::mem::take(&mut self.at_end).and(changes);
    }

    /// From here on nothing is taken back: what follows is carried on after a crash, and what was done stays after a
    /// failure.
    ///
    /// # Errors
    /// [`Failure::Stopped`].
    pub async fn point_of_no_return(&mut self) -> Result<(), Failure> {
        let cursor = self.cursor;
        let already = self.context.journal(|journal| {
            let already = journal.keep >= cursor && cursor > 0;
            journal.keep = journal.keep.max(cursor);
            already
        });
        // With nothing done there is nothing to take back either.
        if already || cursor == 0 { Ok(()) } else { self.persist(Transaction::default()).await }
    }

    /// Submits jobs, once, also over a crash.
    ///
    /// # Errors
    /// When the queue does not take them.
    pub async fn submit(&mut self, jobs: Vec<Vec<OpCode>>) -> Result<Vec<JobId>, Failure> {
        let index = self.cursor;
        self.cursor += 1;
        match self.recorded(index) {
            Some(StepRecord { action: Action::Submit, state: StepState::Done { reply, .. } }) => {
                return serde_json::from_value(reply).map_err(|error| Failure::Journal(error.to_string()));
            }
            Some(_) => return Err(mismatch(index)),
            None => {}
        }
        let record = |ids: &[JobId]| {
            let reply = serde_json::json!(ids);
            self.context.journal(|journal| {
                journal.steps.push(StepRecord { action: Action::Submit, state: StepState::Done { reply, changed: true } })
            });
        };
        self.context
            .master
            .queue()
            .submit_from_job(&self.context.cell, jobs, record)
            .await
            .map_err(|error| Failure::other(error.to_string()))
    }

    /// Gives locks back before the end, as Ganeti does where others need not wait.
    pub fn release(&mut self, which: impl Fn(&Lock) -> bool) {
        self.grant.release(which);
    }

    /// Writes now what was to be written with the opcode's end.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub(super) async fn commit_the_rest(&mut self) -> Result<(), Failure> {
        let rest = std::mem::take(&mut self.at_end);
        if rest.is_empty() { Ok(()) } else { self.commit(rest).await }
    }

    pub(super) fn into_changes(self) -> Changes {
        self.at_end
    }

    /// Writes the intents that the journal does not have yet; true when there was one.
    fn intend<E: NodeEffect>(&self, first: usize, effects: &[(NodeUuid, E)]) -> Result<bool, Failure> {
        let mut fresh = false;
        for (offset, (node, effect)) in effects.iter().enumerate() {
            let action = Action::Node { node: node.clone(), effect: Box::new(effect.clone().into()) };
            match self.recorded(first + offset) {
                Some(record) if same(&record.action, &action) => {}
                Some(_) => return Err(mismatch(first + offset)),
                None => {
                    self.context.journal(|journal| journal.steps.push(StepRecord { action, state: StepState::Intended }));
                    fresh = true;
                }
            }
        }
        Ok(fresh)
    }

    async fn one<E: NodeEffect>(
        &self,
        index: usize,
        node: &NodeUuid,
        effect: &E,
        patient: bool,
    ) -> Result<Result<E::Reply, NodeError>, Failure> {
        if let Some(StepRecord { state: StepState::Done { reply, .. }, .. }) = self.recorded(index) {
            return serde_json::from_value(reply).map(Ok).map_err(|error| Failure::Journal(error.to_string()));
        }
        gannet_daemon::fault::point("before an effect");
        let outcome = if patient { self.patiently(node, effect).await } else { self.once(node, effect).await };
        gannet_daemon::fault::point("after an effect");
        match outcome {
            Ok(done) => {
                let (reply, changed) = match done {
                    Done::Changed(reply) => (reply, true),
                    Done::AlreadyThere(reply) => (reply, false),
                };
                let stored = serde_json::to_value(&reply).map_err(|error| Failure::Journal(error.to_string()))?;
                self.context.journal(|journal| journal.steps[index].state = StepState::Done { reply: stored, changed });
                Ok(Ok(reply))
            }
            Err(error @ NodeError::Deposed { .. }) => Err(Failure::Stopped(error.to_string())),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn once<E: NodeEffect>(&self, node: &NodeUuid, effect: &E) -> Result<Done<E::Reply>, NodeError> {
        let handle = self.context.master.node(node)?;
        let span = tracing::debug_span!("step", node = %handle.name(), effect = E::NAME);
        tracing::Instrument::instrument(effect.run(&handle, &self.log), span).await
    }

    /// Tries again while the node's agent is not there.
    async fn patiently<E: NodeEffect>(&self, node: &NodeUuid, effect: &E) -> Result<Done<E::Reply>, NodeError> {
        let deadline = Instant::now() + PATIENCE;
        let mut told = false;
        loop {
            let error = match self.once(node, effect).await {
                Err(error @ NodeError::Unreachable { .. }) if !self.lost().contains(node) => error,
                outcome => return outcome,
            };
            if Instant::now() >= deadline {
                self.lost().insert(node.clone());
                return Err(error);
            }
            if !told {
                self.log.note(format!("Waiting up to {} s to {}: {error}", PATIENCE.as_secs(), effect.describe()));
                told = true;
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    fn lost(&self) -> std::sync::MutexGuard<'_, BTreeSet<NodeUuid>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recorded(&self, index: usize) -> Option<StepRecord> {
        self.context.journal(|journal| journal.steps.get(index).cloned())
    }

    /// An object that this job has written already is at the revision that this job gave it.
    fn after_own(&self, mut changes: Changes) -> Changes {
        let own: Vec<Change> = self.context.journal(|journal| {
            let commits = journal.steps.iter().filter_map(|step| match (&step.action, &step.state) {
                (Action::Commit { inverse }, StepState::Done { .. }) => Some(inverse.clone()),
                _ => None,
            });
            commits.flatten().collect()
        });
        for change in &mut changes.0 {
            if let Some(last) = own.iter().rev().find(|own| own.kind == change.kind && own.id == change.id) {
                // The inverse of a write expects what the write left behind.
                change.before = last.before;
            }
        }
        changes
    }

    /// What puts things back: the objects as they are now, expected to be as `changes` leaves them.
    fn inverse(&self, changes: &Changes) -> Vec<Change> {
        let state = self.context.master.store().state();
        let invert = |change: &Change| {
            let (value, after) = match change.before {
                Precondition::Absent => (None, Precondition::Rev(1)),
                Precondition::Rev(rev) => {
                    let after = if change.value.is_some() { Precondition::Rev(rev + 1) } else { Precondition::Absent };
                    (crate::store::current(&state, change.kind, &change.id), after)
                }
            };
            Change { kind: change.kind, id: change.id.clone(), value, before: after }
        };
        changes.0.iter().rev().map(invert).collect()
    }

    async fn persist(&self, transaction: Transaction) -> Result<(), Failure> {
        self.context.cell.persist(self.context.master.store(), transaction).await.map_err(Failure::from)
    }
}

/// Whether two actions are the same step. Compared as JSON, in which secrets (never stored) do not appear.
fn same(recorded: &Action, wanted: &Action) -> bool {
    serde_json::to_value(recorded).ok() == serde_json::to_value(wanted).ok()
}

fn mismatch(index: usize) -> Failure {
    Failure::Journal(format!("step {index} is not the one that the journal has: the job was begun by another version of Gannet"))
}

//! One opcode through its phases: `Declared` —acquire→ `Locked` —check→ `Checked` —execute→ result.
//!
//! Each phase is a value that the next one consumes, so that a check that has hands, or an execution without locks, does not
//! compile. A new master re-enters at `Checked`: stored plan, locks taken anew.

use std::sync::Arc;

use gannet_core::error::WireError;
use gannet_core::lock::{Lock, LockSet, Mode};
use serde_json::{Value, json};

use super::journal::{Journal, StepRecord};
use super::{JobCell, JobLog, Steps, undo};
use crate::held::Held;
use crate::lock::{Claim, Grant};
use crate::master::Master;
use crate::refusal::Failure;
use crate::store::{Change, Changes, Transaction, stamp};
use crate::unit::{AfterCrash, LogicalUnit};

/// How often locks may be computed anew before the opcode is refused: the configuration moves faster than it can look.
const MAX_LOCK_ROUNDS: usize = 20;

/// One opcode of one job.
#[derive(Clone)]
pub struct OpContext {
    /// The services of this master.
    pub master: Arc<Master>,
    /// The job.
    pub cell: Arc<JobCell>,
    /// Position of the opcode in it.
    pub op: usize,
}

/// How an opcode did not succeed.
#[derive(Debug)]
pub enum OpError {
    /// Refused, or failed and taken back.
    Failed(WireError),
    /// Stopped on request while it waited.
    Canceled,
    /// This master may not write any more; the job stays as it is for the next one.
    Stopped(String),
}

/// What a success leaves to be written with the opcode's end.
pub struct Finished {
    /// The opcode's result.
    pub result: Value,
    /// Changes for the same write.
    pub changes: Changes,
    /// Held until that write is done.
    pub grant: Option<Grant>,
}

impl OpContext {
    /// The job's log, for this opcode.
    #[must_use]
    pub fn log(&self) -> JobLog {
        JobLog::new(self.cell.clone(), self.op, self.master.clock().clone())
    }

    /// Looks at or changes the journal. It is there from the start of the execution on.
    pub(super) fn journal<T>(&self, change: impl FnOnce(&mut Journal) -> T) -> T {
        self.cell.update_quietly(|row| change(row.journal.as_mut().expect("the journal exists while an opcode executes")))
    }

    /// A transaction of `changes`, with their stamps set.
    pub(super) fn transaction(&self, changes: &Changes) -> Transaction {
        let now = self.master.clock().now();
        let rows = changes.0.iter().map(|change| {
            let Change { kind, id, value, before } = change.clone();
            let is_new = before == crate::store::Precondition::Absent;
            let json = value.map(|mut value| {
                stamp(&mut value, is_new, now);
                value.to_string()
            });
            (kind, id, json, Some(before.into()))
        });
        Transaction { config: rows.collect(), ..Transaction::default() }
    }

    fn claim(&self) -> Claim {
        Claim { priority: self.cell.read(|row| row.job.ops.get(self.op).map_or(0, |op| op.priority)), job: self.cell.id(), op: self.op }
    }

    async fn acquire(&self, set: LockSet) -> Result<Grant, OpError> {
        tokio::select! {
            biased;
            () = self.cell.cancel_requested() => Err(OpError::Canceled),
            grant = self.master.locks().acquire(self.claim(), set) => Ok(grant),
        }
    }
}

struct Declared<'a, U>(&'a OpContext, &'a U);

struct Locked<'a, U> {
    context: &'a OpContext,
    unit: &'a U,
    grant: Grant,
}

struct Checked<'a, U: LogicalUnit> {
    context: &'a OpContext,
    grant: Grant,
    plan: U::Plan,
    /// A new master goes on; hooks of the pre phase have run.
    resumed: bool,
}

/// Runs `unit`, or goes on with it where the journal of another master ends.
///
/// # Errors
/// [`OpError`].
pub async fn drive<U: LogicalUnit>(context: &OpContext, unit: &U) -> Result<Finished, OpError> {
    let left = context.cell.read(|row| row.journal.clone().filter(|journal| journal.op == context.op));
    if let Some(journal) = left {
        return carry_on::<U>(context, journal).await;
    }
    let locked = Declared(context, unit).acquire().await?;
    let dry_run = context.cell.read(|row| row.job.ops[context.op].input.common.dry_run == Some(true));
    let _busy = context.master.queue().begin().await;
    let checked = locked.check().await?;
    if dry_run {
        return Ok(Finished { result: U::dry_run_result(&checked.plan), changes: Changes::none(), grant: None });
    }
    checked.execute().await
}

impl<'a, U: LogicalUnit> Declared<'a, U> {
    async fn acquire(self) -> Result<Locked<'a, U>, OpError> {
        let Self(context, unit) = self;
        let refuse = |refusal: crate::refusal::Refusal| OpError::Failed(refusal.into());
        let mut wanted = unit.locks(&context.master.store().state().config).map_err(refuse)?;
        for _ in 0..MAX_LOCK_ROUNDS {
            let grant = context.acquire(wanted.clone()).await?;
            let again = unit.locks(&context.master.store().state().config).map_err(refuse)?;
            if again == wanted {
                return Ok(Locked { context, unit, grant });
            }
            drop(grant);
            wanted = again;
        }
        let text = "the configuration changes faster than the locks for it can be taken; try again";
        Err(OpError::Failed(WireError::prereq(text, gannet_core::error::ErrorCode::TempNoResources)))
    }
}

impl<'a, U: LogicalUnit> Locked<'a, U> {
    async fn check(self) -> Result<Checked<'a, U>, OpError> {
        let Self { context, unit, grant } = self;
        let now = context.master.clock().now();
        if !context.cell.update(|row| row.begin(context.op, now)) {
            return Err(OpError::Canceled);
        }
        let held = Held::new(context, &grant);
        let plan = unit.check(&held).await.map_err(|refusal| OpError::Failed(refusal.into()))?;
        Ok(Checked { context, grant, plan, resumed: false })
    }
}

impl<U: LogicalUnit> Checked<'_, U> {
    async fn execute(self) -> Result<Finished, OpError> {
        let Self { context, mut grant, plan, resumed } = self;
        if !resumed {
            let stored = serde_json::to_value(&plan)
                .map_err(|error| OpError::Failed(WireError::exec(format!("the plan cannot be stored: {error}"))))?;
            let locks: Vec<(Lock, Mode)> = grant.locks().iter().map(|(lock, mode)| (lock.clone(), *mode)).collect();
            let journal = Journal { op: context.op, plan: stored, locks, steps: Vec::new(), keep: 0, undoing: None };
            context.cell.update_quietly(|row| row.journal = Some(journal));
        }
        let hooks = U::hooks(&plan);
        if let Some(hooks) = hooks.as_ref().filter(|_| !resumed)
            && let Err(failure) = crate::hooks::run_pre(context, hooks).await
        {
            return Err(give_up(context, &failure).await);
        }
        let mut steps = Steps::new(context, &mut grant);
        let outcome = U::execute(&plan, &mut steps).await;
        match outcome {
            Ok(output) => {
                let tells = crate::hooks::tells_of_updates(context).await;
                // Scripts that run after the operation find the configuration as it is then.
                if (hooks.is_some() || tells)
                    && let Err(failure) = steps.commit_the_rest().await
                {
                    return Err(give_up(context, &failure).await);
                }
                let changes = steps.into_changes();
                if let Some(hooks) = &hooks {
                    crate::hooks::run_post(context, hooks).await;
                }
                if tells && context.journal(|journal| journal.has_commits()) {
                    crate::hooks::run_config_update(context, hooks.as_ref()).await;
                }
                let result = serde_json::to_value(output).unwrap_or(Value::Null);
                Ok(Finished { result, changes, grant: Some(grant) })
            }
            Err(failure) => Err(give_up(context, &failure).await),
        }
    }
}

/// After a failure: takes back what may be taken back.
async fn give_up(context: &OpContext, failure: &Failure) -> OpError {
    if let Failure::Stopped(text) = failure {
        return OpError::Stopped(text.clone());
    }
    match undo::take_back(context, &failure.to_string()).await {
        Ok(()) => OpError::Failed(WireError::from(failure)),
        Err(text) => OpError::Stopped(text),
    }
}

/// What a new master does with a journal that it finds.
async fn carry_on<U: LogicalUnit>(context: &OpContext, journal: Journal) -> Result<Finished, OpError> {
    let set = journal.locks.iter().fold(LockSet::none(), |set, (lock, mode)| match mode {
        Mode::Shared => set.shared(lock.clone()),
        Mode::Exclusive => set.exclusive(lock.clone()),
    });
    // Not by `OpContext::acquire`: a job with effects cannot be canceled any more.
    let grant = context.master.locks().acquire(context.claim(), set).await;
    let _busy = context.master.queue().begin().await;
    let done = journal.steps.iter().filter(|step| is_done(step)).count();
    let undo = journal.undoing.is_some() || (U::AFTER_CRASH == AfterCrash::Undo && journal.keep == 0);
    if undo {
        let reason = journal.undoing.clone().unwrap_or_else(|| "the master daemon stopped in the middle of this operation".to_owned());
        context.log().warn(format!("{reason}; taking back what had been done ({done} steps)"));
        return match undo::take_back(context, &reason).await {
            Ok(()) => Err(OpError::Failed(WireError::exec(format!(
                "{reason}; what had been done was taken back. The operation can be tried again."
            )))),
            Err(text) => Err(OpError::Stopped(text)),
        };
    }
    let plan: U::Plan = match serde_json::from_value(journal.plan) {
        Ok(plan) => plan,
        Err(error) => {
            let failure = Failure::Journal(format!("the stored plan cannot be read: {error}"));
            return Err(give_up(context, &failure).await);
        }
    };
    context.log().note(format!("The master daemon stopped in the middle of this operation; it goes on after {done} finished steps"));
    Checked::<U> { context, grant, plan, resumed: true }.execute().await
}

fn is_done(step: &StepRecord) -> bool {
    matches!(step.state, super::StepState::Done { .. })
}

/// The result of an opcode that submitted jobs: `{"jobs": [[true, id], …]}`.
#[must_use]
pub fn jobs_result(ids: &[gannet_core::id::JobId]) -> Value {
    json!({"jobs": ids.iter().map(|id| json!([true, id])).collect::<Vec<_>>()})
}

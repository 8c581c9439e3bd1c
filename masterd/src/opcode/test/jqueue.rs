//! `OP_TEST_JQUEUE`: tells a client at each stage of its life, waits for its confirmation, and writes to the job's log.
//!
//! At each stage the log gets an entry `[socket, stage, argument]`; the client connects to the socket, looks at what it wants to
//! look at, and confirms by hanging up.

use std::time::Duration;

use gannet_core::config::Config;
use gannet_core::job::LogType;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::TestJqueue;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::held::Held;
use crate::job::{Finished, JobLog, OpContext, OpError, Steps};
use crate::master::Master;
use crate::notice::{Notice, answered};
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

/// How long a client may take to connect (Ganeti's value).
const CONNECT: Duration = Duration::from_secs(20);
/// How long it may take to confirm (Ganeti's value).
const CONFIRM: Duration = Duration::from_secs(60);
/// What each text in the job's log begins with, so that the client knows it again.
const MESSAGE_PREFIX: &str = "TESTMSG=";

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    notify_exec: bool,
    log_messages: Vec<String>,
    fail: bool,
}

/// Tells that the locks are about to be asked for, then goes on with `rest`.
///
/// # Errors
/// As `rest`; or nobody confirmed.
pub(in crate::opcode) async fn announced(
    context: &OpContext,
    unit: &TestJqueue,
    rest: impl Future<Output = Result<Finished, OpError>>,
) -> Result<Finished, OpError> {
    if unit.notify_waitlock {
        let told = tell(&context.master, &context.log(), "expandnames", Value::Null).await;
        told.map_err(|text| OpError::Failed(gannet_core::error::WireError::exec(text)))?;
    }
    rest.await
}

impl LogicalUnit for TestJqueue {
    type Plan = Plan;
    /// True.
    type Output = bool;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster().exclusive(Lock::Node(config.cluster().master_node.clone())))
    }

    async fn check(&self, _held: &Held<'_>) -> Result<Plan, Refusal> {
        Ok(Plan { notify_exec: self.notify_exec, log_messages: self.log_messages.clone(), fail: self.fail })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<bool, Failure> {
        if plan.notify_exec {
            stage(job, "exec", Value::Null).await?;
        }
        if !plan.log_messages.is_empty() {
            stage(job, "startmsg", json!(plan.log_messages.len())).await?;
        }
        for (index, message) in plan.log_messages.iter().enumerate() {
            job.log().info(format!("{MESSAGE_PREFIX}{message}"));
            stage(job, "logmsg", json!(index + 1)).await?;
        }
        if plan.fail { Err(Failure::other("Opcode failure was requested")) } else { Ok(true) }
    }
}

async fn stage(job: &Steps<'_>, stage: &str, argument: Value) -> Result<(), Failure> {
    tell(job.master(), job.log(), stage, argument).await.map_err(Failure::other)
}

async fn tell(master: &Master, log: &JobLog, stage: &str, argument: Value) -> Result<(), String> {
    let notice = Notice::open(master.paths(), "jqueue-test")?;
    log.entry(LogType::JqueueTest, json!([notice.path(), stage, argument]));
    let mut client = notice.accept(CONNECT).await.ok_or_else(|| {
        format!("At the stage '{stage}' no client connected to {} within {} s", notice.path().display(), CONNECT.as_secs())
    })?;
    if answered(&mut client, CONFIRM).await {
        return Ok(());
    }
    Err(format!("At the stage '{stage}' the client did not confirm within {} s", CONFIRM.as_secs()))
}

//! `OP_TEST_DELAY`: waits, on the master and on nodes.

use std::time::Duration;

use gannet_core::config::Config;
use gannet_core::id::NodeUuid;
use gannet_core::job::LogType;
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::TestDelay;
use gannet_proto::node::TestDelayRequest;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;

use crate::effect;
use crate::held::Held;
use crate::job::Steps;
use crate::notice::{Notice, answered};
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    duration_s: f64,
    on_master: bool,
    nodes: Vec<NodeUuid>,
    repeat: u64,
    #[serde(default)]
    interruptible: bool,
}

/// The longest delay, in seconds: some thirty years, and within what every clock can count.
const MAX_DURATION_S: f64 = 1e9;

impl LogicalUnit for TestDelay {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        if self.no_locks {
            return Ok(LockSet::shared_cluster());
        }
        let master = self.on_master.then(|| config.cluster().master_node.clone());
        let nodes = find_all(config, &self.on_nodes)?.into_iter().chain(master);
        Ok(LockSet::shared_cluster().all(nodes.map(Lock::Node), Mode::Exclusive))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        if self.interruptible && (!self.on_master || !self.on_nodes.is_empty()) {
            return Err(Refusal::invalid("An interruptible delay is one of the master alone"));
        }
        if !(self.duration >= 0.0 && self.duration <= MAX_DURATION_S) {
            return Err(Refusal::invalid(format!("A delay is between 0 and {MAX_DURATION_S} seconds, not {}", self.duration)));
        }
        Ok(Plan {
            interruptible: self.interruptible,
            duration_s: self.duration,
            on_master: self.on_master,
            nodes: find_all(held.config(), &self.on_nodes)?,
            repeat: self.repeat,
        })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        // Ganeti: zero repetitions are one without a message.
        for round in 0..plan.repeat.max(1) {
            if plan.repeat > 0 {
                job.log().info(format!("Test delay iteration {round}/{}", plan.repeat - 1));
            }
            if plan.interruptible {
                until_interrupted(job, Duration::from_secs_f64(plan.duration_s)).await?;
            } else if plan.on_master && plan.duration_s > 0.0 {
                tokio::time::sleep(Duration::from_secs_f64(plan.duration_s)).await;
            }
            let effects = plan
                .nodes
                .iter()
                .map(|node| (node.clone(), effect::TestDelay(TestDelayRequest { duration_s: plan.duration_s })))
                .collect::<Vec<_>>();
            if !effects.is_empty() {
                for result in job.parallel(effects).await? {
                    result.map_err(Failure::Node)?;
                }
            }
        }
        Ok(())
    }
}

/// Waits until the time is over, or until somebody connects to the socket that the job's log names and says something or
/// hangs up.
async fn until_interrupted(job: &Steps<'_>, duration: Duration) -> Result<(), Failure> {
    let notice = Notice::open(job.master().paths(), "delay-test").map_err(Failure::other)?;
    job.log().entry(LogType::DelayTest, json!([notice.path()]));
    let began = Instant::now();
    if let Some(mut client) = notice.accept(duration).await
        && answered(&mut client, duration.saturating_sub(began.elapsed())).await
    {
        job.log().info("The delay was interrupted");
    }
    Ok(())
}

fn find_all(config: &Config, names: &[String]) -> Result<Vec<NodeUuid>, Refusal> {
    names.iter().map(|name| Ok(config.find_node(name)?.uuid.clone())).collect()
}

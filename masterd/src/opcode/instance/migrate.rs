//! `OP_INSTANCE_MIGRATE`: moves a running instance to another node without stopping it.
//!
//! The record follows what was found, never what was hoped for: after the transfer, whether it succeeded, failed or broke,
//! both sides are asked where the guest runs, and the configuration is set to that.

use std::sync::Arc;

use gannet_core::config::{Config, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::InstanceMigrate;
use gannet_core::param::MigrationMode;
use gannet_core::quantity::Mib;
use gannet_proto::node::{
    self as proto, InstanceShutdownRequest, InstanceStartRequest, InstanceState, MigrationPrepareRequest, MigrationRunRequest,
    MigrationSettleRequest,
};
use serde::{Deserialize, Serialize};

use super::moving::{self, Wish};
use crate::effect::{DiskAssemble, DiskShutdown, InstanceShutdown, InstanceStart, MigrationPrepare, MigrationRun, MigrationSettle};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, node_check, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// The longest that a transfer may take, in seconds. A guest that dirties memory faster than the link copies it would go on
/// for ever.
const TRANSFER_LIMIT_S: u32 = 3600;
/// How long both sides may need to end their halves, in seconds.
const SETTLE_LIMIT_S: u32 = 60;

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    instance: proto::Instance,
    source: NodeUuid,
    source_name: String,
    target: NodeUuid,
    target_name: String,
    live: bool,
    bandwidth_mib_s: u32,
    max_downtime_ms: u32,
    /// Only find out where the instance is.
    cleanup: bool,
    /// The instance on its new node.
    moved: Changes,
    hooks: Hooks,
    /// The guest does not run: only the record and the disks move (Ganeti: failover of a stopped instance).
    stopped: bool,
}

impl LogicalUnit for InstanceMigrate {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        moving::locks(config, &self.instance_name, self.target_node.as_deref())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let instance = held.instance(&self.instance_name)?;
        let wish = Wish {
            what: "migrations",
            target: self.target_node.as_deref(),
            iallocator: self.iallocator.as_deref(),
            ignore_ipolicy: self.ignore_ipolicy || self.cleanup,
        };
        let target = moving::target(held, instance, &wish).await?;
        let info = node_check::oper_info(held, instance, &instance.primary_node).await;
        let stopped = match &info {
            Ok(info) => !node_check::is_running(info.as_ref()),
            Err(_) if self.cleanup => false,
            Err(refusal) => return Err(refusal.clone()),
        };
        let always_failover = spec::be(config, instance).always_failover();
        if !self.cleanup && (stopped || always_failover) && !self.allow_failover {
            let text = if stopped {
                format!("Can't migrate, instance {} is not running on its primary node; please use failover", instance.name)
            } else {
                format!(
                    "Instance {} has the parameter always_failover set; please use failover, or allow it with --allow-failover",
                    instance.name
                )
            };
            return Err(Refusal::state(text));
        }
        if always_failover && !stopped && !self.cleanup {
            return Err(Refusal::state(format!(
                "Instance {} must fail over (always_failover); please use `gnt-instance failover {}`",
                instance.name, instance.name
            )));
        }
        if !stopped && !self.cleanup {
            let needed = info.ok().flatten().map_or(spec::be(config, instance).maxmem(), |info| Mib(info.memory_mib));
            node_check::free_memory(held, &target.uuid, &instance.hypervisor, &format!("migrating instance {}", instance.name), needed)
                .await?;
        }
        node_check::bridges(held, instance, &target.uuid).await?;
        let hv = spec::hv(config, instance);
        let number = |name: &str| hv.0.get(name).and_then(serde_json::Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        let live =
            self.mode.map_or_else(|| self.live.unwrap_or(hv.migration_mode() == MigrationMode::Live), |mode| mode == MigrationMode::Live);
        let mut moved = instance.clone();
        Arc::make_mut(&mut moved).primary_node = target.uuid.clone();
        let mut extra = moving::old_and_new(config, instance, target);
        extra.push(("MIGRATE_LIVE", hook_env::flag(live)));
        extra.push(("MIGRATE_CLEANUP", hook_env::flag(self.cleanup)));
        extra.push(("ALLOW_RUNTIME_CHANGES", hook_env::flag(self.allow_runtime_changes)));
        let mut hooks = hook_env::instance_hooks("instance-migrate", config, instance, &extra);
        hooks.pre_nodes.insert(target.uuid.clone());
        hooks.post_nodes.insert(target.uuid.clone());
        Ok(Plan {
            instance: spec::instance(config, instance),
            source: instance.primary_node.clone(),
            source_name: spec::node_name(config, &instance.primary_node),
            target: target.uuid.clone(),
            target_name: target.name.to_string(),
            live,
            bandwidth_mib_s: number("migration_bandwidth"),
            max_downtime_ms: number("migration_downtime"),
            cleanup: self.cleanup,
            moved: Changes::none().update(held.state(), &Object::Instance(moved)),
            hooks,
            stopped,
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        if plan.stopped && !plan.cleanup {
            job.log().info(format!("Instance {} is not running; only its primary node changes", plan.instance.name));
            return finish_on_target(plan, job).await;
        }
        if plan.cleanup {
            job.log().info("* checking where the instance actually runs (if this hangs, the hypervisor might be in a bad state)");
            return settle(plan, job, None).await;
        }
        job.log().info(format!("Migrating instance {}", plan.instance.name));
        job.log().info(format!("* preparing {} to accept instance", plan.target_name));
        assemble(plan, job, &plan.target.clone()).await?;
        let prepare =
            MigrationPrepareRequest { instance: Some(plan.instance.clone()), source_node: plan.source_name.clone(), copy_storage: false };
        let ticket = job.step(&plan.target, MigrationPrepare(prepare)).await?;
        job.log().info(format!("* migrating instance to {}", plan.target_name));
        job.log().info("* starting memory transfer");
        let run = MigrationRunRequest {
            instance: Some(plan.instance.clone()),
            target: Some(ticket),
            target_node: plan.target_name.clone(),
            live: plan.live,
            copy_storage: false,
            bandwidth_mib_s: plan.bandwidth_mib_s,
            max_downtime_ms: plan.max_downtime_ms,
            timeout_s: TRANSFER_LIMIT_S,
        };
        let mut outcome = job.parallel(vec![(plan.source.clone(), MigrationRun(run))]).await?;
        // One effect, one outcome.
        let trouble = match outcome.pop() {
            Some(Ok(last)) if last.error.is_empty() => None,
            Some(Ok(last)) => Some(last.error),
            Some(Err(error)) => Some(error.to_string()),
            None => Some("no answer".to_owned()),
        };
        if trouble.is_none() {
            job.log().info("* memory transfer complete");
        }
        settle(plan, job, trouble).await
    }
}

/// Asks both sides where the guest runs, and makes the record say so.
async fn settle(plan: &Plan, job: &mut Steps<'_>, trouble: Option<String>) -> Result<(), Failure> {
    let instance = proto::InstanceRef {
        name: plan.instance.name.clone(),
        uuid: plan.instance.uuid.clone(),
        hypervisor: plan.instance.hypervisor.clone(),
    };
    let ask = |drop_incoming: bool| {
        MigrationSettle(MigrationSettleRequest { instance: Some(instance.clone()), drop_incoming, timeout_s: SETTLE_LIMIT_S })
    };
    let mut answers = job.parallel(vec![(plan.source.clone(), ask(false)), (plan.target.clone(), ask(true))]).await?;
    let (target, source) = (answers.pop(), answers.pop());
    let state = |answer: Option<Result<proto::MigrationSettleReply, crate::node::NodeError>>| {
        answer.and_then(Result::ok).map(|reply| reply.state())
    };
    let where_it_is = found(state(source), state(target));
    let name = plan.instance.name.clone();
    match where_it_is {
        Found::Both => Err(Failure::other(format!(
            "Instance {name} is running on both nodes, {} and {}, or the hypervisor is confused; you will have to stop it on one of them and restart this operation",
            plan.source_name, plan.target_name
        ))),
        Found::Target { stale_source } => {
            if let Some(text) = trouble {
                job.log()
                    .warn(format!("the transfer reported «{text}», but the instance runs on {}; its record follows", plan.target_name));
            }
            if stale_source {
                job.log().info(format!("* removing the paused half that is left on {}", plan.source_name));
                job.step(&plan.source, InstanceShutdown(InstanceShutdownRequest { instance: Some(instance), timeout_s: 0 })).await?;
            }
            finish_on_target(plan, job).await
        }
        Found::Source { paused } => {
            if paused {
                job.log().info(format!("* resuming the instance on {}", plan.source_name));
                // A start of a paused guest lets it go on where it stood.
                job.step(&plan.source, InstanceStart(InstanceStartRequest { instance: Some(plan.instance.clone()), paused: false }))
                    .await?;
                job.point_of_no_return().await?;
            }
            match trouble {
                None if plan.cleanup => {
                    job.log().info(format!("* instance confirmed to be running on its primary node ({})", plan.source_name));
                    deactivate(plan, job, &plan.target.clone()).await
                }
                trouble => Err(Failure::other(format!(
                    "Could not migrate instance {name}: {}; it runs on {} as before",
                    trouble.unwrap_or_else(|| "it did not move".to_owned()),
                    plan.source_name
                ))),
            }
        }
        Found::Nowhere => Err(Failure::other(format!(
            "Instance {name} is not running on any node. Its record stays on {}; start it with `gnt-instance startup {name}`",
            plan.source_name
        ))),
        Found::Unknown => Err(Failure::other(format!(
            "Could not find out where instance {name} runs{}; when both nodes answer again, run `gnt-instance migrate --cleanup {name}`",
            trouble.map(|text| format!(" after «{text}»")).unwrap_or_default()
        ))),
    }
}

/// Where the guest is after a transfer, from what both sides say.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// On the target; with `stale_source`, a paused half is left on the source.
    Target { stale_source: bool },
    /// On the source, perhaps standing still.
    Source { paused: bool },
    /// It runs on both: nobody may guess which one is right.
    Both,
    /// On neither.
    Nowhere,
    /// A side does not answer, and the other does not settle it.
    Unknown,
}

/// `None`: that side does not answer. A guest that runs on the target has left the source: what may still stand there,
/// paused, has handed its memory over.
fn found(source: Option<InstanceState>, target: Option<InstanceState>) -> Found {
    use InstanceState::{Paused, Running, ShuttingDown};
    let runs = |state: Option<InstanceState>| matches!(state, Some(Running | ShuttingDown));
    match (source, target) {
        (source, target) if runs(source) && runs(target) => Found::Both,
        (source, target) if runs(target) => match source {
            Some(source) => Found::Target { stale_source: source == Paused },
            // The source may hold a paused half at most: QEMU lets the target go on only after it has stopped.
            None => Found::Target { stale_source: false },
        },
        (source, _) if runs(source) => Found::Source { paused: false },
        (Some(Paused), Some(Paused)) | (None, _) | (_, None) => Found::Unknown,
        (Some(Paused), Some(_)) => Found::Source { paused: true },
        // Paused before the migration, and arrived so.
        (Some(_), Some(Paused)) => Found::Target { stale_source: false },
        (Some(_), Some(_)) => Found::Nowhere,
    }
}

async fn finish_on_target(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
    job.point_of_no_return().await?;
    deactivate(plan, job, &plan.source.clone()).await?;
    job.log().info("* done");
    job.finish_with(plan.moved.clone());
    Ok(())
}

async fn assemble(plan: &Plan, job: &mut Steps<'_>, node: &NodeUuid) -> Result<(), Failure> {
    let all = plan.instance.disks.iter().map(|disk| {
        let request = proto::DiskAssembleRequest { disk: Some(disk.clone()), instance_name: plan.instance.name.clone(), as_primary: true };
        (node.clone(), DiskAssemble(request))
    });
    for outcome in job.parallel(all.collect()).await? {
        outcome.map_err(Failure::Node)?;
    }
    Ok(())
}

async fn deactivate(plan: &Plan, job: &mut Steps<'_>, node: &NodeUuid) -> Result<(), Failure> {
    for disk in &plan.instance.disks {
        job.try_step(node, DiskShutdown(disk.clone())).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use InstanceState::{Incoming, Paused, Running, Stopped};

    #[track_caller]
    fn check(source: Option<InstanceState>, target: Option<InstanceState>, expected: Found) {
        assert_eq!(found(source, target), expected, "source {source:?}, target {target:?}");
    }

    #[test]
    fn the_record_follows_what_was_found() {
        check(Some(Stopped), Some(Running), Found::Target { stale_source: false });
        check(Some(Paused), Some(Running), Found::Target { stale_source: true });
        check(None, Some(Running), Found::Target { stale_source: false });
        check(Some(Running), Some(Stopped), Found::Source { paused: false });
        check(Some(Running), Some(Incoming), Found::Source { paused: false });
        check(Some(Running), None, Found::Source { paused: false });
        check(Some(Paused), Some(Stopped), Found::Source { paused: true });
        check(Some(Running), Some(Running), Found::Both);
        check(Some(Stopped), Some(Stopped), Found::Nowhere);
        check(None, Some(Stopped), Found::Unknown);
        check(Some(Paused), None, Found::Unknown);
        check(Some(Stopped), Some(Paused), Found::Target { stale_source: false });
    }
}

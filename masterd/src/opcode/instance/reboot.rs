//! `OP_INSTANCE_REBOOT`: restarts an instance: the guest by itself (soft), its process (hard), or with its disks (full).

use gannet_core::config::{AdminState, AdminStateSource, Config};
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::{InstanceReboot, RebootType};
use gannet_proto::node::{DiskAssembleRequest, InstanceRebootRequest, InstanceShutdownRequest, InstanceStartRequest};
use serde::{Deserialize, Serialize};

use super::subject;
use crate::effect::{self, InstanceShutdown, InstanceStart};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, node_check, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    name: String,
    primary: NodeUuid,
    how: How,
    marked: Changes,
    hooks: Hooks,
}

/// A guest that runs can be told to restart; else it is stopped, if it runs, and started.
#[derive(Debug, Serialize, Deserialize)]
enum How {
    InPlace(InstanceRebootRequest),
    Anew { stop: Option<InstanceShutdownRequest>, disks: Vec<DiskAssembleRequest>, start: InstanceStartRequest },
}

impl LogicalUnit for InstanceReboot {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        subject::lock(config, &self.instance_name, self.instance_uuid.as_deref())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        node_check::instance_state(held, instance, &[AdminState::Up, AdminState::Down], None).await?;
        let primary = held.node(&instance.primary_node)?;
        node_check::online(primary)?;
        node_check::bridges(held, instance, &primary.uuid).await?;
        let info = node_check::oper_info(held, instance, &primary.uuid).await?;
        let running = node_check::is_running(info.as_ref());
        let message = spec::instance(config, instance);
        let how = if running && self.reboot_type != RebootType::Full {
            How::InPlace(InstanceRebootRequest {
                instance: Some(message),
                kind: self.reboot_type.as_str().to_owned(),
                timeout_s: subject::seconds(self.shutdown_timeout),
            })
        } else {
            if !running {
                held.log().note(format!("Instance {} was already stopped, starting now", instance.name));
                let reason = format!("starting instance {}", instance.name);
                let needed = spec::be(config, instance).maxmem();
                node_check::free_memory(held, &primary.uuid, &instance.hypervisor, &reason, needed).await?;
            }
            How::Anew {
                // Also what an ended guest left behind.
                stop: info.is_some().then(|| subject::stop(instance, self.shutdown_timeout)),
                disks: subject::assemble(config, instance),
                start: InstanceStartRequest { instance: Some(message), paused: false },
            }
        };
        let extra = [
            ("IGNORE_SECONDARIES", hook_env::flag(self.ignore_secondaries)),
            ("REBOOT_TYPE", self.reboot_type.as_str().to_owned()),
            ("SHUTDOWN_TIMEOUT", self.shutdown_timeout.to_string()),
        ];
        Ok(Plan {
            name: instance.name.to_string(),
            primary: primary.uuid.clone(),
            how,
            marked: subject::marked(held, instance, AdminState::Up, AdminStateSource::Admin, true),
            hooks: hook_env::instance_hooks("instance-reboot", config, instance, &extra),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        match &plan.how {
            How::InPlace(request) => {
                let done = job.step(&plan.primary, effect::InstanceReboot(request.clone())).await;
                done.map_err(|failure| subject::explained(failure, "Could not reboot instance"))?;
            }
            How::Anew { stop, disks, start } => {
                if let Some(stop) = stop {
                    let done = job.step(&plan.primary, InstanceShutdown(stop.clone())).await;
                    done.map_err(|failure| subject::explained(failure, "Could not shutdown instance for full reboot"))?;
                    subject::release_all(job, &plan.primary, disks).await?;
                }
                subject::assemble_all(job, &plan.primary, disks).await?;
                let done = job.step(&plan.primary, InstanceStart(start.clone())).await;
                let text = format!("Could not start instance '{}' for full reboot", plan.name);
                done.map_err(|failure| subject::explained(failure, &text))?;
            }
        }
        job.finish_with(plan.marked.clone());
        Ok(())
    }
}

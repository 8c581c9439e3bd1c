//! `OP_INSTANCE_STARTUP`: brings an instance up on its primary node.

use gannet_core::config::{AdminState, AdminStateSource, Config, Instance, ParamMap};
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::InstanceStartup;
use gannet_core::param::{self, be, hv};
use gannet_proto::node::{
    DiskAssembleRequest, HypervisorValidateRequest, InstanceInfo, InstanceShutdownRequest, InstanceStartRequest, InstanceState,
};
use serde::{Deserialize, Serialize};

use super::subject;
use crate::effect::{InstanceShutdown, InstanceStart};
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
    /// The node is known to be down: only the record changes.
    only_record: bool,
    /// What an ended guest left behind is cleared away first.
    clean: Option<InstanceShutdownRequest>,
    assemble: Vec<DiskAssembleRequest>,
    start: Option<InstanceStartRequest>,
    marked: Changes,
    hooks: Hooks,
}

impl LogicalUnit for InstanceStartup {
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
        let temporary = with_temporary_params(self, config, instance)?;
        let primary = held.node(&instance.primary_node)?;
        let only_record = primary.offline && self.ignore_offline_nodes;
        let mut plan = Plan {
            name: instance.name.to_string(),
            primary: primary.uuid.clone(),
            only_record,
            clean: None,
            assemble: Vec::new(),
            start: None,
            marked: Changes::none(),
            hooks: hook_env::instance_hooks("instance-start", config, instance, &[("FORCE", hook_env::flag(self.force))]),
        };
        if !self.no_remember {
            plan.marked = subject::marked(held, instance, AdminState::Up, AdminStateSource::Admin, true);
        }
        if only_record {
            held.log().warn("Ignoring offline primary node");
            if !self.hvparams.is_empty() || !self.beparams.is_empty() {
                held.log().warn("Overridden parameters are ignored");
            }
            return Ok(plan);
        }
        node_check::online(primary)?;
        let info = node_check::oper_info(held, instance, &primary.uuid).await?;
        if node_check::is_running(info.as_ref()) {
            held.log().note(format!("Instance {} is already running", instance.name));
            return Ok(plan);
        }
        check_node(self, held, &temporary).await?;
        plan.clean = needs_cleaning(info.as_ref()).then(|| subject::stop(instance, self.shutdown_timeout));
        plan.assemble = subject::assemble(config, instance);
        plan.start = Some(InstanceStartRequest { instance: Some(spec::instance(config, &temporary)), paused: self.startup_paused });
        Ok(plan)
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        if plan.only_record {
            job.log().note("Primary node offline, marked instance as started");
        }
        if let Some(clean) = &plan.clean {
            job.try_step(&plan.primary, InstanceShutdown(clean.clone())).await?;
        }
        subject::assemble_all(job, &plan.primary, &plan.assemble).await?;
        if let Some(start) = &plan.start {
            let done = job.step(&plan.primary, InstanceStart(start.clone())).await;
            done.map_err(|failure| subject::explained(failure, &format!("Could not start instance '{}'", plan.name)))?;
        }
        job.finish_with(plan.marked.clone());
        Ok(())
    }
}

/// A guest that ended by itself leaves its domain behind.
fn needs_cleaning(info: Option<&InstanceInfo>) -> bool {
    info.is_some_and(|info| matches!(info.state(), InstanceState::UserDown | InstanceState::Crashed))
}

/// The instance with the parameters that are for this start only.
fn with_temporary_params(op: &InstanceStartup, config: &Config, instance: &Instance) -> Result<Instance, Refusal> {
    let invalid = |error: &dyn std::fmt::Display| Refusal::invalid(error.to_string());
    let mut beparams: ParamMap = op.beparams.clone().into_iter().collect();
    be::expand_memory(&mut beparams);
    let beparams = param::check_names_and_types(be::TABLE, &beparams).map_err(|error| invalid(&error))?;
    let hvparams = hv::check_names_and_types(&op.hvparams).map_err(|error| invalid(&error))?;
    hv::check_not_cluster_only(hvparams.keys()).map_err(|error| invalid(&error))?;
    let changed = Instance {
        beparams: spec::overlaid(&instance.beparams, &beparams),
        hvparams: spec::overlaid(&instance.hvparams, &hvparams),
        ..instance.clone()
    };
    if !op.hvparams.is_empty() {
        hv::check(spec::hypervisor(instance), &spec::hv(config, &changed).0).map_err(|error| invalid(&error))?;
    }
    match spec::be(config, &changed).contradiction() {
        Some(text) => Err(Refusal::invalid(text)),
        None => Ok(changed),
    }
}

async fn check_node(op: &InstanceStartup, held: &Held<'_>, instance: &Instance) -> Result<(), Refusal> {
    let config = held.config();
    let node = &instance.primary_node;
    node_check::bridges(held, instance, node).await?;
    if !op.hvparams.is_empty() {
        let hvparams = gannet_proto::params_to_proto(&spec::hv(config, instance).0);
        let request = HypervisorValidateRequest { hypervisor: instance.hypervisor.clone(), hvparams };
        let reply = held.ask(node)?.hypervisor_validate(request).await?;
        if !reply.problems.is_empty() {
            let name = spec::node_name(config, node);
            return Err(Refusal::invalid(format!("Hypervisor parameter validation failed on node {name}: {}", reply.problems.join("; "))));
        }
    }
    let reason = format!("starting instance {}", instance.name);
    let needed = spec::be(config, instance).maxmem();
    node_check::free_memory(held, node, &instance.hypervisor, &reason, needed).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rule::sample;

    fn temporary(change: impl FnOnce(&mut InstanceStartup)) -> Result<Instance, String> {
        let config = sample::config();
        let mut op = InstanceStartup::new("web1");
        change(&mut op);
        with_temporary_params(&op, &config, config.find_instance("web1").unwrap()).map_err(|refusal| refusal.message)
    }

    #[test]
    fn parameters_for_one_start_are_laid_over_the_own_ones() {
        let dict = |value: serde_json::Value| value.as_object().unwrap().clone();
        let changed = temporary(|op| op.beparams = dict(json!({"memory": "1G"}))).unwrap();
        assert_eq!(spec::be(&sample::config(), &changed).maxmem().0, 1024);
        assert!(temporary(|op| op.beparams = dict(json!({"minmem": 4096}))).unwrap_err().contains("minmem (4096)"));
        assert!(temporary(|op| op.hvparams = dict(json!({"nothing": 1}))).unwrap_err().contains("nothing"));
        assert!(temporary(|op| op.hvparams = dict(json!({"migration_port": 1}))).unwrap_err().contains("global"));
    }

    #[test]
    fn only_the_instance_is_locked() {
        let set = InstanceStartup::new("web1").locks(&sample::config()).unwrap();
        let names: Vec<String> = set.needed().map(|(lock, mode)| format!("{lock} {mode}")).collect();
        assert_eq!(names, ["cluster/BGL shared", "instance/web1.example.com exclusive"]);
        assert_eq!(InstanceStartup::new("nix").locks(&sample::config()).unwrap_err().message, "Instance 'nix' not known");
    }
}

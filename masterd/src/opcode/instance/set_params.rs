//! `OP_INSTANCE_SET_PARAMS`: changes an instance's parameters, its OS, whether it is offline, and the memory of a running
//! guest. Changes of NICs, disks, the disk template and the primary node are refused: they are not built yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use gannet_core::config::{AdminState, AdminStateSource, Config, Instance, Object, ParamMap};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::{Dict, InstanceSetParams};
use gannet_core::param::{be, fill, hv, ipolicy};
use gannet_core::param::{changed, check_changes};
use gannet_proto::node::{HypervisorValidateRequest, InstanceBalloonRequest};
use gannet_proto::params_to_proto;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::subject;
use crate::effect::InstanceBalloon;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, node_check, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    primary: NodeUuid,
    balloon: Option<InstanceBalloonRequest>,
    changes: Changes,
    /// What was changed, for the operator: name and value.
    told: Vec<(String, Value)>,
    hooks: Hooks,
}

impl LogicalUnit for InstanceSetParams {
    type Plan = Plan;
    type Output = Vec<(String, Value)>;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let uuid = self.instance_uuid.as_deref();
        let instance = subject::find(config, &self.instance_name, uuid)?;
        let group = spec::group_of(config, &instance.primary_node).map(|group| Lock::Group(group.uuid.clone()));
        Ok(subject::lock_with_nodes(config, &self.instance_name, uuid)?.all(group, Mode::Shared))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        refuse_not_built(self)?;
        let mut told = Vec::new();
        let mut new = instance.clone();
        let changing = Arc::make_mut(&mut new);
        backend(config, changing, &self.beparams, &mut told)?;
        hypervisor(config, changing, &self.hvparams, &mut told)?;
        os(changing, self, &mut told)?;
        self.set_offline(held, changing, &mut told).await?;
        let balloon = self.runtime_mem.map(|mib| InstanceBalloonRequest { instance: Some(spec::instance_ref(instance)), memory_mib: mib });
        if let Some(request) = &balloon {
            self.check_balloon(held, instance, request.memory_mib).await?;
            told.push(("runtime_memory".to_owned(), json!(request.memory_mib)));
        }
        if told.is_empty() {
            return Err(Refusal::invalid("No changes submitted"));
        }
        if !self.ignore_ipolicy {
            policy(config, &new)?;
        }
        self.check_on_node(held, &new).await?;
        let extra: Vec<(&str, String)> = self.runtime_mem.iter().map(|mib| ("RUNTIME_MEMORY", mib.to_string())).collect();
        let changes = if new == *instance { Changes::none() } else { Changes::none().update(held.state(), &Object::Instance(new.clone())) };
        Ok(Plan {
            primary: instance.primary_node.clone(),
            balloon,
            changes,
            told,
            hooks: hook_env::instance_hooks("instance-modify", config, &new, &extra),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<Self::Output, Failure> {
        if let Some(request) = &plan.balloon {
            let done = job.step(&plan.primary, InstanceBalloon(request.clone())).await;
            done.map_err(|failure| subject::explained(failure, "Could not set the memory of the running instance"))?;
        }
        job.finish_with(plan.changes.clone());
        Ok(plan.told.clone())
    }
}

/// Checks that need a node; free functions would need as many arguments.
trait OnNode {
    async fn set_offline(&self, held: &Held<'_>, instance: &mut Instance, told: &mut Vec<(String, Value)>) -> Result<(), Refusal>;
    async fn check_balloon(&self, held: &Held<'_>, instance: &Instance, mib: u64) -> Result<(), Refusal>;
    async fn check_on_node(&self, held: &Held<'_>, new: &Instance) -> Result<(), Refusal>;
}

impl OnNode for InstanceSetParams {
    async fn set_offline(&self, held: &Held<'_>, instance: &mut Instance, told: &mut Vec<(String, Value)>) -> Result<(), Refusal> {
        let Some(offline) = self.offline else { return Ok(()) };
        let (from, to) = if offline { (AdminState::Down, AdminState::Offline) } else { (AdminState::Offline, AdminState::Down) };
        let text = if offline { "can't change to offline" } else { "can't change to online" };
        node_check::instance_state(held, instance, &[from], Some(text)).await?;
        instance.admin_state = to;
        instance.admin_state_source = AdminStateSource::Admin;
        told.push(("admin_state".to_owned(), json!(to.as_str())));
        Ok(())
    }

    async fn check_balloon(&self, held: &Held<'_>, instance: &Instance, mib: u64) -> Result<(), Refusal> {
        let info = node_check::oper_info(held, instance, &instance.primary_node).await?;
        if !node_check::is_running(info.as_ref()) {
            return Err(Refusal::state(format!("Instance {} is not running, so its runtime memory cannot be set", instance.name)));
        }
        let filled = spec::be(held.config(), instance);
        let (low, high) = (filled.minmem().0, filled.maxmem().0);
        if !self.force && !(low..=high).contains(&mib) {
            return Err(Refusal::invalid(format!(
                "Instance {} must have memory between {low} and {high} MiB of memory unless --force is given",
                instance.name
            )));
        }
        Ok(())
    }

    async fn check_on_node(&self, held: &Held<'_>, new: &Instance) -> Result<(), Refusal> {
        if self.force || self.hvparams.is_empty() || held.node(&new.primary_node)?.offline {
            return Ok(());
        }
        let request =
            HypervisorValidateRequest { hypervisor: new.hypervisor.clone(), hvparams: params_to_proto(&spec::hv(held.config(), new).0) };
        let reply = held.ask(&new.primary_node)?.hypervisor_validate(request).await?;
        reply.warnings.iter().for_each(|warning| held.log().warn(warning));
        match reply.problems.first() {
            Some(problem) => Err(Refusal::invalid(format!(
                "Hypervisor parameter validation failed on node {}: {problem}",
                spec::node_name(held.config(), &new.primary_node)
            ))),
            None => Ok(()),
        }
    }
}

fn refuse_not_built(op: &InstanceSetParams) -> Result<(), Refusal> {
    let asked = [
        (!op.nics.is_empty(), "Changing NICs"),
        (!op.disks.is_empty(), "Changing disks"),
        (op.disk_template.is_some(), "Converting the disk template"),
        (op.pnode.is_some() || op.pnode_uuid.is_some(), "Setting the primary node"),
        (op.osparams_private.is_some(), "Changing private OS parameters"),
        (op.instance_communication.is_some(), "Instance communication"),
    ];
    match asked.iter().find(|(asked, _)| *asked) {
        Some((_, what)) => Err(Refusal::invalid(format!("{what} is not available in this version of Gannet yet (see docs/status.md)"))),
        None => Ok(()),
    }
}

fn backend(config: &Config, instance: &mut Instance, request: &Dict, told: &mut Vec<(String, Value)>) -> Result<(), Refusal> {
    if request.is_empty() {
        return Ok(());
    }
    let mut wanted: ParamMap = request.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    be::expand_memory(&mut wanted);
    let changes = check_changes(be::TABLE, &wanted).map_err(|error| Refusal::invalid(error.to_string()))?;
    instance.beparams = changed(&instance.beparams, &changes);
    let filled = fill::be(&config.cluster().beparams, &instance.beparams);
    if let Some(text) = filled.contradiction() {
        return Err(Refusal::invalid(text));
    }
    told.extend(wanted.into_iter().map(|(name, value)| (format!("be/{name}"), value)));
    Ok(())
}

fn hypervisor(config: &Config, instance: &mut Instance, request: &Dict, told: &mut Vec<(String, Value)>) -> Result<(), Refusal> {
    if request.is_empty() {
        return Ok(());
    }
    let invalid = |error: &dyn std::error::Error| Refusal::invalid(error.to_string());
    hv::check_not_cluster_only(request.keys()).map_err(|error| invalid(&error))?;
    let changes = hv::check_changes(request).map_err(|error| invalid(&error))?;
    instance.hvparams = changed(&instance.hvparams, &changes);
    hv::check(spec::hypervisor(instance), &spec::hv(config, instance).0).map_err(|error| invalid(&error))?;
    told.extend(request.iter().map(|(name, value)| (format!("hv/{name}"), value.clone())));
    Ok(())
}

fn os(instance: &mut Instance, op: &InstanceSetParams, told: &mut Vec<(String, Value)>) -> Result<(), Refusal> {
    if let Some(name) = op.os_name.as_ref().filter(|name| !name.is_empty()) {
        instance.os.clone_from(name);
        told.push(("os_name".to_owned(), json!(name)));
    }
    let mut new: BTreeMap<String, String> = instance.osparams.clone();
    for (name, value) in &op.osparams {
        match value {
            Value::Null => {
                new.remove(name);
            }
            Value::String(text) if text == "default" => {
                new.remove(name);
            }
            Value::String(text) => {
                new.insert(name.clone(), text.clone());
            }
            Value::Bool(_) | Value::Number(_) => {
                new.insert(name.clone(), value.to_string());
            }
            Value::Array(_) | Value::Object(_) => return Err(Refusal::invalid(format!("The OS parameter '{name}' must be a text"))),
        }
        told.push((format!("os/{name}"), value.clone()));
    }
    instance.osparams = new;
    Ok(())
}

fn policy(config: &Config, instance: &Instance) -> Result<(), Refusal> {
    let Some(group) = spec::group_of(config, &instance.primary_node) else { return Ok(()) };
    let disks: Vec<_> = config.disks_of(instance).map(|disk| (**disk).clone()).collect();
    let found = ipolicy::violations(&spec::ipolicy(config, group), &spec::policy_spec(config, instance, &disks));
    if found.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!("Instance allocation to group {} ({}) violates policy: {}", group.uuid, group.name, found.join(", "))))
}

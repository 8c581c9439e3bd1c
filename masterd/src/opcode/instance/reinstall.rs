//! `OP_INSTANCE_REINSTALL`: runs the OS installation again on the disks of a stopped instance.

use std::collections::BTreeMap;
use std::sync::Arc;

use gannet_core::config::{AdminState, Config, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::{Dict, InstanceReinstall};
use gannet_proto::node::{DiskAssembleRequest, OsScriptRequest, OsValidateRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::subject;
use crate::effect::OsCreate;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, node_check, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// The longest that a script may take, in seconds.
const OS_TIMEOUT_S: u32 = 4 * 3600;

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    primary: NodeUuid,
    disks: Vec<DiskAssembleRequest>,
    install: OsScriptRequest,
    changes: Changes,
    hooks: Hooks,
}

impl LogicalUnit for InstanceReinstall {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        subject::lock(config, &self.instance_name, self.instance_uuid.as_deref())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        if self.osparams_private.is_some() || self.osparams_secret.is_some() {
            return Err(Refusal::invalid(
                "Private and secret OS parameters cannot be given to a reinstallation in this version of Gannet yet; set private ones when the instance is created",
            ));
        }
        node_check::online(held.node(&instance.primary_node)?)?;
        node_check::instance_state(held, instance, &[AdminState::Down], Some("can't reinstall")).await?;
        if instance.disks.is_empty() {
            return Err(Refusal::invalid(format!("Instance '{}' has no disks", instance.name)));
        }
        let mut new = instance.clone();
        let changed = Arc::make_mut(&mut new);
        if let Some(os) = &self.os_type {
            changed.os.clone_from(os);
        }
        if let Some(params) = &self.osparams {
            changed.osparams = merged(&changed.osparams, params)?;
        }
        let message = spec::instance(config, &new);
        let request = OsValidateRequest {
            os: new.os.clone(),
            osparams: message.osparams.iter().chain(&message.osparams_private).map(|(name, value)| (name.clone(), value.clone())).collect(),
            checks: vec!["parameters".to_owned()],
            required: true,
            force_variant: self.force_variant,
        };
        let reply = held.ask(&instance.primary_node)?.os_validate(request).await?;
        if let Some(problem) = reply.problems.first() {
            let node = spec::node_name(config, &instance.primary_node);
            return Err(Refusal::invalid(format!("OS '{}' cannot be used on node {node}: {problem}", new.os)));
        }
        let changes = if new == *instance { Changes::none() } else { Changes::none().update(held.state(), &Object::Instance(new)) };
        Ok(Plan {
            primary: instance.primary_node.clone(),
            disks: subject::assemble(config, instance),
            install: OsScriptRequest { instance: Some(message), reinstall: true, debug_level: 0, timeout_s: OS_TIMEOUT_S },
            changes,
            hooks: hook_env::instance_hooks("instance-reinstall", config, instance, &[]),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        subject::assemble_all(job, &plan.primary, &plan.disks).await?;
        job.log().info("Running the instance OS create scripts...");
        let done = job.step(&plan.primary, OsCreate(plan.install.clone())).await;
        subject::release_all(job, &plan.primary, &plan.disks).await?;
        done.map_err(|failure| subject::explained(failure, "Could not install OS"))?;
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}

/// OS parameters after a request, in which null takes one away.
fn merged(old: &BTreeMap<String, String>, request: &Dict) -> Result<BTreeMap<String, String>, Refusal> {
    let mut new = old.clone();
    for (name, value) in request {
        match value {
            Value::Null => {
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
    }
    Ok(new)
}

//! `OP_INSTANCE_REINSTALL`: runs the OS installation again on the disks of a stopped instance.

use std::collections::BTreeMap;
use std::sync::Arc;

use gannet_core::config::{AdminState, Config, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::LockSet;
use gannet_core::opcode::{InstanceReinstall, REDACTED};
use gannet_proto::node::{DiskAssembleRequest, OsScriptRequest, OsValidateRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{os_params, subject};
use crate::effect::OsCreate;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, node_check, os_limit, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// The longest that a script may take, in seconds.
const OS_TIMEOUT_S: u32 = 4 * 3600;
/// Secrets live in memory only.
const SECRETS_LOST: &str = "The secret OS parameters of this job were lost when the master daemon was restarted; submit it again";

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    primary: NodeUuid,
    disks: Vec<DiskAssembleRequest>,
    /// Secret parameters are in it as long as this master daemon lives: they are never stored.
    install: OsScriptRequest,
    has_secrets: bool,
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
        let given = OsParams::read(self)?;
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
        changed.osparams = os_params::merged(&changed.osparams, self.osparams.iter().flatten())?;
        changed.osparams_private = os_params::merged(&changed.osparams_private, given.private)?;
        let mut message = spec::instance(config, &new);
        message.osparams_secret = given.secret.into_iter().collect();
        let all = [&message.osparams, &message.osparams_private, &message.osparams_secret];
        let request = OsValidateRequest {
            os: new.os.clone(),
            osparams: all.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect(),
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
            has_secrets: !message.osparams_secret.is_empty(),
            install: OsScriptRequest {
                instance: Some(message),
                reinstall: true,
                debug_level: 0,
                timeout_s: os_limit::seconds(OS_TIMEOUT_S),
            },
            changes,
            hooks: hook_env::instance_hooks("instance-reinstall", config, instance, &[]),
        })
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        let lost = plan.install.instance.as_ref().is_none_or(|instance| instance.osparams_secret.is_empty());
        if plan.has_secrets && lost {
            return Err(Failure::other(SECRETS_LOST));
        }
        subject::assemble_all(job, &plan.primary, &plan.disks).await?;
        job.log().info("Running the instance OS create scripts...");
        let done = job.step(&plan.primary, OsCreate(plan.install.clone())).await;
        subject::release_all(job, &plan.primary, &plan.disks).await?;
        done.map_err(|failure| subject::explained(failure, "Could not install OS"))?;
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}

/// Private and secret OS parameters of a request.
#[derive(Debug)]
struct OsParams<'a> {
    private: Vec<(&'a String, &'a Value)>,
    secret: BTreeMap<String, String>,
}

impl<'a> OsParams<'a> {
    fn read(op: &'a InstanceReinstall) -> Result<Self, Refusal> {
        let private: Vec<_> = op.osparams_private.iter().flatten().map(|(name, value)| (name, &value.0)).collect();
        let secret: Vec<_> = op.osparams_secret.iter().flatten().map(|(name, value)| (name, &value.0)).collect();
        let public = op.osparams.iter().flatten().map(|(name, _)| name).collect();
        os_params::check_distinct([public, names(&private), names(&secret)])?;
        if secret.iter().any(|(_, value)| **value == REDACTED) {
            return Err(Refusal::state(SECRETS_LOST));
        }
        Ok(Self { private, secret: os_params::merged(&BTreeMap::new(), secret)? })
    }
}

fn names<'a>(params: &[(&'a String, &'a Value)]) -> Vec<&'a String> {
    params.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use gannet_core::error::ErrorCode;
    use gannet_core::opcode::{Private, Secret};
    use serde_json::json;

    use super::*;

    fn op(secret: &str) -> InstanceReinstall {
        let mut op = InstanceReinstall::new("web1");
        op.osparams = json!({"colour": "red"}).as_object().cloned();
        op.osparams_private = Some(BTreeMap::from([("token".to_owned(), Private(json!("t")))]));
        op.osparams_secret = Some(BTreeMap::from([("password".to_owned(), Secret(json!(secret)))]));
        op
    }

    #[test]
    fn parameters_of_three_kinds() {
        let op = op("sesame");
        let read = OsParams::read(&op).unwrap();
        assert_eq!(read.secret, BTreeMap::from([("password".to_owned(), "sesame".to_owned())]));
        assert_eq!(read.private, [(&"token".to_owned(), &json!("t"))]);
    }

    #[test]
    fn a_repeated_name_and_lost_secrets_are_refused() {
        let refused = OsParams::read(&op(REDACTED)).unwrap_err();
        assert_eq!((refused.code, refused.message.as_str()), (ErrorCode::State, SECRETS_LOST));
        let mut twice = op("sesame");
        twice.osparams_private = Some(BTreeMap::from([("password".to_owned(), Private(json!("t")))]));
        assert_eq!(OsParams::read(&twice).unwrap_err().message, "OS parameters repeated multiple times: password");
    }

    #[test]
    fn secrets_are_not_part_of_the_stored_plan() {
        let mut message = spec::instance(&crate::rule::sample::config(), &crate::rule::sample::instance(1, 1));
        message.osparams_secret.insert("password".to_owned(), "sesame".to_owned());
        let install = OsScriptRequest { instance: Some(message), reinstall: true, debug_level: 0, timeout_s: 1 };
        assert!(!serde_json::to_string(&install).unwrap().contains("sesame"));
    }
}

//! `OP_INSTANCE_CONSOLE`: how to reach the console of a running instance. A serial console is relayed through a socket that
//! exists for this session only.

use gannet_core::config::Config;
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::InstanceConsole;
use gannet_proto::node::InstanceRef;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::console;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{node_check, spec};
use crate::unit::{AfterCrash, LogicalUnit};

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    instance: InstanceRef,
    node: NodeUuid,
    kind: String,
    host: String,
    port: u32,
    message: String,
}

impl LogicalUnit for InstanceConsole {
    type Plan = Plan;
    type Output = Value;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let instance = config.find_instance(&self.instance_name)?;
        Ok(LockSet::shared_cluster().shared(Lock::Instance(instance.name.clone())))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let instance = held.instance(&self.instance_name)?;
        let info = node_check::oper_info(held, instance, &instance.primary_node).await?;
        if !node_check::is_running(info.as_ref()) {
            return Err(Refusal::state(format!(
                "Instance {} is not running (state {})",
                instance.name,
                if instance.admin_state == gannet_core::config::AdminState::Up { "ERROR_down" } else { "ADMIN_down" }
            )));
        }
        let reference = spec::instance_ref(instance);
        let console = held.ask(&instance.primary_node)?.instance_console_info(reference.clone()).await?;
        Ok(Plan {
            instance: reference,
            node: instance.primary_node.clone(),
            kind: console.kind,
            host: console.host,
            port: console.port,
            message: console.message,
        })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<Value, Failure> {
        let name = &plan.instance.name;
        Ok(match plan.kind.as_str() {
            "serial" => {
                let socket = console::open(job.master(), &plan.node, plan.instance.clone()).await?;
                json!({"instance": name, "kind": "unix", "host": plan.host, "command": [socket]})
            }
            "vnc" => {
                json!({"instance": name, "kind": "vnc", "host": plan.host, "port": plan.port, "display": plan.port.saturating_sub(5900)})
            }
            "spice" => json!({"instance": name, "kind": "spice", "host": plan.host, "port": plan.port}),
            _ => json!({"instance": name, "kind": "msg", "message": plan.message}),
        })
    }
}

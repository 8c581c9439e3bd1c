//! `OP_INSTANCE_QUERY_DATA`: all that is known of instances, for `gnt-instance info`.

use std::collections::BTreeMap;

use futures::future::join_all;
use gannet_core::auto_failover;
use gannet_core::config::{Config, Disk, Instance};
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::InstanceQueryData;
use gannet_proto::node::{DiskInfoRequest, DiskState};
use serde_json::{Map, Value, json};

use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{node_check, spec};
use crate::unit::{AfterCrash, LogicalUnit};

/// Ganeti's local disk status: fine, unknown, faulty.
const DISK_FINE: u8 = 0;
const DISK_FAULTY: u8 = 2;

impl LogicalUnit for InstanceQueryData {
    type Plan = Map<String, Value>;
    type Output = Map<String, Value>;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let set = LockSet::shared_cluster();
        if !self.use_locking && self.r#static {
            return Ok(set);
        }
        if self.instances.is_empty() {
            return Ok(set.shared(Lock::AllInstances));
        }
        let names: Result<Vec<Lock>, Refusal> =
            self.instances.iter().map(|name| Ok(Lock::Instance(config.find_instance(name)?.name.clone()))).collect();
        Ok(set.all(names?, Mode::Shared))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Self::Plan, Refusal> {
        let config = held.config();
        let instances: Vec<_> = if self.instances.is_empty() {
            config.instances().cloned().collect()
        } else {
            self.instances.iter().map(|name| held.instance(name).cloned()).collect::<Result<_, _>>()?
        };
        let all = instances.iter().map(|instance| async {
            let seen = if self.r#static { Seen::default() } else { look(held, instance).await };
            (instance.name.to_string(), describe(config, instance, &seen))
        });
        Ok(join_all(all).await.into_iter().collect())
    }

    async fn execute(plan: &Self::Plan, _job: &mut Steps<'_>) -> Result<Self::Output, Failure> {
        Ok(plan.clone())
    }
}

/// What its node says of an instance.
#[derive(Default)]
struct Seen {
    /// `None`: the node was not asked, or did not answer.
    runs: Option<bool>,
    disks: BTreeMap<String, DiskState>,
}

async fn look(held: &Held<'_>, instance: &Instance) -> Seen {
    let runs = node_check::oper_info(held, instance, &instance.primary_node).await.ok().map(|info| node_check::is_running(info.as_ref()));
    let disks = spec::disk_refs(held.config(), instance);
    let asked = match held.ask(&instance.primary_node) {
        Ok(node) if !disks.is_empty() => node.disk_info(DiskInfoRequest { disks }).await.ok(),
        Ok(_) | Err(_) => None,
    };
    let disks = asked.into_iter().flat_map(|reply| reply.disks).map(|disk| (disk.uuid.clone(), disk)).collect();
    Seen { runs, disks }
}

fn describe(config: &Config, instance: &Instance, seen: &Seen) -> Value {
    let group = spec::group_of(config, &instance.primary_node);
    let secondaries: Vec<_> = config.secondary_nodes(instance).cloned().collect();
    let groups: Vec<_> = secondaries.iter().map(|node| spec::group_of(config, node)).collect();
    let nics: Vec<Value> = instance
        .nics
        .iter()
        .map(|nic| {
            let params = spec::nic(config, group, nic);
            let network = nic.network.as_ref().and_then(|uuid| config.network(uuid));
            let mode = params.mode().map(|mode| mode.as_str());
            json!([nic.name, nic.uuid, nic.ip, nic.mac, mode, params.link(), params.vlan(), nic.network, network])
        })
        .collect();
    let disks: Vec<Value> = config.disks_of(instance).map(|disk| disk_of(disk, seen)).collect();
    json!({
        "name": instance.name,
        "uuid": instance.uuid,
        "serial_no": instance.stamps.serial_no,
        "ctime": instance.stamps.ctime,
        "mtime": instance.stamps.mtime,
        "config_state": instance.admin_state.as_str(),
        "run_state": seen.runs.map(|runs| if runs { "up" } else { "down" }),
        "pnode": spec::node_name(config, &instance.primary_node),
        "pnode_group_name": group.map(|group| group.name.clone()),
        "pnode_group_uuid": group.map(|group| group.uuid.clone()),
        "snodes": secondaries.iter().map(|node| spec::node_name(config, node)).collect::<Vec<_>>(),
        "snodes_group_names": groups.iter().map(|group| group.map(|group| group.name.clone())).collect::<Vec<_>>(),
        "snodes_group_uuids": groups.iter().map(|group| group.map(|group| group.uuid.clone())).collect::<Vec<_>>(),
        "os": instance.os,
        "hypervisor": instance.hypervisor,
        "disk_template": config.disk_template(instance),
        "network_port": instance.network_port,
        "nics": nics,
        "disks": disks,
        "hv_instance": instance.hvparams,
        "hv_actual": spec::hv(config, instance).0,
        "be_instance": instance.beparams,
        "be_actual": spec::be(config, instance).0,
        "os_instance": instance.osparams,
        "os_actual": spec::os_params(config, &instance.os, &instance.osparams),
        "auto_failover": auto_failover::is_on(config, instance),
        "auto_failover_priority": auto_failover::priority(instance),
    })
}

fn disk_of(disk: &Disk, seen: &Seen) -> Value {
    let mut value = serde_json::to_value(disk).unwrap_or_default();
    // `[path, major, minor, sync percent, seconds left, degraded, local status]`
    value["pstatus"] = match seen.disks.get(disk.uuid.as_str()) {
        None => Value::Null,
        Some(state) => {
            let status = if state.exists && state.error.is_empty() { DISK_FINE } else { DISK_FAULTY };
            json!([state.path, null, null, state.sync_percent, state.estimated_s, state.degraded, status])
        }
    };
    value["sstatus"] = Value::Null;
    value["physical_id"] = value["logical_id"].clone();
    value
}

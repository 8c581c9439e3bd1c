//! The cluster: its query fields, `QueryClusterInfo`, `QueryConfigValues`, tags.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gannet_core::config::{CONFIG_VERSION, Cluster, Config, Node, ParamMap};
use gannet_core::error::{ErrorCode, WireError};
use gannet_core::param::{HvLayers, HypervisorKind, fill};
use gannet_core::quantity::Timestamp;
use gannet_core::query::Resource;
use serde_json::{Value, json};

use super::cell::Cell;
use super::group::{filled_disk_params, filled_ipolicy};
use super::table::{Plan, Request, Table};
use crate::job::DRAIN_KEY;
use crate::luxi::WATCHER_PAUSE_KEY;
use crate::master::Master;
use crate::store::State;

/// The newest OS interface that is spoken (`parity/config_schema.json`: os_api_versions).
const OS_API_VERSION: u64 = 20;
/// The version of export files.
const EXPORT_VERSION: u64 = 0;
/// The release whose interfaces this is.
const SOFTWARE_VERSION: &str = "3.1.1";
/// Which software it really is.
const VCS_VERSION: &str = concat!("(gannet) version ", env!("CARGO_PKG_VERSION"));

/// What the cluster's fields need besides the configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status {
    pub(crate) drained: bool,
    /// Seconds since 1970; `None` when the watcher is not paused (any more).
    pub(crate) watcher_pause: Option<f64>,
}

impl Status {
    /// As `state` has it.
    pub(crate) fn of(state: &State, now: Timestamp) -> Self {
        let until = state.meta.get(WATCHER_PAUSE_KEY).and_then(|text| text.parse::<f64>().ok());
        Self { drained: state.meta.contains_key(DRAIN_KEY), watcher_pause: until.filter(|until| *until > now.as_secs_f64()) }
    }
}

/// The cluster as a table of one row.
pub(crate) struct ClusterTable<'a> {
    pub(crate) config: &'a Config,
    pub(crate) status: Status,
}

/// A field of the cluster.
pub(crate) struct Column<'a>(fn(&ClusterTable<'a>, &'a Cluster) -> Cell<'a>);

impl<'a> Table<'a> for ClusterTable<'a> {
    type Row = &'a Cluster;
    type Column = Column<'a>;

    const RESOURCE: Resource = Resource::Cluster;

    fn column(name: &str) -> Option<Column<'a>> {
        let get: fn(&ClusterTable<'a>, &'a Cluster) -> Cell<'a> = match name {
            "architecture" => |_, _| Cell::Json(architecture()),
            "cluster_name" | "name" => |_, c| c.cluster_name.as_str().into(),
            "config_version" | "protocol_version" => |_, _| CONFIG_VERSION.into(),
            "ctime" => |_, c| c.stamps.ctime.into(),
            "drain_flag" => |t, _| t.status.drained.into(),
            "export_version" => |_, _| EXPORT_VERSION.into(),
            "master_node" => |t, _| Cell::or_no_data(t.config.master().map(|node| node.name.as_str())),
            "mtime" => |_, c| c.stamps.mtime.into(),
            "os_api_version" => |_, _| OS_API_VERSION.into(),
            "software_version" => |_, _| SOFTWARE_VERSION.into(),
            "tags" => |_, c| Cell::Tags(&c.tags),
            "vcs_version" => |_, _| VCS_VERSION.into(),
            "volume_group_name" => |_, c| Cell::or_unavail(c.volume_group_name.as_deref()),
            "watcher_pause" => |t, _| Cell::or_unavail(t.status.watcher_pause),
            _ => return None,
        };
        Some(Column(get))
    }

    fn cell(&self, row: &'a Cluster, column: &Column<'a>) -> Cell<'a> {
        (column.0)(self, row)
    }
}

/// Answers a request about the cluster.
///
/// # Errors
/// A filter that cannot be applied.
pub(crate) fn answer(config: &Config, status: Status, request: &Request<'_>) -> Result<String, WireError> {
    let table = ClusterTable { config, status };
    let plan = Plan::new::<ClusterTable<'_>>(request)?;
    let rows = plan.select(&table, vec![config.cluster().as_ref()])?;
    Ok(plan.answer(&table, &rows))
}

/// Word size and machine, as Ganeti's `platform.architecture()[0]` and `platform.machine()`.
fn architecture() -> Value {
    json!([if cfg!(target_pointer_width = "64") { "64bit" } else { "32bit" }, std::env::consts::ARCH])
}

/// The JSON of [`info`], made again only when the cluster or its master has changed.
#[derive(Debug, Default)]
pub(crate) struct InfoText(Mutex<Option<Made>>);

#[derive(Debug)]
struct Made {
    cluster: Arc<Cluster>,
    master: Option<Arc<Node>>,
    json: Bytes,
}

impl InfoText {
    /// The JSON for `config`.
    pub(crate) fn of(&self, config: &Config) -> Bytes {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |made: &&Made| {
            Arc::ptr_eq(&made.cluster, config.cluster()) && made.master.as_ref().map(Arc::as_ptr) == config.master().map(Arc::as_ptr)
        };
        if let Some(made) = made.as_ref().filter(same) {
            return made.json.clone();
        }
        let json = Bytes::from(info(config).to_string());
        *made = Some(Made { cluster: config.cluster().clone(), master: config.master().cloned(), json: json.clone() });
        json
    }
}

/// The answer to `QueryClusterInfo` (`parity/luxi.json`: cluster_info_keys).
#[must_use]
pub(crate) fn info(config: &Config) -> Value {
    let cluster = config.cluster();
    let none = ParamMap::new();
    let enabled = |hypervisor: &str| cluster.enabled_hypervisors.iter().any(|name| name == hypervisor);
    let hvparams: BTreeMap<&str, ParamMap> = cluster
        .enabled_hypervisors
        .iter()
        .filter_map(|name| {
            let layers = HvLayers { cluster: &cluster.hvparams, os_hvp: &cluster.os_hvp, os: None, instance: &none };
            Some((name.as_str(), fill::hv(HypervisorKind::from_str(name).ok()?, layers).into_inner().0))
        })
        .collect();
    let os_hvp: BTreeMap<&str, BTreeMap<&str, &ParamMap>> = cluster
        .os_hvp
        .iter()
        .map(|(os, of_os)| {
            let of_os = of_os.iter().filter(|(hypervisor, _)| enabled(hypervisor));
            (os.as_str(), of_os.map(|(hypervisor, params)| (hypervisor.as_str(), params)).collect())
        })
        .collect();
    let collectors = &cluster.data_collectors;
    let mut info = json!({
        "software_version": SOFTWARE_VERSION,
        "protocol_version": CONFIG_VERSION,
        "config_version": CONFIG_VERSION,
        "os_api_version": OS_API_VERSION,
        "export_version": EXPORT_VERSION,
        "vcs_version": VCS_VERSION,
        "architecture": architecture(),
        "name": cluster.cluster_name,
        "master": config.master().map(|node| node.name.as_str()),
        "default_hypervisor": cluster.enabled_hypervisors.first(),
        "enabled_hypervisors": cluster.enabled_hypervisors,
        "hvparams": hvparams,
        "os_hvp": os_hvp,
        "beparams": {"default": fill::be(&cluster.beparams, &none)},
        "osparams": cluster.osparams,
        "ipolicy": filled_ipolicy(&cluster.ipolicy, &json!({})),
        "nicparams": {"default": fill::nic(&cluster.nicparams, None, &none)},
        "ndparams": fill::nd(&cluster.ndparams, &none, &none),
        "diskparams": filled_disk_params(&cluster.diskparams, &BTreeMap::new()),
        "candidate_pool_size": cluster.candidate_pool_size,
        "max_running_jobs": cluster.max_running_jobs,
        "max_tracked_jobs": cluster.max_tracked_jobs,
        "mac_prefix": cluster.mac_prefix,
        "master_netdev": cluster.master_netdev,
        "master_netmask": cluster.master_netmask,
        "use_external_mip_script": cluster.use_external_mip_script,
        "volume_group_name": cluster.volume_group_name,
        "drbd_usermode_helper": cluster.drbd_usermode_helper,
        "file_storage_dir": cluster.file_storage_dir,
        "shared_file_storage_dir": cluster.shared_file_storage_dir,
        "gluster_storage_dir": cluster.gluster_storage_dir,
        "maintain_node_health": cluster.maintain_node_health,
        "ctime": cluster.stamps.ctime,
        "mtime": cluster.stamps.mtime,
        "uuid": cluster.uuid,
        "tags": cluster.tags,
        "uid_pool": cluster.uid_pool,
    });
    let more = json!({
        "default_iallocator": cluster.default_iallocator,
        "default_iallocator_params": cluster.default_iallocator_params,
        "reserved_lvs": cluster.reserved_lvs,
        "primary_ip_version": if cluster.primary_ip_family == 10 { 6 } else { 4 },
        "prealloc_wipe_disks": cluster.prealloc_wipe_disks,
        "hidden_os": cluster.hidden_os,
        "blacklisted_os": cluster.blacklisted_os,
        "enabled_disk_templates": cluster.enabled_disk_templates,
        "install_image": cluster.install_image,
        "instance_communication_network": cluster.instance_communication_network,
        "zeroing_image": cluster.zeroing_image,
        "compression_tools": cluster.compression_tools,
        "enabled_user_shutdown": cluster.enabled_user_shutdown,
        "enabled_data_collectors": collectors.iter().map(|(name, c)| (name, c.active)).collect::<BTreeMap<_, _>>(),
        "data_collector_interval": collectors.iter().map(|(name, c)| (name, &c.interval)).collect::<BTreeMap<_, _>>(),
        "modify_ssh_setup": cluster.modify_ssh_setup,
        "ssh_key_type": cluster.ssh_key_type,
        "ssh_key_bits": cluster.ssh_key_bits,
    });
    if let (Some(info), Value::Object(more)) = (info.as_object_mut(), more) {
        info.extend(more);
    }
    info
}

/// The answer to `QueryConfigValues`: null for unknown names.
pub(crate) fn config_values(config: &Config, status: Status, fields: &[String]) -> Value {
    let cluster = config.cluster();
    let value = |field: &String| match field.as_str() {
        "cluster_name" => json!(cluster.cluster_name),
        "watcher_pause" => json!(status.watcher_pause),
        "master_node" => json!(config.master().map(|node| node.name.as_str())),
        "drain_flag" => json!(status.drained),
        "modify_ssh_setup" => json!(cluster.modify_ssh_setup),
        "ssh_key_type" => json!(cluster.ssh_key_type),
        "ssh_key_bits" => json!(cluster.ssh_key_bits),
        _ => Value::Null,
    };
    fields.iter().map(value).collect()
}

/// The answer to `QueryTags`.
pub(crate) fn tags(config: &Config, kind: &str, name: &str) -> Result<Value, WireError> {
    Ok(match kind {
        "cluster" => json!(config.cluster().tags),
        "node" => json!(config.find_node(name)?.tags),
        "nodegroup" => json!(config.find_group(name)?.tags),
        "instance" => json!(config.find_instance(name)?.tags),
        "network" => json!(config.find_network(name)?.tags),
        other => {
            return Err(WireError::prereq(
                format!("Tag type '{other}' is not one of cluster, node, nodegroup, instance, network"),
                ErrorCode::Invalid,
            ));
        }
    })
}

/// The cluster's status now.
pub(crate) fn status(master: &Master) -> Status {
    Status::of(&master.store().state(), master.clock().now())
}

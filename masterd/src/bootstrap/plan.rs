//! From the options to the first configuration. Pure: what the machine says of itself is handed in as [`Host`].

use std::collections::BTreeMap;
use std::net::IpAddr;

use gannet_core::config::{AllocPolicy, Cluster, Config, DataCollector, Node, NodeGroup, Object, ParamMap, Stamps};
use gannet_core::id::{GroupUuid, NodeUuid};
use gannet_core::name::{NodeName, normalise_host_name};
use gannet_core::param::{DiskTemplate, HypervisorKind, UnknownWord};
use gannet_core::quantity::Timestamp;
use serde_json::{Value, json};

use super::Spec;
use crate::refusal::Refusal;
use crate::rule::settings;

/// First TCP port that is handed out (Ganeti: FIRST_DRBD_PORT, less one).
const FIRST_PORT: u16 = 11_000;
const DEFAULT_FILE_DIR: &str = "/srv/ganeti/file-storage";
const DEFAULT_SHARED_DIR: &str = "/srv/ganeti/shared-file-storage";
const COLLECTORS: [&str; 6] = ["cpu-avg-load", "diskstats", "drbd", "inst-status-xen", "lv", "xen-cpu-avg-load"];
/// Microseconds.
const COLLECTOR_INTERVAL: u32 = 5_000_000;

/// What the machine says of itself.
#[derive(Debug, Clone)]
pub struct Host {
    /// The node's full name.
    pub name: String,
    /// What it resolves to.
    pub address: IpAddr,
    /// What the cluster's name resolves to.
    pub cluster_address: IpAddr,
    /// Public SSH host key; empty without one.
    pub ssh_host_key: String,
    /// The clock.
    pub now: Timestamp,
    /// Digest of the client certificate of the master role.
    pub master_digest: String,
}

/// The first configuration: cluster, group `default`, this node.
///
/// # Errors
/// [`Refusal`] for the first thing in the options that is wrong.
pub(super) fn config(spec: &Spec, host: &Host) -> Result<Config, Refusal> {
    check_not_built(spec)?;
    let node_name: NodeName = host.name.parse().map_err(|error: gannet_core::name::InvalidName| Refusal::invalid(error.to_string()))?;
    let cluster_name = normalise_host_name(&spec.cluster_name).map_err(|error| Refusal::invalid(error.to_string()))?;
    if cluster_name == node_name.as_str() {
        return Err(Refusal::invalid(format!("The cluster cannot have the name of this node, {node_name}")));
    }
    let secondary = secondary_ip(spec, host)?;
    let (group_uuid, node_uuid) = (GroupUuid::random(), NodeUuid::random());
    let stamps = Stamps::new(host.now);
    let cluster = cluster(spec, host, cluster_name, &node_uuid)?;
    let node = Node {
        name: node_name,
        primary_ip: host.address.to_string(),
        secondary_ip: secondary.to_string(),
        master_candidate: true,
        offline: false,
        drained: false,
        group: group_uuid.clone(),
        master_capable: true,
        vm_capable: true,
        ndparams: ParamMap::new(),
        powered: true,
        hv_state_static: BTreeMap::new(),
        disk_state_static: BTreeMap::new(),
        stamps: stamps.clone(),
        uuid: node_uuid,
        tags: Default::default(),
    };
    let group = NodeGroup {
        name: "default".to_owned(),
        ndparams: ParamMap::new(),
        alloc_policy: AllocPolicy::Preferred,
        ipolicy: json!({}),
        diskparams: BTreeMap::new(),
        networks: BTreeMap::new(),
        hv_state_static: BTreeMap::new(),
        disk_state_static: BTreeMap::new(),
        stamps,
        uuid: group_uuid,
        tags: Default::default(),
    };
    let mut config = Config::default();
    config.put(Object::Cluster(cluster.into()));
    config.put(Object::NodeGroup(group.into()));
    config.put(Object::Node(node.into()));
    Ok(config)
}

fn check_not_built(spec: &Spec) -> Result<(), Refusal> {
    let absent = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
    let refuse = |what: &str| Err(Refusal::invalid(format!("{what} not available in this version of Gannet yet")));
    if !absent(&spec.vg_name) {
        return refuse("LVM storage (--vg-name) is");
    }
    if !absent(&spec.drbd_helper) {
        return refuse("DRBD (--drbd-usermode-helper) is");
    }
    if !spec.hv_state.is_empty() || !spec.disk_state.is_empty() {
        return refuse("Static capacities (--hypervisor-state, --disk-state) are");
    }
    Ok(())
}

fn secondary_ip(spec: &Spec, host: &Host) -> Result<IpAddr, Refusal> {
    let Some(text) = &spec.secondary_ip else {
        return if host.address.is_ipv6() {
            Err(Refusal::invalid("When using a IPv6 primary address, a valid IPv4 address must be given as secondary"))
        } else {
            Ok(host.address)
        };
    };
    let address: IpAddr =
        text.parse().map_err(|_| Refusal::invalid(format!("Secondary IP address ({text}) has to be a valid IPv4 address")))?;
    if address.is_ipv4() {
        Ok(address)
    } else {
        Err(Refusal::invalid(format!("Secondary IP address ({text}) has to be a valid IPv4 address")))
    }
}

fn parse_all<T: std::str::FromStr<Err = UnknownWord>>(words: &[String]) -> Result<Vec<T>, Refusal> {
    words.iter().map(|word| word.parse().map_err(|error: UnknownWord| Refusal::invalid(error.to_string()))).collect()
}

fn words<T: AsRef<str>>(list: &[T]) -> Vec<String> {
    list.iter().map(|word| word.as_ref().to_owned()).collect()
}

fn cluster(spec: &Spec, host: &Host, name: String, master: &NodeUuid) -> Result<Cluster, Refusal> {
    let ipv6 = spec.primary_ip_version == 6;
    let hypervisors: Vec<HypervisorKind> = parse_all(spec.enabled_hypervisors.as_deref().unwrap_or(&["kvm".to_owned()]))?;
    settings::check_hypervisors(&hypervisors)?;
    let templates: Vec<DiskTemplate> = match &spec.enabled_disk_templates {
        Some(words) => parse_all(words)?,
        None => vec![DiskTemplate::File, DiskTemplate::SharedFile, DiskTemplate::Diskless],
    };
    settings::check_templates(&templates)?;
    let nicparams = settings::nicparams(&ParamMap::new(), &spec.nicparams)?;
    let master_netdev = match spec.master_netdev.clone().filter(|device| !device.is_empty()) {
        Some(device) => device,
        None => nicparams.get("link").and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    let (key_type, key_bits) = ssh_key(spec)?;
    let compression_tools =
        spec.compression_tools.clone().unwrap_or_else(|| ["gzip", "gzip-fast", "gzip-slow"].map(str::to_owned).to_vec());
    settings::compression_tools(&compression_tools)?;
    let pool = spec.candidate_pool_size.unwrap_or(10);
    let candidate_pool_size =
        u32::try_from(pool).ok().filter(|size| *size > 0).ok_or_else(|| Refusal::invalid("The candidate pool size must be at least 1"))?;
    let collector = DataCollector { active: true, interval: COLLECTOR_INTERVAL.into() };
    Ok(Cluster {
        rsahostkeypub: host.ssh_host_key.clone(),
        dsahostkeypub: None,
        highest_used_port: FIRST_PORT,
        tcpudp_port_pool: Vec::new(),
        mac_prefix: settings::mac_prefix(spec.mac_prefix.as_deref().unwrap_or("aa:00:00"))?,
        volume_group_name: None,
        reserved_lvs: Vec::new(),
        drbd_usermode_helper: None,
        master_node: master.clone(),
        master_ip: host.cluster_address.to_string(),
        master_netdev,
        master_netmask: settings::netmask(spec.master_netmask.unwrap_or(if ipv6 { 128 } else { 32 }), ipv6)?,
        use_external_mip_script: spec.use_external_mip_script.unwrap_or(false),
        cluster_name: name,
        file_storage_dir: directory("file storage", spec.file_storage_dir.as_deref(), DEFAULT_FILE_DIR, DiskTemplate::File, &templates)?,
        shared_file_storage_dir: directory(
            "shared file storage",
            spec.shared_file_storage_dir.as_deref(),
            DEFAULT_SHARED_DIR,
            DiskTemplate::SharedFile,
            &templates,
        )?,
        gluster_storage_dir: directory("Gluster storage", spec.gluster_storage_dir.as_deref(), "", DiskTemplate::Gluster, &templates)?,
        hvparams: settings::hvparams(&BTreeMap::new(), &spec.hvparams, &hypervisors)?,
        enabled_hypervisors: words(&hypervisors),
        os_hvp: BTreeMap::new(),
        beparams: BTreeMap::from([("default".to_owned(), settings::beparams(&ParamMap::new(), &spec.beparams)?)]),
        osparams: BTreeMap::new(),
        osparams_private_cluster: BTreeMap::new(),
        nicparams: BTreeMap::from([("default".to_owned(), nicparams)]),
        ndparams: settings::ndparams(&ParamMap::new(), &spec.ndparams)?,
        diskparams: settings::diskparams(&BTreeMap::new(), spec.diskparams.iter().map(|(name, values)| (name.as_str(), values)))?,
        candidate_pool_size,
        modify_etc_hosts: spec.modify_etc_hosts,
        modify_ssh_setup: spec.modify_ssh_setup,
        maintain_node_health: spec.maintain_node_health.unwrap_or(false),
        uid_pool: settings::uid_pool(spec.uid_pool.as_deref().unwrap_or_default())?,
        default_iallocator: spec.default_iallocator.clone().unwrap_or_else(|| "hail".to_owned()),
        default_iallocator_params: spec.default_iallocator_params.clone().unwrap_or_default().into_iter().collect(),
        hidden_os: Vec::new(),
        blacklisted_os: Vec::new(),
        primary_ip_family: if ipv6 { 10 } else { 2 },
        prealloc_wipe_disks: spec.prealloc_wipe_disks.unwrap_or(false),
        ipolicy: ipolicy(spec, &templates)?,
        hv_state_static: BTreeMap::new(),
        disk_state_static: BTreeMap::new(),
        enabled_disk_templates: words(&templates),
        candidate_certs: BTreeMap::from([(master.clone(), host.master_digest.clone())]),
        max_running_jobs: 20,
        max_tracked_jobs: 25,
        install_image: spec.install_image.clone().unwrap_or_default(),
        instance_communication_network: String::new(),
        zeroing_image: spec.zeroing_image.clone().unwrap_or_default(),
        compression_tools,
        enabled_user_shutdown: spec.enabled_user_shutdown.unwrap_or(false),
        data_collectors: COLLECTORS.iter().map(|name| ((*name).to_owned(), collector.clone())).collect(),
        ssh_key_type: key_type,
        ssh_key_bits: key_bits,
        stamps: Stamps::new(host.now),
        uuid: NodeUuid::random().as_str().to_owned(),
        tags: Default::default(),
    })
}

/// The policy allows what is enabled, unless the options say otherwise.
fn ipolicy(spec: &Spec, templates: &[DiskTemplate]) -> Result<Value, Refusal> {
    let mut request = spec.ipolicy.clone();
    request.entry("disk-templates").or_insert_with(|| json!(words(templates)));
    let policy = settings::cluster_ipolicy(&Value::Null, &request)?;
    settings::check_policy_templates(&policy.disk_templates, templates)?;
    serde_json::to_value(policy).map_err(|error| Refusal::invalid(error.to_string()))
}

fn directory(what: &str, given: Option<&str>, default: &str, template: DiskTemplate, enabled: &[DiskTemplate]) -> Result<String, Refusal> {
    let needed = enabled.contains(&template);
    let path = given.unwrap_or(if needed { default } else { "" });
    settings::storage_dir(what, path, needed)?;
    Ok(path.to_owned())
}

fn ssh_key(spec: &Spec) -> Result<(String, u32), Refusal> {
    let kind = spec.ssh_key_type.as_deref().unwrap_or("rsa");
    let (default, allowed): (u32, fn(u32) -> bool) = match kind {
        "rsa" => (2048, |bits| bits >= 768),
        "dsa" => (1024, |bits| bits == 1024),
        "ecdsa" => (384, |bits| [256, 384, 521].contains(&bits)),
        other => return Err(Refusal::invalid(format!("Unsupported SSH key type '{other}', choose one of dsa, ecdsa, rsa"))),
    };
    let bits = spec.ssh_key_bits.unwrap_or(default);
    if allowed(bits) {
        Ok((kind.to_owned(), bits))
    } else {
        Err(Refusal::invalid(format!("Invalid number of bits for an {kind} key: {bits}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Host {
        Host {
            name: "node1.example.com".to_owned(),
            address: IpAddr::from([192, 0, 2, 11]),
            cluster_address: IpAddr::from([192, 0, 2, 10]),
            ssh_host_key: String::new(),
            now: Timestamp::from_secs_f64(1_700_000_000.0),
            master_digest: "ab".repeat(32),
        }
    }

    fn spec(value: Value) -> Spec {
        let mut spec: Spec = serde_json::from_value(value).expect("the names of options");
        spec.cluster_name = "Cluster.Example.com".to_owned();
        spec
    }

    #[test]
    fn defaults_make_a_cluster() {
        let config = config(&spec(json!({})), &host()).expect("defaults are good");
        let cluster = config.cluster();
        assert_eq!(cluster.cluster_name, "cluster.example.com");
        assert_eq!((cluster.master_netmask, cluster.primary_ip_family), (32, 2));
        assert_eq!(cluster.file_storage_dir, "/srv/ganeti/file-storage");
        assert_eq!(cluster.master_netdev, "xen-br0");
        assert_eq!(cluster.ipolicy["disk-templates"], json!(["file", "sharedfile", "diskless"]));
        let master = config.master().expect("the master is there");
        assert!(master.master_candidate && config.group(&master.group).is_some());
        let document = serde_json::to_value(crate::export::config_data::document(&config, 1)).expect("finite");
        assert_eq!(document["cluster"]["hvparams"]["kvm"]["migration_port"], json!(8102));
    }

    #[test]
    fn options_are_checked() {
        for (wrong, text) in [
            (json!({"enabled_disk_templates": ["drbd"]}), "'drbd' is not available"),
            (json!({"enabled_hypervisors": ["xen-pvm"]}), "'xen-pvm' is not available"),
            (json!({"beparams": {"vcpu": 1}}), "Unknown parameter 'vcpu'"),
            (json!({"secondary_ip": "x"}), "has to be a valid IPv4"),
            (json!({"vg_name": "xenvg"}), "LVM"),
            (json!({"candidate_pool_size": 0}), "at least 1"),
            (json!({"ipolicy": {"disk-templates": ["drbd"]}}), "not enabled"),
            (json!({"ssh_key_type": "ecdsa", "ssh_key_bits": 100}), "Invalid number"),
            (json!({"master_netmask": 33}), "netmask"),
        ] {
            let error = config(&spec(wrong.clone()), &host()).expect_err("a wrong option");
            assert!(error.message.contains(text), "{wrong}: {}", error.message);
        }
    }
}

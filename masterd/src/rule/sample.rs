//! A small configuration for tests: three nodes in one group, and an instance on the first of them.

use std::sync::Arc;

use gannet_core::config::{Cluster, Config, Disk, Instance, Network, Node, NodeGroup, Object};
use serde_json::{Value, json};

/// The UUID of the `n`th object of the kind that `kind` stands for.
pub(crate) fn uuid(kind: u32, n: u32) -> String {
    format!("{kind:08x}-0000-4000-8000-{n:012x}")
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the sample has the form of the configuration")
}

/// A node of the sample, by number (from 1).
pub(crate) fn node(n: u32) -> Node {
    read(json!({
        "name": format!("node{n}.example.com"), "primary_ip": format!("192.0.2.{n}"), "secondary_ip": format!("192.0.2.{n}"),
        "master_candidate": true, "offline": false, "drained": false, "group": uuid(2, 1), "master_capable": true,
        "vm_capable": true, "ndparams": {}, "powered": true, "serial_no": 1, "uuid": uuid(1, n)
    }))
}

/// A network without an address in use; not in the sample's configuration.
pub(crate) fn network(name: &str, network: &str) -> Network {
    read(json!({"name": name, "network": network, "uuid": uuid(6, 1), "serial_no": 1}))
}

/// A disk of the sample.
pub(crate) fn disk(n: u32, on: u32) -> Disk {
    read(json!({
        "dev_type": "file", "logical_id": ["loop", format!("/srv/ganeti/file-storage/web{n}/{n}.file.disk0")],
        "nodes": [uuid(1, on)], "iv_name": "disk/0", "size": 1024, "mode": "rw", "uuid": uuid(4, n), "serial_no": 1
    }))
}

/// An instance of the sample.
pub(crate) fn instance(n: u32, on: u32) -> Instance {
    read(json!({
        "name": format!("web{n}.example.com"), "primary_node": uuid(1, on), "os": "debian", "hypervisor": "fake",
        "hvparams": {}, "beparams": {"maxmem": 256, "minmem": 256}, "osparams": {}, "admin_state": "up",
        "admin_state_source": "admin", "nics": [{"mac": format!("aa:00:00:00:00:{n:02x}"), "nicparams": {}, "uuid": uuid(5, n)}],
        "disks": [uuid(4, n)], "disks_active": true, "serial_no": 1, "uuid": uuid(3, n)
    }))
}

fn cluster() -> Cluster {
    // A text, since `json!` gives up on an object of this size.
    let text = r#"{
        "rsahostkeypub": "", "highest_used_port": 11000, "tcpudp_port_pool": [], "mac_prefix": "aa:00:00", "reserved_lvs": [],
        "master_node": "MASTER", "master_ip": "192.0.2.100", "master_netdev": "lo", "master_netmask": 32,
        "use_external_mip_script": false, "cluster_name": "cluster.example.com",
        "file_storage_dir": "/srv/ganeti/file-storage", "shared_file_storage_dir": "/srv/ganeti/shared-file-storage",
        "gluster_storage_dir": "", "enabled_hypervisors": ["fake", "kvm"], "hvparams": {}, "os_hvp": {}, "beparams": {},
        "osparams": {}, "osparams_private_cluster": {}, "nicparams": {"default": {"mode": "bridged", "link": "br0"}},
        "ndparams": {}, "diskparams": {}, "candidate_pool_size": 10, "modify_etc_hosts": false, "modify_ssh_setup": false,
        "maintain_node_health": false, "uid_pool": [], "default_iallocator": "hail", "default_iallocator_params": {},
        "hidden_os": [], "blacklisted_os": ["old"], "primary_ip_family": 2, "prealloc_wipe_disks": false, "ipolicy": {},
        "enabled_disk_templates": ["diskless", "file", "sharedfile"], "candidate_certs": {}, "max_running_jobs": 20,
        "max_tracked_jobs": 25, "install_image": "", "instance_communication_network": "", "zeroing_image": "",
        "compression_tools": [], "enabled_user_shutdown": false, "data_collectors": {}, "ssh_key_type": "rsa",
        "ssh_key_bits": 2048, "serial_no": 1, "uuid": "00000000-0000-4000-8000-000000000001"
    }"#;
    serde_json::from_str(&text.replace("MASTER", &uuid(1, 1))).expect("the sample has the form of the configuration")
}

fn group() -> NodeGroup {
    read(json!({
        "name": "default", "ndparams": {}, "alloc_policy": "preferred", "ipolicy": {}, "diskparams": {}, "networks": {},
        "serial_no": 1, "uuid": uuid(2, 1)
    }))
}

/// The sample.
pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.put(Object::Cluster(Arc::new(cluster())));
    config.put(Object::NodeGroup(Arc::new(group())));
    for n in 1..=3 {
        config.put(Object::Node(Arc::new(node(n))));
    }
    config.put(Object::Disk(Arc::new(disk(1, 1))));
    config.put(Object::Instance(Arc::new(instance(1, 1))));
    config
}

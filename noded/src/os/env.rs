//! The environment of OS scripts (parity: `os_interface.json`), which is all they get.

use std::collections::BTreeMap;

use gannet_proto::node::{DiskRef, Instance, Network, Nic, ParamValue, param_value};

use super::search::Os;
use crate::hypervisor::Device;
use crate::run;

/// Variables of one script.
pub type Env = BTreeMap<String, String>;

/// What every script of an OS gets, also `verify`, for which there is no instance.
#[must_use]
pub fn core<'a>(os: &Os, full_name: &str, params: impl IntoIterator<Item = (&'a String, &'a String)>, debug_level: u32) -> Env {
    let declared =
        || if os.may_vary() && !os.variants.is_empty() { super::variant(full_name).or(Some(os.variants[0].as_str())) } else { None };
    let mut env = Env::from([
        ("OS_API_VERSION".to_owned(), os.api_version().to_string()),
        ("OS_NAME".to_owned(), os.name.clone()),
        ("OS_VARIANT".to_owned(), declared().unwrap_or_default().to_owned()),
        ("DEBUG_LEVEL".to_owned(), debug_level.to_string()),
        ("PATH".to_owned(), run::PATH.to_owned()),
    ]);
    env.extend(params.into_iter().map(|(name, value)| (format!("OSP_{}", name.to_uppercase().replace('-', "_")), value.clone())));
    env
}

/// What a script about an instance gets. Secret parameters win over private ones, these over public ones, though no
/// name may be in two of them.
#[must_use]
pub fn instance(os: &Os, instance: &Instance, devices: &[Device], debug_level: u32) -> Env {
    let params = [&instance.osparams, &instance.osparams_private, &instance.osparams_secret];
    let mut env = core(os, &instance.os, params.into_iter().flatten(), debug_level);
    let mut set = |name: &str, value: String| env.insert(name.to_owned(), value);
    set("INSTANCE_NAME", instance.name.clone());
    set("INSTANCE_OS", instance.os.clone());
    set("INSTANCE_UUID", instance.uuid.clone());
    set("INSTANCE_CTIME", python_float(instance.ctime));
    set("INSTANCE_MTIME", python_float(instance.mtime));
    set("INSTANCE_PRIMARY_NODE", instance.primary_node.clone());
    set("INSTANCE_SECONDARY_NODES", instance.secondary_nodes.join(" "));
    set("HYPERVISOR", instance.hypervisor.clone());
    set("DISK_COUNT", devices.len().to_string());
    set("NIC_COUNT", instance.nics.len().to_string());
    for (index, device) in devices.iter().enumerate() {
        disk(&mut env, index, device, instance);
    }
    for (index, item) in instance.nics.iter().enumerate() {
        nic(&mut env, index, item, instance);
    }
    for (name, value) in backend(instance) {
        env.insert(format!("INSTANCE_BE_{name}"), value);
    }
    for (name, value) in &instance.hvparams {
        env.insert(format!("INSTANCE_HV_{name}"), python_text(value));
    }
    env
}

fn disk(env: &mut Env, index: usize, device: &Device, instance: &Instance) {
    let disk = &device.disk;
    let mut set = |name: &str, value: String| env.insert(format!("DISK_{index}_{name}"), value);
    set("ACCESS", disk.mode.clone());
    set("UUID", disk.uuid.clone());
    set("SIZE", disk.size_mib.to_string());
    let optional =
        [("PATH", device.path.clone()), ("URI", device.uri.clone()), ("NAME", disk.name.clone()), ("BACKEND_TYPE", backend_type(disk))];
    for (name, value) in optional.into_iter().filter(|(_, value)| !value.is_empty()) {
        set(name, value);
    }
    if let Some(kind) = instance.hvparams.get("disk_type") {
        set("FRONTEND_TYPE", python_text(kind));
    }
}

fn backend_type(disk: &DiskRef) -> String {
    match disk.dev_type.as_str() {
        "file" | "sharedfile" | "gluster" => format!("file:{}", disk.logical_first),
        "diskless" => String::new(),
        _ => "block".to_owned(),
    }
}

fn nic(env: &mut Env, index: usize, nic: &Nic, instance: &Instance) {
    let mut set = |name: &str, value: &str| {
        if !value.is_empty() {
            env.insert(format!("NIC_{index}_{name}"), value.to_owned());
        }
    };
    set("MAC", &nic.mac);
    set("UUID", &nic.uuid);
    set("NAME", &nic.name);
    set("IP", &nic.ip);
    set("MODE", &nic.mode);
    if nic.mode == "bridged" {
        set("BRIDGE", &nic.link);
    }
    set("LINK", &nic.link);
    if let Some(kind) = instance.hvparams.get("nic_type") {
        set("FRONTEND_TYPE", &python_text(kind));
    }
    if let Some(network) = nic.network.as_ref().filter(|network| !network.uuid.is_empty()) {
        env.extend(network_vars(network).into_iter().map(|(name, value)| (format!("NIC_{index}_NETWORK_{name}"), value)));
    }
}

/// Name, uuid and tags always, the others when set.
fn network_vars(network: &Network) -> Vec<(&'static str, String)> {
    let mut vars = vec![("NAME", network.name.clone()), ("UUID", network.uuid.clone()), ("TAGS", network.tags.join(" "))];
    let optional = [
        ("SUBNET", &network.subnet),
        ("GATEWAY", &network.gateway),
        ("SUBNET6", &network.subnet6),
        ("GATEWAY6", &network.gateway6),
        ("MAC_PREFIX", &network.mac_prefix),
    ];
    vars.extend(optional.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, value.clone())));
    vars
}

fn backend(instance: &Instance) -> BTreeMap<String, String> {
    let mut params = BTreeMap::from([
        ("maxmem".to_owned(), instance.max_memory_mib.to_string()),
        ("minmem".to_owned(), instance.min_memory_mib.to_string()),
        ("vcpus".to_owned(), instance.vcpus.to_string()),
    ]);
    params.extend(instance.beparams.iter().map(|(name, value)| (name.clone(), python_text(value))));
    params
}

/// As Python's `str()` writes it, which scripts compare with.
fn python_text(value: &ParamValue) -> String {
    match &value.value {
        Some(param_value::Value::Boolean(true)) => "True".to_owned(),
        Some(param_value::Value::Boolean(false)) => "False".to_owned(),
        Some(param_value::Value::Integer(integer)) => integer.to_string(),
        Some(param_value::Value::Number(number)) => python_float(*number),
        Some(param_value::Value::Text(text)) => text.clone(),
        None => "None".to_owned(),
    }
}

fn python_float(number: f64) -> String {
    format!("{number:?}")
}

#[cfg(test)]
mod tests {
    use super::super::{sample, search};
    use super::*;
    use crate::storage::suite::Node;

    #[test]
    fn everything_that_ganeti_gives() {
        let node = Node::new();
        sample::os(&node.paths, "deb", "exit 0");
        let os = search::find(&node.paths, "deb").unwrap();
        let text = |text: &str| ParamValue { value: Some(param_value::Value::Text(text.into())) };
        let network = Network {
            name: "lan".into(),
            uuid: "n-u".into(),
            subnet: "10.0.0.0/24".into(),
            tags: vec!["x".into(), "y".into()],
            ..Network::default()
        };
        let subject = Instance {
            name: "web1".into(),
            uuid: "i-u".into(),
            os: "deb+b".into(),
            hypervisor: "kvm".into(),
            primary_node: "node-uuid".into(),
            ctime: 12.0,
            max_memory_mib: 128,
            min_memory_mib: 64,
            vcpus: 2,
            hvparams: [
                ("disk_type".to_owned(), text("paravirtual")),
                ("acpi".to_owned(), ParamValue { value: Some(param_value::Value::Boolean(true)) }),
            ]
            .into(),
            beparams: [("auto_balance".to_owned(), ParamValue { value: Some(param_value::Value::Boolean(false)) })].into(),
            osparams: [("dhcp-name".to_owned(), "on".to_owned())].into(),
            osparams_secret: [("pw".to_owned(), "geheim".to_owned())].into(),
            nics: vec![Nic {
                mac: "aa:00:00:00:00:01".into(),
                uuid: "nic-u".into(),
                mode: "bridged".into(),
                link: "br0".into(),
                network: Some(network),
                ..Nic::default()
            }],
            ..Instance::default()
        };
        let disk = DiskRef {
            dev_type: "file".into(),
            logical_first: "loop".into(),
            mode: "rw".into(),
            uuid: "d-u".into(),
            size_mib: 1024,
            ..DiskRef::default()
        };
        let devices = [Device { disk, path: "/srv/x".into(), uri: String::new() }];
        let lines: Vec<String> = instance(&os, &subject, &devices, 1).iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = "\
DEBUG_LEVEL=1
DISK_0_ACCESS=rw
DISK_0_BACKEND_TYPE=file:loop
DISK_0_FRONTEND_TYPE=paravirtual
DISK_0_PATH=/srv/x
DISK_0_SIZE=1024
DISK_0_UUID=d-u
DISK_COUNT=1
HYPERVISOR=kvm
INSTANCE_BE_auto_balance=False
INSTANCE_BE_maxmem=128
INSTANCE_BE_minmem=64
INSTANCE_BE_vcpus=2
INSTANCE_CTIME=12.0
INSTANCE_HV_acpi=True
INSTANCE_HV_disk_type=paravirtual
INSTANCE_MTIME=0.0
INSTANCE_NAME=web1
INSTANCE_OS=deb+b
INSTANCE_PRIMARY_NODE=node-uuid
INSTANCE_SECONDARY_NODES=
INSTANCE_UUID=i-u
NIC_0_BRIDGE=br0
NIC_0_LINK=br0
NIC_0_MAC=aa:00:00:00:00:01
NIC_0_MODE=bridged
NIC_0_NETWORK_NAME=lan
NIC_0_NETWORK_SUBNET=10.0.0.0/24
NIC_0_NETWORK_TAGS=x y
NIC_0_NETWORK_UUID=n-u
NIC_0_UUID=nic-u
NIC_COUNT=1
OSP_DHCP_NAME=on
OSP_PW=geheim
OS_API_VERSION=20
OS_NAME=deb
OS_VARIANT=b
PATH=/sbin:/bin:/usr/sbin:/usr/bin";
        assert_eq!(lines.join("\n"), expected);
        assert_eq!(core(&os, "deb", [], 0)["OS_VARIANT"], "a", "the first variant is the default");
    }
}

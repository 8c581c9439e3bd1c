//! Sets a guest's tap device up: by the operator's script if there is one (`/etc/ganeti/kvm-vif-bridge`, Ganeti's
//! environment), else by ourselves. A NIC on a bridge without a script is libvirt's business alone.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gannet_core::paths::Paths;
use gannet_proto::node::{Instance, Nic};

use super::Error;
use crate::run::{PATH, Program};

/// How long the script may take.
const SCRIPT: Duration = Duration::from_secs(60);
/// How long `ip` may take.
const IP: Duration = Duration::from_secs(10);

/// Whose NIC it is, and where.
pub struct Owner<'a> {
    /// This node.
    pub node: &'a str,
    /// The guest.
    pub instance: &'a Instance,
}

/// The operator's script, if it is there and executable.
#[must_use]
pub fn user_script(paths: &Paths) -> Option<PathBuf> {
    let script = paths.conf_dir().join("kvm-vif-bridge");
    let executable = std::fs::metadata(&script).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0);
    executable.then_some(script)
}

/// Whether something must be done to the device after it exists and before the guest runs.
#[must_use]
pub fn needs_setup(paths: &Paths, nic: &Nic) -> bool {
    nic.mode == "routed" || user_script(paths).is_some()
}

/// Is what the NIC is tied to there?
///
/// # Errors
/// Naming what is missing.
pub fn check(paths: &Paths, node: &str, index: usize, nic: &Nic) -> Result<(), Error> {
    let named = describe(index, nic);
    match nic.mode.as_str() {
        "bridged" if is_bridge(&nic.link) => Ok(()),
        // a script may tie it to something else than a Linux bridge
        "bridged" if user_script(paths).is_some() && exists(&nic.link) => Ok(()),
        "bridged" => Err(Error::NoBridge { node: node.to_owned(), link: nic.link.clone(), nic: named }),
        "routed" if nic.ip.is_empty() => Err(Error::Invalid { nic: named, reason: "a routed NIC needs an IP address".to_owned() }),
        "routed" => Ok(()),
        "openvswitch" => check_switch(node, &nic.link).map_err(|reason| Error::NoSwitch {
            node: node.to_owned(),
            link: nic.link.clone(),
            nic: named,
            reason,
        }),
        other => Err(Error::Invalid { nic: named, reason: format!("mode {other:?} is none of bridged, routed, openvswitch") }),
    }
}

fn exists(device: &str) -> bool {
    !device.is_empty() && !device.contains('/') && Path::new("/sys/class/net").join(device).exists()
}

fn is_bridge(device: &str) -> bool {
    exists(device) && Path::new("/sys/class/net").join(device).join("bridge").is_dir()
}

fn check_switch(_node: &str, link: &str) -> Result<(), String> {
    let installed = PATH.split(':').any(|directory| Path::new(directory).join("ovs-vsctl").is_file());
    match (installed, exists(link)) {
        (false, _) => Err("ovs-vsctl is not installed".to_owned()),
        (true, false) => Err("there is no such switch".to_owned()),
        (true, true) => Ok(()),
    }
}

/// Sets the device of one NIC up.
///
/// # Errors
/// When the script or `ip` fails.
pub async fn set_up(paths: &Paths, owner: &Owner<'_>, index: usize, nic: &Nic, device: &str) -> Result<(), Error> {
    let failed = |source| Error::Program { node: owner.node.to_owned(), nic: describe(index, nic), source };
    if let Some(script) = user_script(paths) {
        let program = Program::new(&script).only_env(environment(owner, index, nic, device)).timeout(SCRIPT);
        return program.output().await.map(drop).map_err(failed);
    }
    if nic.mode == "routed" {
        for arguments in routes(nic, device) {
            Program::new("ip").args(&arguments).timeout(IP).output().await.map_err(failed)?;
        }
        forward(nic, device);
    }
    Ok(())
}

/// What `ip` is asked to do for a routed NIC; its link names a routing table, if any.
fn routes(nic: &Nic, device: &str) -> Vec<Vec<String>> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let (family, bits) = if nic.ip.contains(':') { ("-6", 128) } else { ("-4", 32) };
    let mut route = words(&format!("{family} route replace {}/{bits} dev {device} proto static", nic.ip));
    if !nic.link.is_empty() {
        route.extend(["table".to_owned(), nic.link.clone()]);
    }
    vec![words(&format!("link set dev {device} up")), route]
}

/// The node answers for the guest on its other networks and forwards to it. A kernel without these switches routes
/// by what the operator has set globally.
fn forward(nic: &Nic, device: &str) {
    let family = if nic.ip.contains(':') { "ipv6" } else { "ipv4" };
    let proxy = if family == "ipv6" { "proxy_ndp" } else { "proxy_arp" };
    for switch in ["forwarding", proxy] {
        let path = format!("/proc/sys/net/{family}/conf/{device}/{switch}");
        if let Err(error) = std::fs::write(&path, "1") {
            tracing::warn!(path, %error, "the device's switch could not be set");
        }
    }
}

/// Ganeti's environment for `kvm-ifup` scripts.
fn environment(owner: &Owner<'_>, index: usize, nic: &Nic, device: &str) -> BTreeMap<&'static str, String> {
    let mut env: BTreeMap<&'static str, String> = [
        ("PATH", PATH.to_owned()),
        ("INSTANCE", owner.instance.name.clone()),
        ("MAC", nic.mac.clone()),
        ("MODE", nic.mode.clone()),
        ("INTERFACE", device.to_owned()),
        ("INTERFACE_INDEX", index.to_string()),
        ("INTERFACE_UUID", nic.uuid.clone()),
        ("TAGS", owner.instance.tags.join(" ")),
        ("VLAN", nic.vlan.clone()),
    ]
    .into();
    let mut given = |name, value: &str| {
        if !value.is_empty() {
            env.insert(name, value.to_owned());
        }
    };
    given("IP", &nic.ip);
    given("INTERFACE_NAME", &nic.name);
    given("LINK", &nic.link);
    if nic.mode == "bridged" {
        given("BRIDGE", &nic.link);
    }
    if let Some(network) = &nic.network {
        given("NETWORK_NAME", &network.name);
        given("NETWORK_UUID", &network.uuid);
        given("NETWORK_SUBNET", &network.subnet);
        given("NETWORK_GATEWAY", &network.gateway);
        given("NETWORK_SUBNET6", &network.subnet6);
        given("NETWORK_GATEWAY6", &network.gateway6);
        given("NETWORK_MAC_PREFIX", &network.mac_prefix);
        given("NETWORK_TAGS", &network.tags.join(" "));
    }
    env
}

fn describe(index: usize, nic: &Nic) -> String {
    let name = if nic.name.is_empty() { &nic.mac } else { &nic.name };
    format!("NIC {index} ({name})")
}

#[cfg(test)]
mod tests {
    use gannet_proto::node::Network;

    use super::*;

    fn nic(mode: &str, link: &str) -> Nic {
        Nic { uuid: "7a3b".to_owned(), mac: "aa:00:00:00:00:01".to_owned(), mode: mode.to_owned(), link: link.to_owned(), ..Nic::default() }
    }

    #[test]
    fn a_missing_bridge_is_named() {
        let paths = Paths::new(Some("/nonexistent".into()));
        let error = check(&paths, "node1", 0, &nic("bridged", "br-missing")).expect_err("there is none");
        assert_eq!(
            error.to_string(),
            "node node1 has no bridge br-missing, which NIC 0 (aa:00:00:00:00:01) is to be tied to; create it, or change the link"
        );
        // a device that is no bridge does not do
        assert!(check(&paths, "node1", 0, &nic("bridged", "lo")).is_err());
        assert!(check(&paths, "node1", 0, &nic("routed", "")).is_err());
        assert!(check(&paths, "node1", 0, &nic("strange", "")).is_err());
    }

    #[test]
    fn routes_go_to_the_links_table() {
        let routed = Nic { ip: "192.0.2.7".to_owned(), ..nic("routed", "100") };
        let lines: Vec<_> = routes(&routed, "gnt1").iter().map(|words| words.join(" ")).collect();
        assert_eq!(lines, ["link set dev gnt1 up", "-4 route replace 192.0.2.7/32 dev gnt1 proto static table 100"]);
        let six = Nic { ip: "2001:db8::7".to_owned(), ..nic("routed", "") };
        assert_eq!(routes(&six, "gnt1")[1].join(" "), "-6 route replace 2001:db8::7/128 dev gnt1 proto static");
    }

    #[tokio::test]
    async fn the_script_gets_ganetis_environment() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::new(Some(root.path().to_owned()));
        std::fs::create_dir_all(paths.conf_dir()).expect("conf dir");
        let script = paths.conf_dir().join("kvm-vif-bridge");
        let seen = root.path().join("seen");
        std::fs::write(&script, format!("#!/bin/sh\nenv > {}\n", seen.display())).expect("script");
        assert!(user_script(&paths).is_none(), "not executable yet");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("chmod");
        let network = Network { name: "net1".to_owned(), subnet: "192.0.2.0/24".to_owned(), ..Network::default() };
        let nic = Nic { network: Some(network), ..nic("bridged", "br0") };
        let instance = Instance { name: "web1".to_owned(), tags: vec!["a".to_owned(), "b".to_owned()], ..Instance::default() };
        set_up(&paths, &Owner { node: "node1", instance: &instance }, 1, &nic, "gnt7a3b").await.expect("the script runs");
        let seen = std::fs::read_to_string(seen).expect("environment");
        for line in
            ["INSTANCE=web1", "INTERFACE=gnt7a3b", "INTERFACE_INDEX=1", "BRIDGE=br0", "TAGS=a b", "NETWORK_SUBNET=192.0.2.0/24", "VLAN="]
        {
            assert!(seen.lines().any(|seen| seen == line), "{line} in\n{seen}");
        }
        assert!(!seen.contains("\nIP="), "{seen}");
    }
}

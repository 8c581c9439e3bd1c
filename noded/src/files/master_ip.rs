//! The master's own address, which moves with the master role.

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use gannet_core::paths::Paths;
use gannet_proto::node::MasterIpRequest;

use super::Error;
use crate::run::{PATH, Program};

/// `ip` only talks to the kernel.
const IP_TIMEOUT: Duration = Duration::from_secs(10);
/// The operator's own script may talk to switches and clouds (Ganeti: `RPC_TMO_FAST`).
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(300);
/// The kernel's limit for a label, in bytes.
const LABEL_MAX: usize = 15;

/// Adds the address to its device and tells the neighbours. An address that is here already is left as it is.
///
/// # Errors
/// When another machine has the address, or the device does not take it.
pub async fn start(paths: &Paths, request: &MasterIpRequest) -> Result<(), Error> {
    if request.external_script {
        return script(paths, request, "start").await;
    }
    let ip = address(&request.ip)?;
    if is_local(ip) {
        return Ok(());
    }
    let netdev = device(&request.netdev)?;
    if answers(ip).await {
        return Err(Error::AddressTaken(ip));
    }
    let mut args = vec!["addr".to_owned(), "add".to_owned(), with_mask(ip, request.netmask)?, "dev".to_owned(), netdev.to_owned()];
    let label = format!("{netdev}:0");
    if ip.is_ipv4() && label.len() <= LABEL_MAX {
        args.extend(["label".to_owned(), label]);
    }
    // never the source of what this node sends on its own
    args.extend(["preferred_lft".to_owned(), "0".to_owned()]);
    ip_command("add the master IP address", &args).await?;
    announce(ip, netdev).await;
    Ok(())
}

/// Takes the address from its device; one that is not here is fine.
///
/// # Errors
/// When the device does not give it up.
pub async fn stop(paths: &Paths, request: &MasterIpRequest) -> Result<(), Error> {
    if request.external_script {
        return script(paths, request, "stop").await;
    }
    let ip = address(&request.ip)?;
    if !has_interface(ip) {
        return Ok(());
    }
    let netdev = device(&request.netdev)?;
    let args = ["addr".to_owned(), "del".to_owned(), with_mask(ip, request.netmask)?, "dev".to_owned(), netdev.to_owned()];
    ip_command("remove the master IP address", &args).await
}

/// Whether this node answers to the address.
pub async fn is_here(ip: &str) -> bool {
    ip.parse().is_ok_and(is_local)
}

fn is_local(ip: IpAddr) -> bool {
    // all of 127.0.0.0/8 works without being configured
    has_interface(ip) || (ip.is_loopback() && UdpSocket::bind((ip, 0)).is_ok())
}

fn has_interface(ip: IpAddr) -> bool {
    let Ok(mut addresses) = nix::ifaddrs::getifaddrs() else { return false };
    addresses.any(|interface| {
        let Some(address) = interface.address else { return false };
        let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()))) == Some(ip)
    })
}

/// Does another machine use the address? Without `ping` nobody can say, and Ganeti's rule is then to go on.
async fn answers(ip: IpAddr) -> bool {
    let ping = Program::new("ping").args(["-c", "2", "-W", "1", "-q"]).arg(ip.to_string()).timeout(IP_TIMEOUT);
    ping.finish().await.is_ok_and(|output| output.exit.success())
}

/// Neighbours keep the old place in mind for minutes otherwise. Failing is no reason to take the address back.
async fn announce(ip: IpAddr, netdev: &str) {
    let ip = ip.to_string();
    let program = if ip.contains(':') {
        Program::new("ndisc6").args(["-q", "-r", "3", &ip, netdev])
    } else {
        Program::new("arping").args(["-q", "-U", "-c", "3", "-I", netdev, "-s", &ip, &ip])
    };
    if let Err(error) = program.timeout(IP_TIMEOUT).output().await {
        tracing::info!(%error, "neighbours were not told about the master IP address");
    }
}

async fn ip_command(action: &str, args: &[String]) -> Result<(), Error> {
    let program = Program::new("ip").args(args).timeout(IP_TIMEOUT);
    program.output().await.map(drop).map_err(|source| Error::Program { action: action.to_owned(), source })
}

/// The operator's own script decides alone.
async fn script(paths: &Paths, request: &MasterIpRequest, action: &str) -> Result<(), Error> {
    let ip = address(&request.ip)?;
    let program = Program::new(paths.conf_dir().join("scripts/master-ip-setup")).arg(action).timeout(SCRIPT_TIMEOUT);
    let program = program.only_env([
        ("PATH", PATH),
        ("MASTER_NETDEV", &request.netdev),
        ("MASTER_IP", &request.ip),
        ("MASTER_NETMASK", &request.netmask.to_string()),
        ("CLUSTER_IP_VERSION", if ip.is_ipv4() { "4" } else { "6" }),
    ]);
    program.output().await.map(drop).map_err(|source| Error::Program { action: format!("{action} the master IP"), source })
}

fn address(text: &str) -> Result<IpAddr, Error> {
    text.parse().map_err(|_| Error::Invalid(format!("'{text}' is not an IP address")))
}

fn device(name: &str) -> Result<&str, Error> {
    let plain = !name.is_empty() && !name.starts_with('-') && !name.contains(|c: char| c.is_whitespace() || c == '/');
    if plain { Ok(name) } else { Err(Error::Invalid(format!("'{name}' is not a network device"))) }
}

fn with_mask(ip: IpAddr, netmask: u32) -> Result<String, Error> {
    let most = if ip.is_ipv4() { 32 } else { 128 };
    match netmask {
        0 => Ok(format!("{ip}/{most}")),
        bits if bits <= most => Ok(format!("{ip}/{bits}")),
        bits => Err(Error::Invalid(format!("{bits} is not a netmask of {ip}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::suite::Node;

    fn request(ip: &str) -> MasterIpRequest {
        MasterIpRequest { ip: ip.into(), netdev: "lo".into(), netmask: 32, ..MasterIpRequest::default() }
    }

    #[tokio::test]
    async fn loopback_addresses_are_here_already() {
        let node = Node::new();
        assert!(is_here("127.0.0.1").await && is_here("127.77.0.9").await);
        assert!(!is_here("192.0.2.1").await && !is_here("").await);
        for _ in 0..2 {
            start(&node.paths, &request("127.77.0.9")).await.unwrap();
            stop(&node.paths, &request("127.77.0.9")).await.unwrap();
        }
        stop(&node.paths, &request("192.0.2.1")).await.unwrap();
    }

    #[tokio::test]
    async fn odd_requests() {
        let node = Node::new();
        assert!(matches!(start(&node.paths, &request("x")).await, Err(Error::Invalid(_))));
        let odd = MasterIpRequest { netdev: "--help".into(), ..request("192.0.2.1") };
        assert!(matches!(start(&node.paths, &odd).await, Err(Error::Invalid(_))));
        assert!(with_mask("192.0.2.1".parse().unwrap(), 33).is_err());
    }

    #[tokio::test]
    async fn the_operators_script() {
        let node = Node::new();
        let script = MasterIpRequest { external_script: true, netmask: 24, ..request("192.0.2.1") };
        assert!(matches!(start(&node.paths, &script).await, Err(Error::Program { .. })), "there is none");
        std::fs::create_dir_all(node.paths.conf_dir().join("scripts")).unwrap();
        let out = node.root.path().join("out");
        let text = format!("echo $1 $MASTER_NETDEV $MASTER_IP/$MASTER_NETMASK $CLUSTER_IP_VERSION > {}", out.display());
        crate::os::sample::script(&node.paths.conf_dir().join("scripts/master-ip-setup"), &text);
        start(&node.paths, &script).await.unwrap();
        assert_eq!(std::fs::read_to_string(out).unwrap(), "start lo 192.0.2.1/24 4\n");
    }
}

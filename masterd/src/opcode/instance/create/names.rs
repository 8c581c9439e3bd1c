//! The name of a new instance: whether it is free, and, when asked for, whether it resolves.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use gannet_core::config::Config;
use gannet_core::error::ErrorCode;
use gannet_core::name::InstanceName;
use gannet_core::opcode::InstanceCreate;
use gannet_core::paths::NODED_PORT;

use crate::held::Held;
use crate::refusal::Refusal;
use crate::resolve;

/// How long somebody with the instance's address may take to answer, in seconds (Ganeti: 10; a local network needs far less).
const PROBE: Duration = Duration::from_secs(2);
/// Socket family number of IPv6, in the cluster's settings.
const IPV6: u8 = 10;

/// Checks the name as far as the request wants; the address that it has, if it was looked up.
pub(super) async fn check(op: &InstanceCreate, held: &Held<'_>) -> Result<Option<String>, Refusal> {
    if !op.name_check {
        return if op.ip_check { Err(Refusal::invalid("IP address checks not possible without a name check")) } else { Ok(None) };
    }
    let ipv6 = held.config().cluster().primary_ip_family == IPV6;
    let (paths, name) = (held.context().master.paths().clone(), op.instance_name.clone());
    let Some(address) = blocking(move || resolve::resolve(&paths, &name, ipv6)).await? else {
        return Err(Refusal::new(ErrorCode::Resolver, format!("The given name ({}) does not resolve", op.instance_name)));
    };
    if op.ip_check && op.start && blocking(move || answers(address)).await? {
        return Err(Refusal::new(ErrorCode::NotUnique, format!("IP {address} of instance {} already in use", op.instance_name)));
    }
    Ok(Some(address.to_string()))
}

/// The resolver of the system and a probing connection block; they get a thread of their own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Refusal::new(ErrorCode::Fault, format!("looking up the instance's name broke off: {error}")))
}

/// Whether a machine has the address: also one that refuses the connection is there.
fn answers(address: IpAddr) -> bool {
    match TcpStream::connect_timeout(&SocketAddr::new(address, NODED_PORT), PROBE) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
    }
}

/// Refuses a name that is taken. The lock of the name, held by this job, keeps it free until the record is there.
pub(super) fn check_free(config: &Config, name: &InstanceName) -> Result<(), Refusal> {
    if config.instances().any(|other| other.name == *name) {
        return Err(Refusal::exists(format!("Instance '{name}' is already in the cluster")));
    }
    Ok(())
}

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
    let address = address(held, &op.instance_name).await?;
    if op.ip_check && op.start {
        check_unused(address, &op.instance_name).await?;
    }
    Ok(Some(address.to_string()))
}

/// The address of a name.
pub(in crate::opcode::instance) async fn address(held: &Held<'_>, name: &str) -> Result<IpAddr, Refusal> {
    let ipv6 = held.config().cluster().primary_ip_family == IPV6;
    let (paths, wanted) = (held.context().master.paths().clone(), name.to_owned());
    let found = blocking(move || resolve::resolve(&paths, &wanted, ipv6)).await?;
    found.ok_or_else(|| Refusal::new(ErrorCode::Resolver, format!("The given name ({name}) does not resolve")))
}

/// Refuses when a machine has the address already.
pub(in crate::opcode::instance) async fn check_unused(address: IpAddr, name: &str) -> Result<(), Refusal> {
    if blocking(move || answers(address)).await? {
        return Err(Refusal::new(ErrorCode::NotUnique, format!("IP {address} of instance {name} already in use")));
    }
    Ok(())
}

/// The resolver of the system and a probing connection block; they get a thread of their own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    let done = gannet_daemon::work::blocking(work).await;
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

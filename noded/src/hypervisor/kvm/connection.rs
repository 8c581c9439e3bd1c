//! Which libvirtd is used, and what it can do.

use std::path::{Path, PathBuf};

use gannet_core::param::hv::HvParams;
use gannet_libvirt::{Capabilities, Connection, Domain, Options, State};
use tokio::net::UnixStream;

use super::Kvm;
use crate::hypervisor::{Duplex, Error};

/// Another libvirt than the system's; needed on virtual nodes, which must not share one.
const URI_VARIABLE: &str = "GANNET_LIBVIRT_URI";
/// Where libvirt's daemons listen: the modular one, the monolithic one.
const SOCKETS: [&str; 2] = ["/run/libvirt/virtqemud-sock", "/run/libvirt/libvirt-sock"];

impl Kvm {
    pub(super) async fn connection(&self) -> Result<&Connection, Error> {
        let connection = self
            .connection
            .get_or_try_init(|| async { Connection::start(Options { uri: self.uri()?, ..Options::default() }).map_err(Error::from) })
            .await?;
        connection.ready(connection.options().open).await?;
        Ok(connection)
    }

    fn uri(&self) -> Result<String, Error> {
        match (std::env::var(URI_VARIABLE), self.paths.root()) {
            (Ok(uri), _) if !uri.is_empty() => Ok(uri),
            (_, None) => Ok(Options::default().uri),
            (_, Some(_)) => Err(Error::Missing(format!(
                "hypervisor kvm on a virtual node needs a libvirtd of its own: set {URI_VARIABLE} (qemu+unix:///system?socket=PATH)"
            ))),
        }
    }

    /// The guest, if it is ours and active.
    pub(super) async fn running(&self, name: &str) -> Result<Domain, Error> {
        let connection = self.connection().await?;
        let domain = connection.domain(name)?;
        match domain.info().await? {
            Some(info) if info.state.is_active() && self.is_ours(connection, &info).await? => Ok(domain),
            _ => Err(Error::NotRunning { instance: name.to_owned() }),
        }
    }

    pub(super) async fn state_of(&self, domain: &Domain) -> Result<Option<State>, Error> {
        Ok(domain.state().await?)
    }

    /// QEMU's version, and what the operator should know.
    pub(super) async fn facts(&self) -> Result<(String, String), Error> {
        let connection = self.connection().await?;
        let versions = connection.versions().await?;
        let capabilities = connection.capabilities().await?;
        let v = versions.hypervisor;
        let version = format!("{}.{}.{}", v / 1_000_000, v / 1000 % 1000, v % 1000);
        Ok((version, warning(&capabilities)))
    }

    /// Values that only QEMU can judge.
    pub(super) async fn machine_problems(&self, params: &HvParams) -> Result<Vec<String>, Error> {
        let capabilities = self.connection().await?.capabilities().await?;
        let mut problems = Vec::new();
        let machine = params.text("machine_version");
        if super::params::emulator(params).is_none() && !machine.is_empty() && !capabilities.machines.iter().any(|known| known == machine) {
            problems.push(format!("machine_version: QEMU on this node does not know {machine}"));
        }
        let model = params.text("cpu_type").split(',').next().unwrap_or_default();
        if !matches!(model, "" | "host" | "max") && !capabilities.cpu_models.iter().any(|known| known == model) {
            problems.push(format!("cpu_type: libvirt on this node does not know {model}"));
        }
        if params.text("kvm_flag") == "enabled" && !capabilities.kvm {
            problems.push("kvm_flag=enabled, but hardware virtualisation does not work on this node".to_owned());
        }
        Ok(problems)
    }

    /// A stream to the local libvirtd, for the other end of a tunnel.
    pub(super) async fn own_socket(&self) -> Result<Box<dyn Duplex>, Error> {
        let path = socket(&self.uri()?)?;
        let stream = UnixStream::connect(&path).await;
        let stream = stream.map_err(|error| Error::Unavailable(format!("cannot reach libvirt at {}: {error}", path.display())))?;
        Ok(Box::new(stream))
    }
}

fn warning(capabilities: &Capabilities) -> String {
    match &capabilities.kvm_missing {
        Some(reason) => format!("no usable /dev/kvm: guests run under TCG emulation, slowly ({reason})"),
        None => String::new(),
    }
}

/// The UNIX socket behind a libvirt URI.
fn socket(uri: &str) -> Result<PathBuf, Error> {
    let given = uri.split_once('?').and_then(|(_, query)| query.split('&').find_map(|pair| pair.strip_prefix("socket=")));
    if let Some(path) = given {
        return Ok(PathBuf::from(path));
    }
    SOCKETS
        .iter()
        .map(Path::new)
        .find(|path| path.exists())
        .map(Path::to_owned)
        .ok_or_else(|| Error::Missing(format!("libvirt has no socket on this node (looked for {})", SOCKETS.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_of_a_uri() {
        assert_eq!(socket("qemu+unix:///system?mode=x&socket=/tmp/n1/sock").expect("given"), Path::new("/tmp/n1/sock"));
    }

    #[tokio::test]
    async fn a_virtual_node_does_not_touch_the_systems_libvirt() {
        let kvm = Kvm::new(&gannet_core::paths::Paths::new(Some("/tmp/nowhere".into())), "node1");
        let error = kvm.connection().await.err().expect("no URI").to_string();
        assert!(error.contains("GANNET_LIBVIRT_URI"), "{error}");
    }
}

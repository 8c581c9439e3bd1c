//! Certificates of the Raft port.
//!
//! A member proves with `master.pem` (CN `gannet-master`), which only master
//! candidates have, that it may talk Raft; it is recognised by `server.pem`,
//! which names its node.

use std::path::Path;

use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};
use tonic::{Request, Status};
use x509_parser::parse_x509_certificate;

use crate::error::Error;
use crate::identity::failed;

/// The common name of the client certificate.
const MEMBER: &str = "gannet-master";

/// Both sides of the Raft port.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) server: ServerTlsConfig,
    pub(crate) client: ClientTlsConfig,
}

impl Tls {
    /// Reads the certificates; `None` when this node has none of them yet.
    pub(crate) fn load(ca: &Path, node: &Path, member: &Path) -> Result<Option<Self>, Error> {
        let (Some(ca), Some(node), Some(member)) = (read(ca)?, read(node)?, read(member)?) else {
            return Ok(None);
        };
        // One file holds certificate and key; each reader takes its part.
        let server = ServerTlsConfig::new().identity(Identity::from_pem(&node, &node)).client_ca_root(Certificate::from_pem(&ca));
        let client = ClientTlsConfig::new().identity(Identity::from_pem(&member, &member)).ca_certificate(Certificate::from_pem(&ca));
        Ok(Some(Self { server, client }))
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, &error)),
    }
}

/// Lets only members through. The chain was checked by the handshake.
// The type is tonic's.
#[allow(clippy::result_large_err)]
pub(crate) fn only_members(request: Request<()>) -> Result<Request<()>, Status> {
    let certificates = request.peer_certs();
    let first = certificates.as_ref().and_then(|certificates| certificates.first());
    if first.is_some_and(|certificate| has_common_name(certificate.as_ref(), MEMBER)) {
        return Ok(request);
    }
    Err(Status::permission_denied(format!("only a certificate for {MEMBER} may use this port")))
}

fn has_common_name(der: &[u8], name: &str) -> bool {
    let Ok((_, certificate)) = parse_x509_certificate(der) else {
        return false;
    };
    let mut names = certificate.subject().iter_common_name();
    names.any(|found| found.as_str() == Ok(name))
}

//! `proto/join.proto`: trades a token for a certificate.

use std::sync::Arc;

use gannet_proto::join::{JoinFile, JoinReply, JoinRequest, join_server};
use tokio::sync::Mutex;
use tonic::{Request, Response, Status};

use super::finish;
use super::token::{Rejected, State, Token};
use crate::master::Master;
use crate::pki::{Authority, Subject};

/// Files of the cluster that every node has: path, and where it lies on the master.
const FILES: [(&str, u32); 3] =
    [("/var/lib/ganeti/hmac.key", 0o600), ("/var/lib/ganeti/cluster-domain-secret", 0o600), ("/etc/ganeti/file-storage-paths", 0o644)];
/// A certificate request of a node is well below this, in bytes.
const MAX_REQUEST: usize = 16 << 10;

/// The service.
pub(super) struct Service {
    master: Arc<Master>,
    /// One join at a time: a token must not be traded twice.
    one: Mutex<()>,
}

impl Service {
    pub(super) fn new(master: Arc<Master>) -> Self {
        Self { master, one: Mutex::new(()) }
    }

    async fn trade(&self, request: JoinRequest) -> Result<JoinReply, Status> {
        let _one = self.one.lock().await;
        check_version(&request.version)?;
        if request.csr_pem.len() > MAX_REQUEST {
            return Err(Status::invalid_argument("the certificate request is too long"));
        }
        let now = self.master.clock().now();
        // No such token and a wrong secret look the same.
        let unknown =
            || Status::unauthenticated("the token is not known, or was used already; make a new one with `gnt-node add` on the master");
        let mut token = Token::find(&self.master, &request.token_id).ok_or_else(unknown)?;
        token.accept(&request.secret, &request.node_name, &request.csr_pem, now).map_err(|rejected| match rejected {
            Rejected::Wrong => unknown(),
            Rejected::Expired => Status::deadline_exceeded("the token has expired; make a new one with `gnt-node add` on the master"),
        })?;
        let reply = self.reply(&token, &request)?;
        let first = token.request.is_none();
        if first || token.state == State::Failed {
            token.used_for(&request.csr_pem);
            token.state = State::Joined;
            token.error = None;
            token.store(&self.master, &request.token_id).await.map_err(|error| Status::unavailable(error.to_string()))?;
            tokio::spawn(finish::add_node(self.master.clone(), request.token_id.clone()));
        }
        tracing::info!(node = %token.node, address = %token.address, "a node got its certificate");
        Ok(reply)
    }

    fn reply(&self, token: &Token, request: &JoinRequest) -> Result<JoinReply, Status> {
        let paths = self.master.paths();
        let read = |path: std::path::PathBuf| {
            std::fs::read_to_string(&path).map_err(|error| Status::internal(format!("the master cannot read {}: {error}", path.display())))
        };
        let ca_pem = read(paths.ca_cert())?;
        let authority = Authority::load(&ca_pem, &read(paths.ca_key())?).map_err(|error| Status::internal(error.to_string()))?;
        let subject = Subject { name: &token.node, names: &[], addresses: &[token.address] };
        let cert_pem = authority
            .sign(&request.csr_pem, subject, self.master.clock().now())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let state = self.master.store().state();
        let file = |(path, mode): &(&str, u32)| {
            let content = std::fs::read(paths.at(path)).ok()?;
            Some(JoinFile { path: (*path).to_owned(), content, mode: *mode })
        };
        Ok(JoinReply {
            ca_pem,
            cert_pem,
            cluster_name: state.config.cluster().cluster_name.clone(),
            ssconf: crate::export::ssconf_values(&state.config).into_iter().collect(),
            files: FILES.iter().filter_map(file).collect(),
        })
    }
}

#[tonic::async_trait]
impl join_server::Join for Service {
    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<JoinReply>, Status> {
        self.trade(request.into_inner()).await.map(Response::new)
    }
}

/// Nodes of another minor version are not taken: they may not know all calls.
fn check_version(version: &str) -> Result<(), Status> {
    let own = env!("CARGO_PKG_VERSION");
    let line = |version: &str| version.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    if line(version) == line(own) {
        return Ok(());
    }
    Err(Status::failed_precondition(format!("the node has Gannet {version}, the cluster has {own}; install the same version on both")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_minor_version_joins() {
        assert!(check_version(env!("CARGO_PKG_VERSION")).is_ok());
        assert!(check_version("99.0.0").is_err() && check_version("").is_err());
    }
}

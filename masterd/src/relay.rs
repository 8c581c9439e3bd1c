//! Master candidates pass LUXI requests on to the master: the TLS on both ends, and the master's listener.
//!
//! What goes over the connection is LUXI as on the sockets. The master is recognised by its node's certificate, a candidate by the
//! certificate of the master's role, which only candidates have.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gannet_core::paths::{Paths, RELAY_PORT};
use gannet_daemon::net::{self, Stream};
use gannet_proto::MASTER_COMMON_NAME;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_parser::parse_x509_certificate;

use crate::luxi::{Desk, connection};
use crate::master::Master;

/// The port or the certificates are not there yet: tried again after this.
const RETRY: Duration = Duration::from_secs(2);
/// How long a candidate may take until its TLS is up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connections of all candidates together; each carries one request at a time.
const CONNECTIONS: usize = 1024;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file that cannot be read, or holds something else than PEM.
    #[error("cannot read the certificate or key in {path}: {source}", path = path.display())]
    Pem {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// They do not fit together.
    #[error("the certificates of this node cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    /// The authority's certificate is no authority.
    #[error("the certificate of the cluster's authority cannot be used: {0}")]
    Authority(#[from] rustls::server::VerifierBuilderError),
}

/// Serves the other candidates until `shutdown` is set.
pub(crate) async fn serve(master: Arc<Master>, shutdown: watch::Receiver<bool>) {
    let mut stop = shutdown.clone();
    let serve = async {
        loop {
            if let Err(error) = listen(&master, &shutdown).await {
                tracing::warn!(%error, port = RELAY_PORT, "cannot serve other master candidates; trying again");
            }
            tokio::time::sleep(RETRY).await;
        }
    };
    tokio::select! {
        () = serve => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

async fn listen(master: &Arc<Master>, shutdown: &watch::Receiver<bool>) -> anyhow::Result<()> {
    let own = master.store().state().config.master().and_then(|node| node.primary_ip.parse::<IpAddr>().ok());
    let own = own.ok_or_else(|| anyhow::anyhow!("the master's own address is not known"))?;
    let acceptor = TlsAcceptor::from(Arc::new(server(master.paths())?));
    let listener = net::listen(SocketAddr::new(own, RELAY_PORT)).await?;
    // Whoever answers here is the master for as long as this process lives.
    let (_desk, desk) = watch::channel(Desk::Active(master.clone()));
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = places.clone().acquire_owned().await?;
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            // Out of descriptors, most likely: others close theirs meanwhile.
            Err(error) => {
                tracing::warn!(%error, "cannot accept a master candidate");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (acceptor, desk, shutdown) = (acceptor.clone(), desk.clone(), shutdown.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE, handshake(acceptor, stream)).await {
                Ok(Ok(stream)) => connection(desk, stream, shutdown).await,
                Ok(Err(error)) => tracing::warn!(%from, %error, "refused a connection to the relay"),
                Err(_) => tracing::warn!(%from, "refused a connection to the relay: no TLS in time"),
            }
            drop(place);
        });
    }
}

async fn handshake(acceptor: TlsAcceptor, stream: Stream) -> std::io::Result<TlsStream<Stream>> {
    let stream = acceptor.accept(stream).await?;
    let certificates = stream.get_ref().1.peer_certificates();
    // The chain was checked by the handshake.
    match certificates.and_then(<[_]>::first) {
        Some(certificate) if has_common_name(certificate, MASTER_COMMON_NAME) => Ok(stream),
        _ => Err(std::io::Error::other(format!("only a certificate for {MASTER_COMMON_NAME} may use the relay"))),
    }
}

fn has_common_name(der: &[u8], name: &str) -> bool {
    let Ok((_, certificate)) = parse_x509_certificate(der) else { return false };
    let mut names = certificate.subject().iter_common_name();
    names.any(|found| found.as_str() == Ok(name))
}

/// The master's end.
///
/// # Errors
/// The certificates are missing or cannot be used.
fn server(paths: &Paths) -> Result<ServerConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(roots(&paths.ca_cert())?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build()?;
    let (certificates, key) = pair(&paths.node_cert())?;
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_client_cert_verifier(verifier).with_single_cert(certificates, key)?)
}

/// A candidate's end.
///
/// # Errors
/// The certificates are missing or cannot be used.
pub(crate) fn client(paths: &Paths) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = roots(&paths.ca_cert())?;
    let (certificates, key) = pair(&paths.master_cert())?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_client_auth_cert(certificates, key)?)
}

fn roots(path: &Path) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate)?;
    }
    Ok(roots)
}

/// One file holds certificate and key.
fn pair(path: &Path) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    let key = PrivateKeyDer::from_pem_file(path).map_err(|source| Error::Pem { path: path.to_owned(), source })?;
    Ok((certificates(path)?, key))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let broken = |source| Error::Pem { path: path.to_owned(), source };
    CertificateDer::pem_file_iter(path).map_err(broken)?.collect::<Result<_, _>>().map_err(broken)
}

#[cfg(test)]
mod tests {
    use gannet_core::quantity::Timestamp;
    use rustls::pki_types::ServerName;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::pki::{Authority, Subject, Use};

    fn node(authority: &Authority, name: &str) -> (tempfile::TempDir, Paths) {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::new(Some(root.path().to_owned()));
        let now = Timestamp(1_700_000_000_000_000);
        std::fs::create_dir_all(paths.data_dir()).unwrap();
        std::fs::write(paths.ca_cert(), authority.certificate_pem()).unwrap();
        std::fs::write(paths.node_cert(), authority.issue(Subject { name, names: &[], addresses: &[] }, Use::Both, now).unwrap()).unwrap();
        std::fs::write(paths.master_cert(), authority.issue_master(now).unwrap()).unwrap();
        (root, paths)
    }

    /// What the two ends say after a handshake.
    async fn meet(master: &Paths, candidate: ClientConfig) -> (std::io::Result<()>, std::io::Result<u8>) {
        let listener = net::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(server(master).unwrap()));
        let accepting = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = handshake(acceptor, stream).await?;
            stream.write_u8(7).await?;
            stream.shutdown().await
        };
        let calling = async {
            let stream = net::connect(address).await?;
            let name = ServerName::try_from("node1.example.com").unwrap();
            TlsConnector::from(Arc::new(candidate)).connect(name, stream).await?.read_u8().await
        };
        tokio::join!(accepting, calling)
    }

    #[tokio::test]
    async fn only_candidates_are_let_in_and_only_the_master_is_believed() {
        let authority = Authority::create("c", Timestamp(1_700_000_000_000_000)).unwrap();
        let (_one, master) = node(&authority, "node1.example.com");
        let (_two, candidate) = node(&authority, "node2.example.com");
        let (served, heard) = meet(&master, client(&candidate).unwrap()).await;
        assert!(served.is_ok() && heard.is_ok_and(|byte| byte == 7), "{served:?}");

        // A node that is no candidate has no certificate of the role, only its own.
        std::fs::copy(candidate.node_cert(), candidate.master_cert()).unwrap();
        let (served, heard) = meet(&master, client(&candidate).unwrap()).await;
        assert!(served.unwrap_err().to_string().contains("only a certificate for gannet-master") && heard.is_err());

        let (served, heard) = meet(&candidate, client(&master).unwrap()).await;
        assert!(served.is_err() && heard.is_err(), "another node pretends to be node1");

        let other = Authority::create("c", Timestamp(1_700_000_000_000_000)).unwrap();
        let (_three, stranger) = node(&other, "node1.example.com");
        let (served, heard) = meet(&master, client(&stranger).unwrap()).await;
        assert!(served.is_err() && heard.is_err());
    }
}

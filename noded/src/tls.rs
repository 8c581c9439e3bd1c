//! Certificates: whose they are, and what this node presents and accepts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gannet_core::paths::Paths;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// What is wrong with the certificates of this node.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Most often: the node has not joined a cluster yet.
    #[error("cannot read {path}; has this node joined a cluster (`gannet-noded join TOKEN`)?", path = path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Not PEM, or something is missing in it.
    #[error("{path} is not usable: {reason}", path = path.display())]
    Content { path: PathBuf, reason: String },
    /// Certificate and key do not fit, or no certificate can be verified.
    #[error("the certificates in {directory} cannot be used", directory = directory.display())]
    Setup {
        directory: PathBuf,
        #[source]
        source: rustls::Error,
    },
    /// A certificate that cannot be read.
    #[error("the certificate cannot be understood: {0}")]
    Parse(String),
}

/// Installs the cryptography for the process; later calls change nothing.
pub fn install_provider() {
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
}

/// What this node presents: its chain and key.
pub struct Identity {
    /// The node's certificate, and what leads from it to the CA.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

/// Reads `server.pem`.
///
/// # Errors
/// When it is missing or has no certificate or key.
pub fn identity(paths: &Paths) -> Result<Identity, Error> {
    let path = paths.node_cert();
    let pem = read(&path)?;
    let content = |reason: String| Error::Content { path: path.clone(), reason };
    let chain = certificates(&pem).map_err(content)?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| content(format!("no private key: {error}")))?;
    Ok(Identity { chain, key })
}

/// Reads `ca.pem`.
///
/// # Errors
/// When it is missing or holds no certificate.
pub fn authority(paths: &Paths) -> Result<RootCertStore, Error> {
    let path = paths.ca_cert();
    let pem = read(&path)?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&pem).map_err(|reason| Error::Content { path: path.clone(), reason })? {
        roots.add(certificate).map_err(|error| Error::Content { path: path.clone(), reason: error.to_string() })?;
    }
    Ok(roots)
}

/// The server's side: only clients with a certificate of the cluster get through.
///
/// # Errors
/// When the node's certificates are missing or do not fit together.
pub fn server_config(paths: &Paths) -> Result<ServerConfig, Error> {
    let setup = |source| Error::Setup { directory: paths.data_dir(), source };
    let identity = identity(paths)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authority(paths)?), provider.clone())
        .build()
        .map_err(|error| setup(rustls::Error::General(error.to_string())))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(setup)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain, identity.key)
        .map_err(setup)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// The names in a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Common name of the subject.
    pub common_name: String,
    /// Common name and all DNS names.
    pub all: Vec<String>,
}

/// Reads the names out of a certificate.
///
/// # Errors
/// When it cannot be parsed.
pub fn names(certificate: &[u8]) -> Result<Names, Error> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|error| Error::Parse(error.to_string()))?;
    let common_name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).unwrap_or_default().to_owned();
    let mut all = vec![common_name.clone()];
    if let Ok(Some(alternative)) = parsed.subject_alternative_name() {
        all.extend(alternative.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        }));
    }
    Ok(Names { common_name, all })
}

/// The node's name in `server.pem`, if there is one: what the cluster calls this node.
#[must_use]
pub fn own_name(paths: &Paths) -> Option<String> {
    let identity = identity(paths).ok()?;
    let names = names(identity.chain.first()?).ok()?;
    Some(names.common_name).filter(|name| !name.is_empty())
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("no certificate".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(error.to_string()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

//! The certificate that clients see.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read, or holds something else than PEM.
    #[error("cannot read the certificate or key in {path}; `gnt-cluster renew-crypto --new-rapi-certificate` makes a new one", path = path.display())]
    Pem {
        path: PathBuf,
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// No certificate in a file that should have one.
    #[error("there is no certificate in {path}", path = path.display())]
    Empty { path: PathBuf },
    /// A key that does not fit its certificate, or of a kind that is not known.
    #[error("the certificate in {cert} and the key in {key} cannot be used", cert = cert.display(), key = key.display())]
    Pair {
        cert: PathBuf,
        key: PathBuf,
        #[source]
        source: rustls::Error,
    },
}

/// The files of the certificate.
#[derive(Debug, Clone)]
pub struct Files {
    /// Certificate, possibly with its chain.
    pub cert: PathBuf,
    /// Key; often the same file.
    pub key: PathBuf,
    /// Further certificates of the chain.
    pub chain: Option<PathBuf>,
}

impl Files {
    /// Reads them.
    ///
    /// # Errors
    /// A file is missing, or its content is not what it should be.
    pub fn load(&self) -> Result<Arc<ServerConfig>, Error> {
        let mut certs = certificates(&self.cert)?;
        if let Some(chain) = &self.chain {
            certs.extend(certificates(chain)?);
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|source| Error::Pem { path: self.key.clone(), source })?;
        let pair = |source| Error::Pair { cert: self.cert.clone(), key: self.key.clone(), source };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(pair)?;
        let mut config = versions.with_no_client_auth().with_single_cert(certs, key).map_err(pair)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let broken = |source| Error::Pem { path: path.to_owned(), source };
    let certs: Vec<_> = CertificateDer::pem_file_iter(path).map_err(broken)?.collect::<Result<_, _>>().map_err(broken)?;
    if certs.is_empty() { Err(Error::Empty { path: path.to_owned() }) } else { Ok(certs) }
}

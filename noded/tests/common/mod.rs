//! Nodes for tests: a certificate authority, and agents that listen on loopback addresses of their own.
#![allow(dead_code)] // each test binary uses a part of it

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};

use gannet_core::paths::Paths;
use gannet_noded::context::Context;
use gannet_noded::server;
use gannet_proto::node::node_client::NodeClient;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// A cluster's certificate authority.
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(crate) der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "test cluster");
        let cert = params.self_signed(&key).expect("a certificate");
        Self { pem: cert.pem(), der: cert.der().to_vec(), issuer: Issuer::new(params, key) }
    }

    pub(crate) fn issue(&self, common_name: &str, names: &[&str]) -> Issued {
        let key = KeyPair::generate().expect("a key");
        let cert = leaf(common_name, names).signed_by(&key, &self.issuer).expect("a certificate");
        Issued { cert: cert.pem(), key: key.serialize_pem() }
    }

    /// Signs a request as a master would: with names of its own choice.
    pub(crate) fn sign(&self, csr_pem: &str, common_name: &str) -> String {
        let mut request = CertificateSigningRequestParams::from_pem(csr_pem).expect("a request");
        request.params = leaf(common_name, &[common_name]);
        request.signed_by(&self.issuer).expect("a certificate").pem()
    }
}

fn leaf(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// A running agent; it ends when this is dropped.
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) context: Context,
    pub(crate) address: SocketAddr,
    root: TempDir,
    _stop: oneshot::Sender<()>,
}

/// Each agent of this process gets an address of its own; the process number keeps test binaries apart.
fn next_address() -> [u8; 4] {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let pid = std::process::id().to_le_bytes();
    [127, 128 | pid[1], pid[0], NEXT.fetch_add(1, Ordering::Relaxed)]
}

impl Agent {
    pub(crate) async fn start(authority: &Authority, name: &str) -> Self {
        gannet_noded::tls::install_provider();
        let root = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::new(Some(root.path().to_owned()));
        let ip = std::net::Ipv4Addr::from(next_address());
        std::fs::create_dir_all(paths.data_dir()).expect("data dir");
        std::fs::create_dir_all(paths.at("/etc")).expect("etc");
        std::fs::write(paths.hosts_file(), format!("{ip} {name}\n")).expect("hosts");
        let own = authority.issue(name, &[name]);
        std::fs::write(paths.node_cert(), format!("{}{}", own.cert, own.key)).expect("server.pem");
        std::fs::write(paths.ca_cert(), &authority.pem).expect("ca.pem");
        let context = Context::new(paths, name).expect("context");
        let certificates = server::Certificates::load(&context).expect("certificates");
        let listener = server::listen((ip, gannet_core::paths::NODED_PORT).into()).await.expect("listen");
        let address = listener.local_addr().expect("address");
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(server::serve(context.clone(), listener, certificates, async move { drop(stopped.await) }));
        Self { name: name.to_owned(), context, address, root, _stop: stop }
    }

    /// A client with this certificate, trusting `authority`.
    pub(crate) async fn connect(&self, authority: &Authority, identity: Option<&Issued>) -> Result<Channel, tonic::transport::Error> {
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&authority.pem)).domain_name(&self.name);
        if let Some(identity) = identity {
            tls = tls.identity(Identity::from_pem(&identity.cert, &identity.key));
        }
        Endpoint::from_shared(format!("https://{}", self.address)).expect("URI").tls_config(tls).expect("TLS").connect().await
    }

    /// The master's client.
    pub(crate) async fn master(&self, authority: &Authority) -> NodeClient<Channel> {
        let identity = authority.issue("gannet-master", &["gannet-master"]);
        NodeClient::new(self.connect(authority, Some(&identity)).await.expect("a connection"))
    }
}

/// A call with an epoch.
pub(crate) fn with_epoch<T>(message: T, epoch: u64) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert(gannet_proto::EPOCH_KEY, epoch.into());
    request
}

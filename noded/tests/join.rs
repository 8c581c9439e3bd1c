//! Joining a cluster, with a small master.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use common::Authority;
use gannet_core::paths::Paths;
use gannet_noded::join::{Error, Token, become_member};
use gannet_noded::tls;
use gannet_proto::join::join_server::{Join, JoinServer};
use gannet_proto::join::{JoinFile, JoinReply, JoinRequest};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tonic::{Request, Response, Status};

const NODE: &str = "node2.example.com";
const SECRET: &str = "hunter2";

/// What the test master does wrong.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    CertificateForAnotherNode,
    AnotherCa,
    FileOutside,
}

struct Master {
    authority: Arc<Authority>,
    fault: Fault,
}

#[tonic::async_trait]
impl Join for Master {
    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<JoinReply>, Status> {
        let request = request.into_inner();
        if request.secret != SECRET {
            return Err(Status::unauthenticated("the token is not known"));
        }
        let name = if self.fault == Fault::CertificateForAnotherNode { "node3" } else { NODE };
        let path = if self.fault == Fault::FileOutside { "/etc/shadow" } else { "/etc/ganeti/file-storage-paths" };
        Ok(Response::new(JoinReply {
            ca_pem: if self.fault == Fault::AnotherCa { Authority::new().pem } else { self.authority.pem.clone() },
            cert_pem: self.authority.sign(&request.csr_pem, name),
            cluster_name: "cluster1".to_owned(),
            ssconf: [("cluster_name".to_owned(), "cluster1\n".to_owned())].into(),
            files: vec![JoinFile { path: path.to_owned(), content: b"/srv/ganeti/file-storage\n".to_vec(), mode: 0o644 }],
        }))
    }
}

/// Starts the master; gives its address.
async fn master(authority: &Arc<Authority>, fault: Fault) -> String {
    tls::install_provider();
    let issued = authority.issue("whatever", &["whatever.invalid"]);
    let chain = [issued.cert.as_bytes(), authority.pem.as_bytes()].map(|pem| CertificateDer::from_pem_slice(pem).expect("a certificate"));
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("a key");
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain.to_vec(), key).expect("TLS");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let (accepted, incoming) = tokio::sync::mpsc::channel(4);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                let _server_ended = accepted.send(Ok::<_, std::io::Error>(stream)).await;
            }
        }
    });
    let service = JoinServer::new(Master { authority: authority.clone(), fault });
    let incoming = tokio_stream::wrappers::ReceiverStream::new(incoming);
    tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
    address.to_string()
}

fn token(master: String, authority: &Authority) -> Token {
    let ca = Sha256::digest(&authority.der).iter().map(|byte| format!("{byte:02x}")).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    Token { v: 1, master, ca, id: "t1".to_owned(), secret: SECRET.to_owned(), node: NODE.to_owned(), expires: now + 600 }
}

fn node() -> (tempfile::TempDir, Paths) {
    let root = tempfile::tempdir().expect("a temporary directory");
    let paths = Paths::new(Some(root.path().to_owned()));
    (root, paths)
}

fn untouched(paths: &Paths) {
    assert!(!paths.node_cert().exists() && !paths.ca_cert().exists() && !paths.conf_dir().exists(), "something was written");
}

#[tokio::test]
async fn a_machine_becomes_a_node() {
    let authority = Arc::new(Authority::new());
    let token = token(master(&authority, Fault::None).await, &authority);
    let (_root, paths) = node();
    let joined = become_member(&paths, &token, false).await.expect("joined");
    assert_eq!(joined, (NODE.to_owned(), "cluster1".to_owned()));
    tls::server_config(&paths).expect("certificate, key and CA fit together");
    assert_eq!(tls::own_name(&paths).as_deref(), Some(NODE));
    assert_eq!(std::fs::metadata(paths.node_cert()).expect("server.pem").permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(paths.ssconf("cluster_name")).expect("ssconf"), "cluster1\n");
    assert_eq!(std::fs::read_to_string(paths.file_storage_paths_file()).expect("file"), "/srv/ganeti/file-storage\n");
    // a member stays one
    let again = become_member(&paths, &token, false).await;
    assert!(matches!(&again, Err(Error::Member { .. })), "{again:?}");
    become_member(&paths, &token, true).await.expect("by force");
}

#[tokio::test]
async fn another_cluster_by_force_leaves_nothing_of_the_old_one() {
    let authority = Arc::new(Authority::new());
    let token = token(master(&authority, Fault::None).await, &authority);
    let (_root, paths) = node();
    std::fs::create_dir_all(paths.confd_dir()).expect("confd dir");
    std::fs::write(paths.ca_cert(), Authority::new().pem).expect("old CA");
    std::fs::write(paths.master_cert(), "old").expect("old secret");
    std::fs::write(paths.data_dir().join("gannet-epoch"), "99\n").expect("old epoch");
    become_member(&paths, &token, true).await.expect("joined");
    assert!(!paths.master_cert().exists() && !paths.confd_dir().exists());
    assert!(paths.data_dir().join("confd.before-t1").exists(), "the old state is kept aside");
    assert_eq!(gannet_noded::epoch::Epoch::load(&paths).expect("epoch").highest(), 0);
}

#[tokio::test]
async fn an_expired_token_is_not_even_tried() {
    let authority = Authority::new();
    let (_root, paths) = node();
    let token = Token { expires: 1, ..token("127.0.0.1:1".to_owned(), &authority) };
    let error = become_member(&paths, &token, false).await.expect_err("expired");
    assert!(error.to_string().contains("run `gnt-node add node2.example.com`"), "{error}");
}

#[tokio::test]
async fn a_wrong_secret_is_refused_by_the_master() {
    let authority = Arc::new(Authority::new());
    let (_root, paths) = node();
    let token = Token { secret: "wrong".to_owned(), ..token(master(&authority, Fault::None).await, &authority) };
    let error = become_member(&paths, &token, false).await.expect_err("wrong secret");
    assert!(matches!(&error, Error::Refused { reason, .. } if reason == "the token is not known"), "{error:?}");
    untouched(&paths);
}

#[tokio::test]
async fn a_master_of_another_cluster_gets_nothing() {
    let (authority, other) = (Arc::new(Authority::new()), Authority::new());
    let (_root, paths) = node();
    let token = token(master(&authority, Fault::None).await, &other);
    let error = become_member(&paths, &token, false).await.expect_err("another CA");
    assert!(error.to_string().contains("does not belong to the cluster of the token"), "{error}");
    untouched(&paths);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_thrown_away() {
    for (fault, text) in [
        (Fault::CertificateForAnotherNode, "is for node3"),
        (Fault::AnotherCa, "not the one of the token"),
        (Fault::FileOutside, "/etc/shadow"),
    ] {
        let authority = Arc::new(Authority::new());
        let (_root, paths) = node();
        let token = token(master(&authority, fault).await, &authority);
        let error = become_member(&paths, &token, false).await.expect_err(text).to_string();
        assert!(error.contains(text) && error.contains("nothing was changed"), "{error}");
        untouched(&paths);
    }
}

//! The program itself: start, reload and end, as a service manager sees them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "a test has its own deadline")]

mod common;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::certificate;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(20);

struct Node {
    root: tempfile::TempDir,
    told: UnixDatagram,
}

impl Node {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for directory in ["etc", "var/lib/ganeti/rapi"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        // an address that no other test uses
        std::fs::write(root.path().join("etc/hosts"), "127.77.5.80 rapi.test\n").unwrap();
        let told = UnixDatagram::bind(root.path().join("notify")).unwrap();
        let node = Self { root, told };
        certificate(&node.pem(), "localhost");
        node
    }

    fn pem(&self) -> std::path::PathBuf {
        self.root.path().join("var/lib/ganeti/rapi.pem")
    }

    fn start(&self, options: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_gannet-rapi"))
            .args(options)
            .env("GANETI_ROOTDIR", self.root.path())
            .env("GANETI_HOSTNAME", "rapi.test")
            .env("NOTIFY_SOCKET", self.root.path().join("notify"))
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Waits until the service manager is told `state`.
    async fn until(&self, state: &str) {
        let wait = async {
            let mut message = vec![0; 4096];
            loop {
                let size = self.told.recv(&mut message).await.unwrap();
                if String::from_utf8_lossy(&message[..size]).contains(state) {
                    return;
                }
            }
        };
        timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("never {state}"));
    }
}

/// Whether the server shows the certificate in this file.
async fn shows(pem: &Path) -> bool {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(pem).unwrap()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = std::sync::Arc::new(versions.with_root_certificates(roots).with_no_client_auth());
    let stream = tokio::net::TcpStream::connect("127.77.5.80:5080").await.unwrap();
    tokio_rustls::TlsConnector::from(config).connect("localhost".try_into().unwrap(), stream).await.is_ok()
}

#[tokio::test]
async fn start_reload_end() {
    let node = Node::new();
    let mut daemon = node.start(&[]);
    node.until("READY=1").await;
    let pid = daemon.id().unwrap();
    let run = node.root.path().join("run/ganeti/gannet-rapi.pid");
    assert_eq!(std::fs::read_to_string(run).unwrap().trim(), pid.to_string());
    assert!(shows(&node.pem()).await);

    let second = timeout(DEADLINE, node.start(&["-f"]).wait_with_output()).await.unwrap().unwrap();
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("running already"));

    let pid = Pid::from_raw(pid.try_into().unwrap());
    let log = node.root.path().join("var/log/ganeti/rapi-daemon.log");
    std::fs::rename(&log, log.with_extension("1")).unwrap();
    certificate(&node.pem(), "localhost");
    assert!(!shows(&node.pem()).await, "the old certificate, until it is told to reload");
    kill(pid, Signal::SIGHUP).unwrap();
    node.until("RELOADING=1").await;
    node.until("READY=1").await;
    assert!(shows(&node.pem()).await);
    assert!(std::fs::read_to_string(&log).unwrap().contains("reloaded"));

    std::fs::write(node.pem(), "nonsense").unwrap();
    kill(pid, Signal::SIGHUP).unwrap();
    node.until("READY=1").await;
    assert!(std::fs::read_to_string(&log).unwrap().contains("the old certificate stays in use"));

    kill(pid, Signal::SIGTERM).unwrap();
    node.until("STOPPING=1").await;
    assert!(timeout(DEADLINE, daemon.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_said() {
    let node = Node::new();
    std::fs::remove_file(node.pem()).unwrap();
    for (options, part) in
        [(&["-f"][..], "rapi.pem"), (&["-f", "--syslog", "yes"], "not built yet"), (&["-f", "-i", "none0", "--no-ssl"], "none0")]
    {
        let output = timeout(DEADLINE, node.start(options).wait_with_output()).await.unwrap().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(part), "{said}");
    }
}

//! `gannet-masterd bootstrap`: all of `gnt-cluster init` but the start of the daemons.
//!
//! Everything is checked before anything is made; what was made is taken back when something fails, so that init can be
//! run again. If the machine dies in the middle, a marker tells the next run that what is there was never a cluster. The
//! state of confd comes last: only with it there is a cluster.

mod plan;
mod spec;
mod undo;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gannet_confd::Identity;
use gannet_confd::command::{Key, Kind};
use gannet_core::config::{CONFIG_VERSION, Config, Object};
use gannet_core::paths::{NODED_PORT, Paths, RAFT_PORT};
use rand::RngCore;
use serde::Serialize;

use crate::clock::{Clock, SystemClock};
use crate::pki::{self, Authority, Subject, Use};
use crate::refusal::Refusal;
use crate::resolve;

pub use plan::Host;
pub use spec::Spec;
use undo::Made;

/// Bytes of the cluster's shared secrets.
const SECRET_BYTES: usize = 32;
/// How long a machine that may have the cluster's address gets to answer.
const PROBE: Duration = Duration::from_secs(2);

/// Why there is no cluster now. Nothing was left behind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The options, or this machine, do not fit.
    #[error("{0}")]
    Refused(Refusal),
    /// The standard input is no specification.
    #[error("the specification on the standard input cannot be read: {0}")]
    Specification(String),
    /// A file.
    #[error("cannot write {path}: {source}", path = path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Certificates.
    #[error(transparent)]
    Pki(#[from] pki::Error),
    /// The first state.
    #[error("cannot make the cluster's state: {0}")]
    State(String),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The cluster's full name.
    pub cluster_name: String,
    /// Its address.
    pub master_ip: String,
    /// This node, the master.
    pub master_node: String,
    /// SHA-256 of the authority's certificate.
    pub ca_fingerprint: String,
}

/// Reads the specification from the standard input, runs it, and prints the report as JSON.
///
/// # Errors
/// [`Error`].
pub fn from_stdin(paths: &Paths) -> Result<Report, Error> {
    let spec: Spec = serde_json::from_reader(io::stdin().lock()).map_err(|error| Error::Specification(error.to_string()))?;
    let report = run(&spec, paths)?;
    let text = serde_json::to_string(&report).map_err(|error| Error::Specification(error.to_string()))?;
    println!("{text}");
    Ok(report)
}

/// Makes this machine the first node of a new cluster.
///
/// # Errors
/// [`Error`]; nothing is left behind then.
pub fn run(spec: &Spec, paths: &Paths) -> Result<Report, Error> {
    let leftovers = refuse_members(paths)?;
    let mut host = look_at_host(spec, paths)?;
    let authority = Authority::create(&spec.cluster_name.to_ascii_lowercase(), host.now)?;
    let master_pem = authority.issue_master(host.now)?;
    host.master_digest = pki::fingerprint(&master_pem)?;
    let config = plan::config(spec, &host)?;
    check_machine(&config, &host, paths)?;
    if leftovers {
        remove_leftovers(paths)?;
    }
    let mut made = Made::default();
    directories(&mut made, paths, &config)?;
    made.file(&marker(paths), b"", 0o600)?;
    certificates(&mut made, paths, &config, &host, &authority, &master_pem)?;
    files(&mut made, paths, &config, spec, &host)?;
    made.tree(&paths.confd_dir());
    state(paths, &config, &host)?;
    let marker = marker(paths);
    std::fs::remove_file(&marker).map_err(|source| Error::Write { path: marker, source })?;
    made.keep();
    let cluster = config.cluster();
    Ok(Report {
        cluster_name: cluster.cluster_name.clone(),
        master_ip: cluster.master_ip.clone(),
        master_node: host.name,
        ca_fingerprint: pki::fingerprint(authority.certificate_pem())?,
    })
}

/// There while an initialisation is under way.
fn marker(paths: &Paths) -> PathBuf {
    paths.data_dir().join("init-unfinished")
}

/// Refuses when this node belongs to a cluster; true when an initialisation that died left things behind.
fn refuse_members(paths: &Paths) -> Result<bool, Error> {
    if marker(paths).exists() {
        return Ok(true);
    }
    let evidence = [paths.confd_dir().join("identity.json"), paths.node_cert(), paths.ca_cert(), paths.config_data()];
    match evidence.iter().find(|path| path.exists()) {
        None => Ok(false),
        Some(path) => Err(Refusal::state(format!(
            "Cluster is already initialised: {} exists; to start over, run `gnt-cluster destroy` on the master, or `gnt-node remove` for a \
             node of another cluster",
            path.display()
        ))
        .into()),
    }
}

fn remove_leftovers(paths: &Paths) -> Result<(), Error> {
    let directory = paths.confd_dir();
    match std::fs::remove_dir_all(&directory) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::Write { path: directory, source }),
        _ => Ok(()),
    }
}

fn look_at_host(spec: &Spec, paths: &Paths) -> Result<Host, Error> {
    if ![4, 6].contains(&spec.primary_ip_version) {
        return Err(Refusal::invalid(format!("Invalid primary IP version {}: it is 4 or 6", spec.primary_ip_version)).into());
    }
    let ipv6 = spec.primary_ip_version == 6;
    let name = resolve::own_name(paths).ok_or_else(|| Refusal::environment("This machine has no host name"))?;
    let unknown = |what: &str, name: &str| {
        Refusal::new(
            gannet_core::error::ErrorCode::Resolver,
            format!(
                "The name of {what}, {name}, does not resolve to an IPv{} address; add it to DNS or /etc/hosts",
                spec.primary_ip_version
            ),
        )
    };
    let address = resolve::resolve(paths, &name, ipv6).ok_or_else(|| unknown("this node", &name))?;
    let cluster_name = resolve::full_name(paths, &spec.cluster_name);
    let cluster_address = resolve::resolve(paths, &cluster_name, ipv6).ok_or_else(|| unknown("the cluster", &cluster_name))?;
    let ssh_host_key = std::fs::read_to_string(paths.at("/etc/ssh/ssh_host_rsa_key.pub")).unwrap_or_default();
    // The type, the key, a comment: Ganeti keeps the key.
    let ssh_host_key = ssh_host_key.split_whitespace().nth(1).unwrap_or_default().to_owned();
    Ok(Host { name, address, cluster_address, ssh_host_key, now: SystemClock.now(), master_digest: String::new() })
}

/// Does the machine have what the configuration says of it?
fn check_machine(config: &Config, host: &Host, paths: &Paths) -> Result<(), Error> {
    let is_virtual = paths.root().is_some();
    if host.address.is_loopback() && !is_virtual {
        return Err(Refusal::environment(format!(
            "This host's IP ({}) resolves to a loopback address. Please fix DNS or /etc/hosts.",
            host.address
        ))
        .into());
    }
    let not_own = |what: &str, address: &str| {
        Error::from(Refusal::environment(format!("{what} is {address}, but this address does not belong to this host")))
    };
    if !resolve::is_own(host.address) {
        return Err(not_own("Inconsistency: this host's name resolves to an address that", &host.address.to_string()));
    }
    let secondary = config.master().map(|node| node.secondary_ip.clone()).unwrap_or_default();
    if secondary.parse::<IpAddr>().is_ok_and(|address| !resolve::is_own(address)) {
        return Err(not_own("You gave as secondary IP what", &secondary));
    }
    let probe = SocketAddr::new(host.cluster_address, NODED_PORT);
    if host.cluster_address != host.address && !resolve::is_own(host.cluster_address) && TcpStream::connect_timeout(&probe, PROBE).is_ok() {
        return Err(Refusal::new(
            gannet_core::error::ErrorCode::NotUnique,
            format!("Cluster IP already active: {} answers on the node daemon's port", host.cluster_address),
        )
        .into());
    }
    let device = &config.cluster().master_netdev;
    let known = Path::new("/sys/class/net").join(device);
    if !is_virtual && !config.cluster().use_external_mip_script && (device.is_empty() || !known.exists()) {
        return Err(Refusal::invalid(format!("Invalid master netdev given ({device}): no such device; use --master-netdev")).into());
    }
    Ok(())
}

fn directories(made: &mut Made, paths: &Paths, config: &Config) -> Result<(), Error> {
    made.directory(&paths.data_dir(), 0o755)?;
    made.directory(&paths.rapi_users().parent().map(Path::to_owned).unwrap_or_default(), 0o755)?;
    made.directory(&paths.conf_dir(), 0o755)?;
    made.directory(&paths.hooks_dir(), 0o755)?;
    made.directory(&paths.log_dir(), 0o755)?;
    made.directory(&paths.os_log_dir(), 0o750)?;
    made.directory(&paths.run_dir(), 0o755)?;
    made.directory(&paths.socket_dir(), 0o755)?;
    storage_dirs(config).iter().try_for_each(|path| made.directory(&paths.at(path), 0o750))
}

/// The directories of file storage that are set.
fn storage_dirs(config: &Config) -> Vec<String> {
    let cluster = config.cluster();
    let all = [&cluster.file_storage_dir, &cluster.shared_file_storage_dir];
    all.into_iter().filter(|path| !path.is_empty()).cloned().collect()
}

fn certificates(
    made: &mut Made,
    paths: &Paths,
    config: &Config,
    host: &Host,
    authority: &Authority,
    master_pem: &str,
) -> Result<(), Error> {
    let cluster = config.cluster();
    let node = Subject { name: &host.name, names: &[], addresses: &[host.address] };
    let rapi = Subject { name: &cluster.cluster_name, names: &[&host.name], addresses: &[host.cluster_address, host.address] };
    made.file(&paths.ca_key(), authority.key_pem().as_bytes(), 0o600)?;
    made.file(&paths.ca_cert(), authority.certificate_pem().as_bytes(), 0o600)?;
    made.file(&paths.node_cert(), authority.issue(node, Use::Both, host.now)?.as_bytes(), 0o600)?;
    made.file(&paths.master_cert(), master_pem.as_bytes(), 0o600)?;
    made.file(&paths.rapi_cert(), authority.issue(rapi, Use::Server, host.now)?.as_bytes(), 0o600)
}

fn files(made: &mut Made, paths: &Paths, config: &Config, spec: &Spec, host: &Host) -> Result<(), Error> {
    for name in ["cluster-domain-secret", "hmac.key"] {
        let mut secret = [0; SECRET_BYTES];
        rand::rng().fill_bytes(&mut secret);
        made.file(&paths.data_dir().join(name), format!("{}\n", pki::hex(&secret)).as_bytes(), 0o600)?;
    }
    if !paths.rapi_users().exists() {
        made.file(&paths.rapi_users(), b"", 0o640)?;
    }
    allow_file_storage(made, paths, config)?;
    if spec.modify_etc_hosts {
        add_to_hosts(made, paths, host)?;
    }
    for (key, value) in crate::export::ssconf_values(config) {
        made.file(&paths.ssconf(&key), value.as_bytes(), 0o444)?;
    }
    Ok(())
}

/// Puts the cluster's directories on the list of what is allowed, if they are not there yet.
fn allow_file_storage(made: &mut Made, paths: &Paths, config: &Config) -> Result<(), Error> {
    let path = paths.file_storage_paths_file();
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let mut new = old.clone();
    for directory in storage_dirs(config) {
        if !old.lines().any(|line| line.trim() == directory) {
            if !new.is_empty() && !new.ends_with('\n') {
                new.push('\n');
            }
            new.push_str(&directory);
            new.push('\n');
        }
    }
    if new == old && path.exists() { Ok(()) } else { made.file(&path, new.as_bytes(), 0o644) }
}

fn add_to_hosts(made: &mut Made, paths: &Paths, host: &Host) -> Result<(), Error> {
    let path = paths.hosts_file();
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    if resolve::in_hosts(&old, &host.name).any(|address| address == host.address) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        made.directory(parent, 0o755)?;
    }
    let short = host.name.split('.').next().unwrap_or_default();
    let separator = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
    let alias = if short == host.name { String::new() } else { format!(" {short}") };
    made.file(&path, format!("{old}{separator}{}\t{}{alias}\n", host.address, host.name).as_bytes(), 0o644)
}

fn state(paths: &Paths, config: &Config, host: &Host) -> Result<(), Error> {
    let rows = rows(config).map_err(|error| Error::State(error.to_string()))?;
    let identity = Identity { id: 1, name: host.name.clone(), address: SocketAddr::new(host.address, RAFT_PORT).to_string() };
    let directory = paths.confd_dir();
    // A thread of its own: the caller may be inside a runtime already.
    let run = move || -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| Error::State(error.to_string()))?;
        let made = runtime.block_on(gannet_confd::bootstrap(&directory, &identity, rows));
        made.map(|_epoch| ()).map_err(|error| Error::State(error.to_string()))
    };
    match std::thread::spawn(run).join() {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::State("the state service ended by itself".to_owned())),
    }
}

/// The first rows of the state.
fn rows(config: &Config) -> serde_json::Result<Vec<(Key, String)>> {
    let mut objects = vec![Object::Cluster(config.cluster().clone())];
    objects.extend(config.groups().cloned().map(Object::NodeGroup));
    objects.extend(config.nodes().cloned().map(Object::Node));
    let row = |object: &Object| Ok((Key::new(object.kind().as_str(), object.id()), object.to_json()?));
    let mut rows = objects.iter().map(row).collect::<serde_json::Result<Vec<_>>>()?;
    rows.push((Key::new(Kind::META, "config-version"), CONFIG_VERSION.to_string()));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn machine() -> (tempfile::TempDir, Paths) {
        let root = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::new(Some(root.path().to_owned()));
        std::fs::create_dir_all(paths.at("/etc")).expect("etc");
        let name = resolve::own_name(&paths).expect("this machine has a name");
        std::fs::write(paths.hosts_file(), format!("127.77.0.1 {name}\n127.77.0.100 cluster.example.com\n")).expect("hosts");
        (root, paths)
    }

    fn spec(value: serde_json::Value) -> Spec {
        let mut spec: Spec = serde_json::from_value(value).expect("options");
        spec.cluster_name = "cluster.example.com".to_owned();
        spec.enabled_hypervisors = Some(vec!["fake".to_owned()]);
        spec
    }

    fn everything(paths: &Paths) -> Vec<PathBuf> {
        fn walk(path: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
                found.push(entry.path());
                walk(&entry.path(), found);
            }
        }
        let mut found = Vec::new();
        walk(paths.root().expect("a root"), &mut found);
        found.sort();
        found
    }

    #[test]
    fn a_cluster_is_made_once() {
        let (_root, paths) = machine();
        let report = run(&spec(json!({})), &paths).expect("a new cluster");
        assert_eq!(report.master_ip, "127.77.0.100");
        for path in [paths.ca_cert(), paths.ca_key(), paths.node_cert(), paths.master_cert(), paths.rapi_cert(), paths.rapi_users()] {
            assert!(path.exists(), "{}", path.display());
        }
        let allowed = std::fs::read_to_string(paths.file_storage_paths_file()).expect("the list");
        assert_eq!(allowed, "/srv/ganeti/file-storage\n/srv/ganeti/shared-file-storage\n");
        assert!(!marker(&paths).exists());
        let error = run(&spec(json!({})), &paths).expect_err("once is enough");
        assert!(error.to_string().contains("already initialised"), "{error}");
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let (_root, paths) = machine();
        // A file where a directory has to be: found out only after other things were made.
        std::fs::create_dir_all(paths.at("/srv")).expect("srv");
        std::fs::write(paths.at("/srv/ganeti"), "in the way").expect("an obstacle");
        let before = everything(&paths);
        run(&spec(json!({})), &paths).expect_err("the obstacle");
        assert_eq!(everything(&paths), before);
        std::fs::remove_file(paths.at("/srv/ganeti")).expect("no obstacle");
        run(&spec(json!({})), &paths).expect("a new cluster");
    }

    #[test]
    fn an_initialisation_that_died_can_be_repeated() {
        let (_root, paths) = machine();
        run(&spec(json!({})), &paths).expect("a new cluster");
        std::fs::write(marker(&paths), "").expect("as if it had died at the end");
        run(&spec(json!({})), &paths).expect("a new cluster");
    }
}

//! `gannet-noded join`: how this machine becomes a node. The operator's token names the master and pins the cluster's
//! CA by its fingerprint, so nothing else needs to be trusted on the way.

mod call;
mod install;
mod token;
mod verifier;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gannet_core::paths::Paths;
use gannet_proto::join::{JoinReply, JoinRequest};
use rcgen::{CertificateParams, DnType, KeyPair};

pub use token::Token;

use crate::run::Program;
use crate::{address, tls};

/// How long the daemon starter may take.
const START: Duration = Duration::from_secs(60);

/// Why this machine did not become a node.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not copied whole, or of a newer version.
    #[error("the token is not usable: {0}; copy the whole token that `gnt-node add` printed")]
    Token(String),
    /// Older than its time.
    #[error("the token for node {node} has expired; run `gnt-node add {node}` on the master again")]
    Expired { node: String },
    /// It has a certificate already.
    #[error("this node belongs to a cluster already ({evidence} exists); to give that up, use --force", evidence = evidence.display())]
    Member { evidence: PathBuf },
    /// Network, or the other side is not the cluster of the token.
    #[error("cannot reach the master at {master}: {reason}")]
    Connect { master: String, reason: String },
    /// The master said no.
    #[error("the master at {master} refused: {reason}")]
    Refused { master: String, reason: String },
    /// The answer does not fit the token or the request.
    #[error("the master's answer is not usable: {0}; nothing was changed on this node")]
    Answer(String),
    /// Key or request could not be made.
    #[error("cannot make a certificate request")]
    Request(#[source] rcgen::Error),
    /// A file.
    #[error("cannot write {path}", path = path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// What joining did, for the operator.
#[derive(Debug)]
pub struct Joined {
    node: String,
    cluster: String,
    started: Result<(), String>,
}

impl fmt::Display for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, cluster, started } = self;
        match started {
            Ok(()) => write!(f, "Node {node} has joined cluster {cluster}; its agent is running."),
            Err(reason) => write!(
                f,
                "Node {node} has joined cluster {cluster}, but its agent was not started ({reason}).\n\
                 Start it now: systemctl start gannet-noded, or gannet-noded by hand."
            ),
        }
    }
}

/// Joins the cluster of the token and starts the agent.
///
/// # Errors
/// Before anything was changed, except for [`Error::Write`].
pub async fn join(paths: &Paths, token: &str, force: bool) -> Result<Joined, Error> {
    let token: Token = token.parse()?;
    let (node, cluster) = become_member(paths, &token, force).await?;
    Ok(Joined { started: start_agent(paths, &node, force).await, node, cluster })
}

/// Everything but the start: the names of the node and its cluster.
///
/// # Errors
/// As [`join`].
pub async fn become_member(paths: &Paths, token: &Token, force: bool) -> Result<(String, String), Error> {
    token.check_expiry(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())?;
    if let Some(evidence) = install::membership(paths)
        && !force
    {
        return Err(Error::Member { evidence });
    }
    let key = KeyPair::generate().map_err(Error::Request)?;
    let request = JoinRequest {
        token_id: token.id.clone(),
        secret: token.secret.clone(),
        node_name: token.node.clone(),
        csr_pem: signing_request(&token.node, &key)?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        addresses: address::resolve(paths, &token.node).iter().map(ToString::to_string).collect(),
    };
    let reply = call::join(token, request).await?;
    check(&reply, token, &key)?;
    install::install(paths, &reply, &key, token)?;
    Ok((token.node.clone(), reply.cluster_name))
}

fn signing_request(node: &str, key: &KeyPair) -> Result<String, Error> {
    let mut params = CertificateParams::new(vec![node.to_owned()]).map_err(Error::Request)?;
    params.distinguished_name.push(DnType::CommonName, node);
    params.serialize_request(key).and_then(|request| request.pem()).map_err(Error::Request)
}

/// What the master gave must be for this node, this key and this CA.
fn check(reply: &JoinReply, token: &Token, key: &KeyPair) -> Result<(), Error> {
    let bad = |reason: &str| Error::Answer(reason.to_owned());
    let ca = verifier::single(reply.ca_pem.as_bytes()).ok_or_else(|| bad("it has no CA certificate"))?;
    if verifier::fingerprint(&ca) != token.ca {
        return Err(bad("its CA is not the one of the token"));
    }
    let own = verifier::single(reply.cert_pem.as_bytes()).ok_or_else(|| bad("it has no certificate for this node"))?;
    verifier::signed_by(&own, &ca).map_err(|error| Error::Answer(format!("its certificate for this node: {error}")))?;
    let names = tls::names(&own).map_err(|error| Error::Answer(error.to_string()))?;
    if names.common_name != token.node {
        return Err(Error::Answer(format!("its certificate is for {}, not for {}", names.common_name, token.node)));
    }
    if !verifier::has_key(&own, key) {
        return Err(bad("its certificate is for another key"));
    }
    if reply.cluster_name.is_empty() {
        return Err(bad("it names no cluster"));
    }
    install::check_files(reply)
}

async fn start_agent(paths: &Paths, node: &str, restart: bool) -> Result<(), String> {
    let gnt = find_gnt().ok_or_else(|| "`gnt` was not found".to_owned())?;
    if restart {
        // it may not run at all: only the start must work
        let _was_not_running = starter(&gnt, paths, node, "stop").output().await;
    }
    starter(&gnt, paths, node, "start").output().await.map(drop).map_err(|error| error.to_string())
}

fn starter(gnt: &std::path::Path, paths: &Paths, node: &str, verb: &str) -> Program {
    // what the operator chose for this node (another libvirt, another log level) holds for the agent too
    let chosen = std::env::vars_os()
        .filter(|(name, _)| name.to_str().is_some_and(|name| name.starts_with("GANETI_") || name.starts_with("GANNET_")));
    let program = Program::new(gnt).args(["daemon-util", verb, "gannet-noded"]).timeout(START);
    let program = chosen.fold(program, |program, (name, value)| program.env(name, value));
    match paths.root() {
        Some(root) => program.env("GANETI_ROOTDIR", root).env("GANETI_HOSTNAME", node),
        None => program,
    }
}

/// Beside this program first, then where programs are looked for.
fn find_gnt() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join("gnt")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let searched = std::env::split_paths(&path).map(|directory| directory.join("gnt"));
    beside.into_iter().chain(searched).find(|candidate| candidate.is_file())
}

//! Keeps the members of the state's group equal to the master candidates: candidates get the state, the secrets and the daemons of
//! a master; who is none any more loses them.

mod plan;

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gannet_confd::client::Client;
use gannet_confd::{Member, Status};
use gannet_core::config::{Cluster, Config, Node, Object};
use gannet_core::paths::RAFT_PORT;
use gannet_proto::node::{Empty, FileUploadRequest, MemberBeginRequest};
use tokio::sync::watch;

use self::plan::{Candidate, Step, next};
use crate::master::Master;
use crate::pki::Authority;
use crate::store::{Change, Changes, Transaction, stamp};

/// Members are compared with the configuration this often, besides after each change of it.
const LOOK: Duration = Duration::from_secs(2);
/// Changes within this time are looked at together.
const GATHER: Duration = Duration::from_millis(200);
/// A candidate that could not be added is left alone for this long.
const AGAIN: Duration = Duration::from_secs(10);

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Node(#[from] crate::node::NodeError),
    #[error(transparent)]
    Confd(#[from] gannet_confd::Error),
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Pki(#[from] crate::pki::Error),
}

/// Writes that this node is the master, when the configuration says that another one is.
///
/// # Errors
/// confd does not answer; or this node is not in the configuration.
pub(crate) async fn claim(master: &Arc<Master>, client: &Client) -> anyhow::Result<()> {
    let Status { role, members, .. } = client.status().await?;
    let own = members.into_iter().find(|member| member.id == role.id).map(|member| member.name).unwrap_or_default();
    let state = master.store().state();
    let Some(node) = state.config.nodes().find(|node| node.name.as_str() == own) else {
        anyhow::bail!("node '{own}' leads, and is not in the configuration");
    };
    let old = state.config.cluster();
    if old.master_node == node.uuid {
        return Ok(());
    }
    let before = state.config.node(&old.master_node).map(|node| node.name.to_string()).unwrap_or_default();
    tracing::warn!(%before, now = %own, "this node takes over as the master");
    let new = Cluster { master_node: node.uuid.clone(), ..Cluster::clone(old) };
    let mut changes = Changes::none().update(&state, &Object::Cluster(Arc::new(new)));
    for change in &mut changes.0 {
        if let Some(value) = &mut change.value {
            stamp(value, false, master.clock().now());
        }
    }
    let row = |Change { kind, id, value, before }: Change| (kind, id, value.map(|value| value.to_string()), Some(before.into()));
    master.store().commit(Transaction { config: changes.0.into_iter().map(row).collect(), ..Transaction::default() }).await?;
    Ok(())
}

/// Makes the members what they should be, until `stopping` is set.
pub(crate) async fn serve(master: Arc<Master>, mut stopping: watch::Receiver<bool>) {
    let mut changes = master.store().changes();
    let mut keeper = Keeper { master, failed: HashSet::new(), told: HashSet::new() };
    let mut forget = tokio::time::Instant::now() + AGAIN;
    loop {
        if tokio::time::Instant::now() >= forget {
            keeper.failed.clear();
            forget = tokio::time::Instant::now() + AGAIN;
        }
        let progress = tokio::select! {
            progress = keeper.step() => progress,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        if progress {
            continue;
        }
        let changed = async {
            // The end of the mirror ends the daemon; there is nothing to look at any more then.
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(GATHER).await;
        };
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = changed => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

/// Master candidates that can be members.
fn candidates(config: &Config) -> Vec<Candidate> {
    let fit = |node: &&Arc<Node>| (node.master_candidate && !node.offline) || node.uuid == config.cluster().master_node;
    let candidate = |node: &Arc<Node>| {
        let address: IpAddr = node.primary_ip.parse().ok()?;
        Some(Candidate {
            id: plan::member_id(node.uuid.as_str()),
            node: node.uuid.clone(),
            name: node.name.to_string(),
            address: SocketAddr::new(address, RAFT_PORT).to_string(),
        })
    };
    let mut all: Vec<Candidate> = config.nodes().filter(fit).filter_map(candidate).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

struct Keeper {
    master: Arc<Master>,
    /// Members that a step failed for lately.
    failed: HashSet<u64>,
    /// Those that were complained about.
    told: HashSet<u64>,
}

impl Keeper {
    /// Does one step, if one is due; whether another one may be.
    async fn step(&mut self) -> bool {
        let client = self.master.store().client();
        let Ok(Status { role, members, .. }) = client.status().await else { return false };
        if !role.is_leader() {
            return false;
        }
        let candidates = candidates(&self.master.store().state().config);
        let Some(step) = next(&candidates, &members, role.id, &self.failed) else { return false };
        let (id, name) = step.member();
        tracing::info!(member = name, step = step.verb(), "changing the members of the state's group");
        match self.carry_out(&step).await {
            Ok(()) => {
                self.told.remove(&id);
                true
            }
            Err(error) => {
                if self.told.insert(id) {
                    tracing::warn!(member = name, step = step.verb(), %error, "not done; trying again every {} s", AGAIN.as_secs());
                }
                self.failed.insert(id);
                true
            }
        }
    }

    async fn carry_out(&self, step: &Step) -> Result<(), Error> {
        let client = self.master.store().client();
        match step {
            Step::Add(candidate) => self.add(candidate).await,
            Step::Promote(member) => Ok(client.add_member(Member { voter: true, ..member.clone() }).await.map(drop)?),
            Step::Demote(member) => Ok(client.add_member(Member { voter: false, ..member.clone() }).await.map(drop)?),
            Step::Remove(member) => {
                client.remove_member(member.id).await?;
                let state = self.master.store().state();
                let node = state.config.nodes().find(|node| node.name.as_str() == member.name && !node.offline);
                // One that cannot be reached finds out when it is told to begin again, or leaves with its node.
                if let Some(node) = node
                    && let Err(error) = self.master.nodes().handle(node)?.member_end(Empty {}).await
                {
                    tracing::warn!(node = %node.name, %error, "the node keeps its copy of the state for now");
                }
                Ok(())
            }
        }
    }

    async fn add(&self, candidate: &Candidate) -> Result<(), Error> {
        let node = self.master.node(&candidate.node)?;
        for file in self.secrets()? {
            node.file_upload(file).await?;
        }
        let Candidate { id, name, address, .. } = candidate.clone();
        node.member_begin(MemberBeginRequest { id, name: name.clone(), address: address.clone() }).await?;
        let member = Member { id, name, address, voter: false, lag: None, term: None };
        self.master.store().client().add_member(member).await?;
        Ok(())
    }

    /// What a master needs and other nodes do not have. The certificate of the role is each candidate's own.
    fn secrets(&self) -> Result<Vec<FileUploadRequest>, Error> {
        let paths = self.master.paths();
        let read = |path: std::path::PathBuf| std::fs::read(&path).map_err(|source| Error::Read { path, source });
        let text = |path: std::path::PathBuf| read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let authority = Authority::load(&text(paths.ca_cert())?, &text(paths.ca_key())?)?;
        let own = authority.issue_master(self.master.clock().now())?;
        let mut files = vec![("ca.key", read(paths.ca_key())?), ("master.pem", own.into_bytes())];
        for (name, path) in [("rapi.pem", paths.rapi_cert()), ("rapi/users", paths.rapi_users())] {
            if path.exists() {
                files.push((name, read(path)?));
            }
        }
        let upload = |(name, content): (&str, Vec<u8>)| FileUploadRequest {
            path: format!("/var/lib/ganeti/{name}"),
            content,
            ..FileUploadRequest::default()
        };
        Ok(files.into_iter().map(upload).collect())
    }
}

//! Who leads, as the state store of this node sees it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use gannet_confd::client::Client;
use gannet_core::id::Epoch;
use gannet_core::paths::Paths;
use tokio::sync::watch;
use tokio::time::Instant;

/// Between two tries to reach confd.
const RETRY: Duration = Duration::from_millis(20);

/// The master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leader {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    pub(crate) term: u64,
}

/// What is known of the lead.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// The name of this node; empty while the group does not know it.
    pub(crate) own: String,
    /// This node leads, and its master daemon will be active in a moment.
    pub(crate) leads: bool,
    /// Another node that leads.
    pub(crate) leader: Option<Leader>,
    /// Since when nobody leads.
    pub(crate) leaderless: Option<Instant>,
}

impl View {
    pub(super) fn new() -> Self {
        Self { own: String::new(), leads: false, leader: None, leaderless: Some(Instant::now()) }
    }
}

/// Follows the role until this node leads; gives the connection to confd, and the epoch.
pub(super) async fn until_leading(paths: &Paths, view: &watch::Sender<View>, clients: &watch::Sender<Option<Client>>) -> (Client, Epoch) {
    let socket = paths.confd_socket();
    let mut complained = false;
    loop {
        match follow(&socket, paths, view, clients).await {
            Ok(Some(found)) => return found,
            Ok(None) => {}
            Err(error) => {
                if !complained {
                    tracing::info!(%error, "waiting for confd");
                    complained = true;
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// `None` when the stream ends.
async fn follow(
    socket: &Path,
    paths: &Paths,
    view: &watch::Sender<View>,
    clients: &watch::Sender<Option<Client>>,
) -> Result<Option<(Client, Epoch)>, gannet_confd::Error> {
    let client = Client::connect(socket).await?;
    clients.send_replace(Some(client.clone()));
    let mut roles = client.roles().await?;
    loop {
        let role = roles.next().await?;
        let members = client.status().await?.members;
        let own = members.iter().find(|member| member.id == role.id).map(|member| member.name.clone()).unwrap_or_default();
        let leader = members.iter().find(|member| Some(member.id) == role.leader && member.id != role.id);
        if let Some(leader) = leader {
            point_to(&leader.name, paths);
        }
        let leader = leader.and_then(|leader| {
            let address: SocketAddr = leader.address.parse().ok()?;
            Some(Leader { name: leader.name.clone(), address: address.ip(), term: role.term })
        });
        view.send_modify(|view| {
            view.own = own;
            view.leads = role.is_leader();
            view.leaderless = if view.leads || leader.is_some() { None } else { view.leaderless.or_else(|| Some(Instant::now())) };
            view.leader = leader;
        });
        if role.is_leader() {
            // A store that has just begun leads before it has applied all of its log: what it would show now is the past,
            // with jobs that are not there yet.
            client.read_index().await?;
            return Ok(Some((client, Epoch(role.term))));
        }
    }
}

/// Commands on this node ask ssconf who the master is; the new master tells all nodes, but one that was away only later.
fn point_to(leader: &str, paths: &Paths) {
    let values = BTreeMap::from([("master_node".to_owned(), format!("{leader}\n"))]);
    if let Err(error) = crate::export::write_ssconf(paths, &values) {
        tracing::warn!(%error, "cannot write who the master is");
    }
}

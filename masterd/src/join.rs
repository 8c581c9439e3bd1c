//! How machines become nodes: tokens, the service that trades one for a certificate, and the job that follows.
//!
//! A token is a row `join-token/<id>` of the state, with a hash of its secret. The life of a token:
//! `waiting` → (the machine calls) `joined` → (its agent answers) `submitted`, with the number of the OP_NODE_ADD job;
//! or `failed`, with the reason.

pub(crate) mod finish;
mod service;
mod token;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gannet_core::error::{ErrorCode, WireError};
use gannet_core::opcode::{Common, NodeAdd, Op, OpCode, Parameters};
use gannet_core::paths::JOIN_PORT;
use gannet_proto::MAX_MESSAGE;
use gannet_proto::join::join_server::JoinServer;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tonic::transport::{Identity, Server, ServerTlsConfig};

use crate::master::Master;
use crate::resolve;
use token::{Secret, State, Token};

/// How long a token is good, in seconds, unless the options say otherwise.
const DEFAULT_TTL_S: u64 = 3600;
/// The longest that one can be.
const MAX_TTL_S: u64 = 7 * 24 * 3600;
/// The port or the certificates are not there yet: tried again after this.
const RETRY: Duration = Duration::from_secs(2);
/// One join, from the request to the answer.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// Makes a token for a node. `options`: the parameters of OP_NODE_ADD but the name, and `ttl` in seconds.
///
/// # Errors
/// When the name does not resolve, the node is known already, or the options are none of OP_NODE_ADD.
pub async fn create_token(master: &Arc<Master>, node_name: &str, options: Value) -> Result<Value, WireError> {
    let invalid = |text: String| WireError::prereq(text, ErrorCode::Invalid);
    let (options, ttl_s) = split_ttl(options)?;
    let name = resolve::full_name(master.paths(), node_name).to_ascii_lowercase();
    let (_, unit) = node_add(&name, &options).map_err(invalid)?;
    let state = master.store().state();
    let known = state.config.nodes().any(|node| node.name.as_str() == name);
    match (known, unit.readd) {
        (true, false) => return Err(WireError::prereq(format!("Node {name} is already in the configuration"), ErrorCode::Exists)),
        (false, true) => return Err(WireError::prereq(format!("Node {name} is not in the configuration"), ErrorCode::NoEntity)),
        _ => {}
    }
    let address = address(master, &name, &unit)?;
    let environment = |text: String| WireError::prereq(text, ErrorCode::Environment);
    let ca_path = master.paths().ca_cert();
    let ca = std::fs::read_to_string(&ca_path).map_err(|error| environment(format!("cannot read {}: {error}", ca_path.display())))?;
    let ca = crate::pki::fingerprint(&ca).map_err(|error| environment(error.to_string()))?;
    let own = own_address(master).ok_or_else(|| environment("the master's own address is not known".to_owned()))?;
    let not_stored = |error: crate::store::CommitError| WireError::from(&error);
    token::forget_old(master).await.map_err(not_stored)?;
    let secret = Secret::random();
    let expires = master.clock().now().as_secs_f64() as u64 + ttl_s;
    let token = Token {
        node: name.clone(),
        address,
        hash: secret.hash(),
        expires,
        options,
        request: None,
        state: State::Waiting,
        job: None,
        error: None,
    };
    let id = token::new_id();
    token.store(master, &id).await.map_err(not_stored)?;
    let text = token::text(&own, &ca, &id, &secret, &token);
    Ok(json!({"id": id, "token": text, "node": name, "expires": expires, "master": own.to_string()}))
}

/// What has become of a token.
///
/// # Errors
/// When there is no such token.
pub async fn status(master: &Arc<Master>, id: &str) -> Result<Value, WireError> {
    let token = Token::find(master, id).ok_or_else(|| WireError::prereq(format!("Join token '{id}' not known"), ErrorCode::NoEntity))?;
    let expired = token.state == State::Waiting && token.is_expired(master.clock().now());
    let state = if expired { "expired" } else { token.state.as_str() };
    Ok(json!({"id": id, "node": token.node, "state": state, "job": token.job, "error": token.error, "expires": token.expires}))
}

/// Serves joining nodes until `shutdown` is set, and goes on with those that had joined under another master.
pub async fn serve(master: Arc<Master>, mut shutdown: watch::Receiver<bool>) {
    for (id, _) in Token::all(&master).into_iter().filter(|(_, token)| token.state == State::Joined) {
        tokio::spawn(finish::add_node(master.clone(), id));
    }
    let serve = async {
        loop {
            if let Err(error) = listen(&master).await {
                tracing::warn!(%error, port = JOIN_PORT, "cannot serve joining nodes; trying again");
            }
            tokio::time::sleep(RETRY).await;
        }
    };
    tokio::select! {
        () = serve => {}
        _ = shutdown.wait_for(|stop| *stop) => {}
    }
}

async fn listen(master: &Arc<Master>) -> anyhow::Result<()> {
    let own = own_address(master).ok_or_else(|| anyhow::anyhow!("the master's own address is not known"))?;
    // Leaf and authority: the joining node knows only the authority's fingerprint.
    let leaf = std::fs::read_to_string(master.paths().node_cert())?;
    let ca = std::fs::read_to_string(master.paths().ca_cert())?;
    let tls = ServerTlsConfig::new().identity(Identity::from_pem(format!("{leaf}\n{ca}"), &leaf));
    let listener = gannet_daemon::net::listen(own).await?;
    let service = JoinServer::new(service::Service::new(master.clone())).max_decoding_message_size(MAX_MESSAGE);
    let mut server = Server::builder().timeout(CALL_LIMIT).concurrency_limit_per_connection(2).tls_config(tls)?;
    server.add_service(service).serve_with_incoming(listener.incoming()).await?;
    Ok(())
}

fn own_address(master: &Master) -> Option<SocketAddr> {
    let state = master.store().state();
    let address: IpAddr = state.config.master()?.primary_ip.parse().ok()?;
    Some(SocketAddr::new(address, JOIN_PORT))
}

fn address(master: &Master, name: &str, unit: &NodeAdd) -> Result<IpAddr, WireError> {
    let state = master.store().state();
    let ipv6 = state.config.cluster().primary_ip_family == 10;
    let wanted = unit.primary_ip.as_deref().unwrap_or(name);
    resolve::resolve(master.paths(), wanted, ipv6).ok_or_else(|| {
        let text = format!("The name of the node, {name}, does not resolve; add it to DNS or /etc/hosts on the master");
        WireError::prereq(text, ErrorCode::Resolver)
    })
}

fn split_ttl(options: Value) -> Result<(Map<String, Value>, u64), WireError> {
    let invalid = |text: &str| WireError::prereq(text, ErrorCode::Invalid);
    let mut options = match options {
        Value::Null => Map::new(),
        Value::Object(options) => options,
        _ => return Err(invalid("The options of a join token must be a dictionary")),
    };
    let ttl = match options.remove("ttl") {
        None | Some(Value::Null) => DEFAULT_TTL_S,
        Some(ttl) => ttl
            .as_u64()
            .filter(|ttl| (1..=MAX_TTL_S).contains(ttl))
            .ok_or_else(|| invalid("The validity of a join token must be between 1 s and a week"))?,
    };
    Ok((options, ttl))
}

/// The opcode that a token leads to: its own parameters, and those that every opcode has.
fn node_add(name: &str, options: &Map<String, Value>) -> Result<(Common, NodeAdd), String> {
    let mut parameters = options.clone();
    parameters.insert("OP_ID".to_owned(), NodeAdd::OP_ID.into());
    parameters.insert("node_name".to_owned(), name.into());
    let opcode = OpCode::from_json(Value::Object(parameters))
        .map_err(|error| format!("The options of a join token are those of OP_NODE_ADD: {error}"))?;
    match opcode.op {
        Op::NodeAdd(unit) => Ok((opcode.common, unit)),
        other => Err(format!("a join token leads to OP_NODE_ADD, not to {}", other.id())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_of_the_opcode() {
        let (options, ttl) = split_ttl(json!({"ttl": 60, "group": "default", "vm_capable": false})).expect("good options");
        let (_, unit) = node_add("node2.example.com", &options).expect("good options");
        assert_eq!((ttl, unit.group.as_deref(), unit.vm_capable), (60, Some("default"), Some(false)));
        assert!(node_add("node2.example.com", json!({"colour": 1}).as_object().expect("an object")).is_err());
        assert!(split_ttl(json!({"ttl": 0})).is_err() && split_ttl(json!([])).is_err());
    }
}

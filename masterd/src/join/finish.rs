//! After a machine has its certificate: waits for its agent, then adds the node by a job.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gannet_core::config::{Node, ParamMap, Stamps};
use gannet_core::id::{GroupUuid, NodeUuid};
use gannet_core::name::NodeName;
use gannet_core::opcode::{Op, OpCode};
use gannet_core::quantity::Timestamp;
use gannet_proto::node::HelloRequest;

use super::node_add;
use super::token::{State, Token};
use crate::master::Master;

/// How long the agent may take to come up.
const AGENT: Duration = Duration::from_secs(60);
/// Between two tries.
const RETRY: Duration = Duration::from_millis(100);

/// Waits for the agent of the node, then submits OP_NODE_ADD and writes down how it went.
pub(super) async fn add_node(master: Arc<Master>, id: String) {
    let Some(mut token) = Token::find(&master, &id) else { return };
    match submit(&master, &token).await {
        Ok(job) => {
            token.state = State::Submitted;
            token.job = job;
        }
        Err(error) => {
            tracing::warn!(node = %token.node, %error, "a node has joined but cannot be added");
            token.state = State::Failed;
            token.error = Some(error);
        }
    }
    if let Err(error) = token.store(&master, &id).await {
        tracing::warn!(node = %token.node, %error, "cannot write down how a node has joined");
    }
}

async fn submit(master: &Arc<Master>, token: &Token) -> Result<Option<gannet_core::id::JobId>, String> {
    let (common, unit) = node_add(&token.node, &token.options)?;
    let name: NodeName = token.node.parse().map_err(|error: gannet_core::name::InvalidName| error.to_string())?;
    let state = master.store().state();
    let known = state.config.nodes().any(|node| node.name == name);
    if known && !unit.readd {
        // The job was submitted by a master that died before it could write that down.
        return Ok(None);
    }
    wait_for_agent(master, &candidate(name, token.address)).await?;
    let mut unit = unit;
    unit.primary_ip.get_or_insert_with(|| token.address.to_string());
    master.queue().submit(vec![OpCode { common, op: Op::NodeAdd(unit) }], false).await.map(Some).map_err(|error| error.to_string())
}

async fn wait_for_agent(master: &Master, node: &Node) -> Result<(), String> {
    let deadline = Instant::now() + AGENT;
    loop {
        let outcome = match master.nodes().handle_even_offline(node) {
            Ok(handle) => handle.hello(HelloRequest {}).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() >= deadline => {
                return Err(format!(
                    "the agent of {} did not come up within {} s: {error}; start gannet-noded there, then join again",
                    node.name,
                    AGENT.as_secs()
                ));
            }
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// A node that is not in the configuration, as far as is needed for calling it.
#[must_use]
pub(crate) fn candidate(name: NodeName, address: IpAddr) -> Node {
    Node {
        name,
        primary_ip: address.to_string(),
        secondary_ip: address.to_string(),
        master_candidate: false,
        offline: false,
        drained: false,
        group: GroupUuid::random(),
        master_capable: true,
        vm_capable: true,
        ndparams: ParamMap::new(),
        powered: true,
        hv_state_static: BTreeMap::new(),
        disk_state_static: BTreeMap::new(),
        stamps: Stamps::new(Timestamp(0)),
        uuid: NodeUuid::random(),
        tags: Default::default(),
    }
}

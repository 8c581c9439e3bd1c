//! Answers as JSON, in the order of keys that the reference has.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::cluster::Cluster;
use crate::evacuate::Evacuation;
use crate::id::{InstanceId, NodeId};
use crate::moves::Move;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Names of nodes.
    Nodes(Vec<String>),
    /// The name of one node.
    Node(String),
    /// New instances with their nodes, and those without, with the reason.
    Several(Vec<(String, Vec<String>)>, Vec<(String, String)>),
    /// Moves.
    Moves(Box<Evacuation>),
}

/// The whole answer. `found`: what is to be said, and what was found; or why nothing was.
#[must_use]
pub fn text(cluster: &Cluster, found: Result<(&str, &Answer), &str>) -> String {
    let (success, info) = match found {
        Ok((info, _)) => (true, format!("Request successful: {info}")),
        Err(reason) => (false, format!("Request failed: {reason}")),
    };
    let result = found.ok().map(|(_, answer)| Shown { cluster, answer });
    let response = Response { success, info, result: result.ok_or([(); 0]) };
    // Texts and numbers alone: nothing in them cannot be written.
    serde_json::to_string(&response).unwrap_or_default()
}

struct Response<'a> {
    success: bool,
    info: String,
    result: Result<Shown<'a>, [(); 0]>,
}

impl Serialize for Response<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("success", &self.success)?;
        map.serialize_entry("info", &self.info)?;
        match &self.result {
            Ok(found) => map.serialize_entry("result", found)?,
            Err(nothing) => map.serialize_entry("result", &nothing[..])?,
        }
        map.end()
    }
}

struct Shown<'a> {
    cluster: &'a Cluster,
    answer: &'a Answer,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.answer {
            Answer::Nodes(names) => names.serialize(serializer),
            Answer::Node(name) => name.serialize(serializer),
            Answer::Several(placed, failed) => (placed, failed).serialize(serializer),
            Answer::Moves(found) => moves(self.cluster, found).serialize(serializer),
        }
    }
}

type Job<'a> = Vec<OpCode<'a>>;
type Moves<'a> = (Vec<(&'a str, &'a str, Vec<&'a str>)>, Vec<(&'a str, &'a str)>, Vec<Job<'a>>);

fn moves<'a>(cluster: &'a Cluster, found: &'a Evacuation) -> Moves<'a> {
    let name = |id: InstanceId| cluster.instance(id).name.as_str();
    let node = |id: &NodeId| cluster.node(*id).name.as_str();
    let moved = found.moved.iter();
    (
        moved
            .clone()
            .map(|moved| (name(moved.instance), cluster.group(moved.group).name.as_str(), moved.nodes.iter().map(node).collect()))
            .collect(),
        found.failed.iter().map(|(id, reason)| (name(*id), reason.as_str())).collect(),
        moved.map(|moved| moved.moves.iter().flat_map(|made| opcodes(cluster, moved.instance, *made)).collect()).collect(),
    )
}

/// A job's step.
enum OpCode<'a> {
    Migrate {
        instance: &'a str,
        target: Option<&'a str>,
    },
    /// What is only planned cannot be migrated.
    Failover {
        instance: &'a str,
        target: Option<&'a str>,
    },
    Replace {
        instance: &'a str,
        target: &'a str,
    },
}

fn opcodes(cluster: &Cluster, id: InstanceId, made: Move) -> Vec<OpCode<'_>> {
    let instance = cluster.instance(id).name.as_str();
    let name = |node: NodeId| cluster.node(node).name.as_str();
    let change = |target: Option<NodeId>| {
        let target = target.map(name);
        if cluster.instance(id).forthcoming { OpCode::Failover { instance, target } } else { OpCode::Migrate { instance, target } }
    };
    let replace = |node: NodeId| OpCode::Replace { instance, target: name(node) };
    match made {
        Move::Failover => vec![change(None)],
        Move::FailoverToAny(target) => vec![change(Some(target))],
        Move::ReplacePrimary(target) => vec![change(None), replace(target), change(None)],
        Move::ReplaceSecondary(target) => vec![replace(target)],
        Move::ReplaceAndFailover(target) => vec![replace(target), change(None)],
        Move::FailoverAndReplace(target) => vec![change(None), replace(target)],
    }
}

/// Seconds that a guest has to shut down (Ganeti's default).
const SHUTDOWN_TIMEOUT_S: u32 = 120;

impl Serialize for OpCode<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Migrate { instance, target } => {
                map.serialize_entry("OP_ID", "OP_INSTANCE_MIGRATE")?;
                map.serialize_entry("instance_name", instance)?;
                if let Some(target) = target {
                    map.serialize_entry("target_node", target)?;
                }
                map.serialize_entry("allow_runtime_changes", &false)?;
                map.serialize_entry("ignore_ipolicy", &false)?;
                map.serialize_entry("cleanup", &false)?;
                map.serialize_entry("allow_failover", &true)?;
                map.serialize_entry("ignore_hvversions", &true)?;
            }
            Self::Failover { instance, target } => {
                map.serialize_entry("OP_ID", "OP_INSTANCE_FAILOVER")?;
                map.serialize_entry("instance_name", instance)?;
                map.serialize_entry("shutdown_timeout", &SHUTDOWN_TIMEOUT_S)?;
                map.serialize_entry("ignore_consistency", &false)?;
                if let Some(target) = target {
                    map.serialize_entry("target_node", target)?;
                }
                map.serialize_entry("ignore_ipolicy", &false)?;
                map.serialize_entry("cleanup", &false)?;
            }
            Self::Replace { instance, target } => {
                map.serialize_entry("OP_ID", "OP_INSTANCE_REPLACE_DISKS")?;
                map.serialize_entry("instance_name", instance)?;
                map.serialize_entry("early_release", &false)?;
                map.serialize_entry("ignore_ipolicy", &false)?;
                map.serialize_entry("mode", "replace_new_secondary")?;
                map.serialize_entry("disks", &[(); 0])?;
                map.serialize_entry("remote_node", target)?;
            }
        }
        map.end()
    }
}

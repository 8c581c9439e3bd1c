//! `OP_NODE_QUERY_STORAGE`: space in the storage of nodes.

use std::sync::Arc;

use futures::future::join_all;
use gannet_core::config::{Config, Node};
use gannet_core::lock::LockSet;
use gannet_core::opcode::NodeQueryStorage;
use gannet_core::param::{DiskTemplate, StorageType};
use gannet_proto::node::{NodeInfoRequest, StorageSpace, StorageUnit};
use serde_json::{Value, json};

use super::queryvols::{check_fields, nodes_or_all};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

const FIELDS: [&str; 7] = ["allocatable", "free", "name", "node", "size", "type", "used"];

impl LogicalUnit for NodeQueryStorage {
    type Plan = Vec<Vec<Value>>;
    type Output = Vec<Vec<Value>>;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        nodes_or_all(config, &self.nodes)
    }

    async fn check(&self, held: &Held<'_>) -> Result<Self::Plan, Refusal> {
        check_fields(&self.output_fields, &FIELDS)?;
        let unit = unit(held.config(), self.storage_type)?;
        let nodes = nodes(held, &self.nodes)?;
        let asked = nodes.iter().map(|node| async {
            let request = NodeInfoRequest { hypervisors: Vec::new(), storage: vec![unit.clone()] };
            held.ask(&node.uuid)?.node_info(request).await.map_err(Refusal::from)
        });
        let mut rows = Vec::new();
        for (node, reply) in nodes.iter().zip(join_all(asked).await) {
            let spaces = match reply {
                Ok(reply) => reply.storage,
                Err(refusal) => {
                    held.log().warn(format!("Can't get storage data from node {}: {refusal}", node.name));
                    continue;
                }
            };
            for space in spaces {
                if !space.error.is_empty() {
                    held.log().warn(format!("Can't get storage data from node {}: {}", node.name, space.error));
                } else if self.name.as_ref().is_none_or(|name| *name == space.key) {
                    rows.push(row(&self.output_fields, node, &space));
                }
            }
        }
        Ok(rows)
    }

    async fn execute(plan: &Self::Plan, _job: &mut Steps<'_>) -> Result<Self::Output, Failure> {
        Ok(plan.clone())
    }
}

/// The named nodes, or all of them by name.
pub(super) fn nodes(held: &Held<'_>, names: &[String]) -> Result<Vec<Arc<Node>>, Refusal> {
    let mut nodes: Vec<Arc<Node>> = if names.is_empty() {
        held.config().nodes().filter(|node| !node.offline).cloned().collect()
    } else {
        names.iter().map(|name| held.find_node(name).cloned()).collect::<Result<_, _>>()?
    };
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(nodes)
}

fn unit(config: &Config, wanted: Option<StorageType>) -> Result<StorageUnit, Refusal> {
    let cluster = config.cluster();
    let default = || {
        cluster.enabled_disk_templates.iter().filter_map(|word| word.parse::<DiskTemplate>().ok()).map(DiskTemplate::storage_type).next()
    };
    let wanted = wanted.or_else(default).ok_or_else(|| Refusal::state("No disk template is enabled"))?;
    let key = match wanted {
        StorageType::File => &cluster.file_storage_dir,
        StorageType::SharedFile => &cluster.shared_file_storage_dir,
        other => {
            return Err(Refusal::invalid(format!(
                "Storage of the type '{other}' cannot be queried in this version of Gannet yet; it has file and sharedfile"
            )));
        }
    };
    if key.is_empty() {
        return Err(Refusal::state(format!("Storage of the type '{wanted}' is not enabled on this cluster")));
    }
    Ok(StorageUnit { r#type: wanted.as_str().to_owned(), key: key.clone() })
}

fn row(fields: &[String], node: &Node, space: &StorageSpace) -> Vec<Value> {
    let field = |name: &String| match name.as_str() {
        "node" => json!(node.name),
        "type" => json!(space.r#type),
        "name" => json!(space.key),
        "size" => json!(space.total_mib),
        "free" => json!(space.free_mib),
        "used" => json!(space.total_mib.saturating_sub(space.free_mib)),
        // Only LVM can be closed for allocation.
        _ => json!(true),
    };
    fields.iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn directories_are_the_units() {
        let config = sample::config();
        assert_eq!(unit(&config, Some(StorageType::File)).expect("enabled").key, "/srv/ganeti/file-storage");
        assert!(unit(&config, Some(StorageType::LvmVg)).is_err());
        let space = StorageSpace { total_mib: 10, free_mib: 4, ..StorageSpace::default() };
        assert_eq!(row(&["used".to_owned(), "allocatable".to_owned()], &sample::node(1), &space), [json!(6), json!(true)]);
    }
}

//! `OP_NODE_QUERYVOLS`: the volumes of nodes: what lies in their storage, and whose it is.

use futures::future::join_all;
use gannet_core::config::Config;
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::NodeQueryvols;
use gannet_proto::node::{StorageItem, StorageListRequest, StorageUnit};
use serde_json::{Value, json};

use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

const FIELDS: [&str; 6] = ["instance", "name", "node", "phys", "size", "vg"];

impl LogicalUnit for NodeQueryvols {
    type Plan = Vec<Vec<Value>>;
    type Output = Vec<Vec<Value>>;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        nodes_or_all(config, &self.nodes)
    }

    async fn check(&self, held: &Held<'_>) -> Result<Self::Plan, Refusal> {
        check_fields(&self.output_fields, &FIELDS)?;
        let nodes = super::query_storage::nodes(held, &self.nodes)?;
        let storage = units(held.config());
        let asked = nodes.iter().map(|node| async {
            let reads = held.ask(&node.uuid)?;
            reads.storage_list(StorageListRequest { storage: storage.clone() }).await.map_err(Refusal::from)
        });
        let mut rows = Vec::new();
        for (node, reply) in nodes.iter().zip(join_all(asked).await) {
            match reply {
                Ok(reply) => {
                    let mut items = reply.items;
                    items.sort_by(|a, b| (&a.key, &a.name).cmp(&(&b.key, &b.name)));
                    rows.extend(items.iter().map(|item| row(&self.output_fields, node.name.as_str(), item)));
                    reply
                        .errors
                        .iter()
                        .for_each(|(unit, error)| held.log().warn(format!("Can't list {unit} on node {}: {error}", node.name)));
                }
                Err(refusal) => held.log().warn(format!("Can't compute volume data on node {}: {refusal}", node.name)),
            }
        }
        Ok(rows)
    }

    async fn execute(plan: &Self::Plan, _job: &mut Steps<'_>) -> Result<Self::Output, Failure> {
        Ok(plan.clone())
    }
}

fn row(fields: &[String], node: &str, item: &StorageItem) -> Vec<Value> {
    let field = |name: &String| match name.as_str() {
        "node" => json!(node),
        // File storage: the path is the volume.
        "phys" => json!(item.name),
        "vg" => json!(item.key),
        "name" => json!(item.name),
        "size" => json!(item.size_mib.to_string()),
        // `-`: nobody's.
        _ => json!(if item.instance.is_empty() { "-" } else { &item.instance }),
    };
    fields.iter().map(field).collect()
}

/// The storage of the cluster's enabled templates.
pub(in crate::opcode) fn units(config: &Config) -> Vec<StorageUnit> {
    let cluster = config.cluster();
    let unit = |kind: &str, key: &String| StorageUnit { r#type: kind.to_owned(), key: key.clone() };
    let enabled = |kind: &str| cluster.enabled_disk_templates.iter().any(|template| template == kind);
    let all = [("file", &cluster.file_storage_dir), ("sharedfile", &cluster.shared_file_storage_dir)];
    all.into_iter().filter(|(kind, key)| enabled(kind) && !key.is_empty()).map(|(kind, key)| unit(kind, key)).collect()
}

pub(super) fn nodes_or_all(config: &Config, names: &[String]) -> Result<LockSet, Refusal> {
    if names.is_empty() {
        return Ok(LockSet::shared_cluster().shared(Lock::AllNodes));
    }
    let locks = names.iter().map(|name| Ok(Lock::Node(config.find_node(name)?.uuid.clone()))).collect::<Result<Vec<_>, Refusal>>()?;
    Ok(LockSet::shared_cluster().all(locks, Mode::Shared))
}

pub(super) fn check_fields(wanted: &[String], known: &[&str]) -> Result<(), Refusal> {
    let unknown: Vec<&str> = wanted.iter().map(String::as_str).filter(|field| !known.contains(field)).collect();
    if unknown.is_empty() { Ok(()) } else { Err(Refusal::invalid(format!("Unknown output fields selected: {}", unknown.join(", ")))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn rows_have_the_wanted_fields() {
        let item = StorageItem { key: "/srv/d".to_owned(), name: "web1/disk0".to_owned(), size_mib: 1024, ..StorageItem::default() };
        let fields = ["name", "size", "instance"].map(str::to_owned);
        assert_eq!(row(&fields, "node1", &item), [json!("web1/disk0"), json!("1024"), json!("-")]);
        assert!(check_fields(&["size".to_owned(), "colour".to_owned()], &FIELDS).is_err());
        assert_eq!(units(&sample::config()).len(), 2);
    }
}

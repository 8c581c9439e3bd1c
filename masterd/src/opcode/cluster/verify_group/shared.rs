//! What only shows when nodes are compared: files, orphans, spare memory. Pure.

use std::collections::{BTreeMap, BTreeSet};

use gannet_core::id::GroupUuid;
use gannet_core::opcode::VerifyCode;
use gannet_proto::node::InstanceListReply;

use super::gather::{SHARED_FILES, Seen};
use crate::opcode::cluster::verify_report::Finding;
use crate::rule::place::{self, Facts};

/// ssconf files must be as the configuration says, the others the same everywhere.
pub(super) fn files(seen: &Seen) -> Vec<Finding> {
    let error = |text: String| Finding::error(VerifyCode::ClusterFileCheck, "", text);
    let mut found = Vec::new();
    for file in seen.expected.keys().map(String::as_str).chain(SHARED_FILES) {
        let mut variants: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut missing = Vec::new();
        for node in &seen.nodes {
            let Some(reply) = node.answer() else { continue };
            match reply.file_digests.get(file) {
                Some(digest) => variants.entry(digest).or_default().push(node.node.name.as_str()),
                None => missing.push(node.node.name.as_str()),
            }
        }
        if !missing.is_empty() {
            found.push(error(format!("File {file} is missing from node(s) {}", missing.join(", "))));
        }
        let wrong = seen.expected.get(file).is_some_and(|wanted| variants.keys().any(|digest| digest != wanted));
        if variants.len() > 1 {
            let each = variants.values().enumerate().map(|(index, nodes)| format!("variant {} on {}", index + 1, nodes.join(", ")));
            found.push(error(format!(
                "File {file} found with {} different checksums ({})",
                variants.len(),
                each.collect::<Vec<_>>().join("; ")
            )));
        } else if wrong {
            found.push(error(format!("File {file} is not as the configuration says; `gnt-cluster redist-conf` writes it anew")));
        }
    }
    found
}

/// Files in the storage that belong to no disk. What several nodes see on shared storage is told once.
pub(super) fn orphan_volumes(seen: &Seen) -> Vec<Finding> {
    if seen.creating {
        return Vec::new();
    }
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for node in &seen.nodes {
        let items = node.answer().map(|reply| reply.storage_items.as_slice()).unwrap_or_default();
        for item in items {
            if seen.volumes.contains(&item.name) || seen.busy.contains(&item.instance) {
                continue;
            }
            if item.r#type == "sharedfile" && !told.insert(&item.name) {
                continue;
            }
            found.push(Finding::error(VerifyCode::NodeOrphanLv, node.node.name.as_str(), format!("volume {} is unknown", item.name)));
        }
    }
    found
}

/// If a node fails, can the others run its instances that can start elsewhere? By the same rule as placement.
pub(super) fn spare_memory(seen: &Seen, group: &GroupUuid) -> Vec<Finding> {
    let facts = seen.nodes.iter().filter_map(|node| {
        let reply = node.answer()?;
        let instances = InstanceListReply { instances: reply.instances.clone(), ..InstanceListReply::default() };
        Some((node.node.uuid.clone(), Facts { info: reply.info.clone()?, instances }))
    });
    // A configuration that contradicts itself is found by `OP_CLUSTER_VERIFY_CONFIG`.
    let found = place::irreplaceable(&seen.config, &facts.collect(), group).unwrap_or_default();
    let told = found.into_iter().filter_map(|lost| {
        let name = seen.config.node(&lost.node)?.name.as_str();
        let text = format!(
            "not enough memory to accommodate instance failovers should node {name} fail ({}MiB needed, {}MiB available)",
            lost.needed, lost.available
        );
        Some(Finding::error(VerifyCode::NodeN1, name, text))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gannet_core::config::{Disk, Object};
    use gannet_proto::node::StorageItem;

    use super::super::gather::{answer, sample};
    use super::*;

    fn group() -> GroupUuid {
        crate::rule::sample::uuid(2, 1).into()
    }

    #[test]
    fn a_good_group_has_no_findings() {
        let seen = sample();
        assert_eq!((files(&seen), orphan_volumes(&seen), spare_memory(&seen, &group())), (vec![], vec![], vec![]));
    }

    #[test]
    fn files_that_differ_are_found() {
        let mut seen = sample();
        answer(&mut seen, 2).file_digests.insert(SHARED_FILES[0].to_owned(), "bb".to_owned());
        answer(&mut seen, 3).file_digests.remove(SHARED_FILES[1]);
        for n in 1..=3 {
            answer(&mut seen, n).file_digests.insert("/var/lib/ganeti/ssconf_master_node".to_owned(), "old".to_owned());
        }
        let texts: Vec<String> = files(&seen).into_iter().map(|finding| finding.text).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(
            texts[0].contains("not as the configuration says")
                && texts[1].contains("2 different")
                && texts[2].contains("missing from node(s) node3")
        );
    }

    #[test]
    fn orphans_are_told_once() {
        let mut seen = sample();
        for n in 1..=3 {
            let item = StorageItem { r#type: "sharedfile".to_owned(), name: "/srv/x".to_owned(), ..StorageItem::default() };
            answer(&mut seen, n).storage_items.push(item);
        }
        assert_eq!(orphan_volumes(&seen).len(), 1);
        seen.creating = true;
        assert_eq!(orphan_volumes(&seen), []);
    }

    #[test]
    fn only_what_can_move_needs_spare_memory() {
        let mut seen = sample();
        for n in [2, 3] {
            answer(&mut seen, n).info.as_mut().expect("info").memory_free_mib = 100;
        }
        assert_eq!(spare_memory(&seen, &group()), [], "its disk is a file of its node");
        let disk = Disk { dev_type: "sharedfile".to_owned(), ..crate::rule::sample::disk(1, 1) };
        seen.config.put(Object::Disk(Arc::new(disk)));
        let found = spare_memory(&seen, &group());
        assert_eq!(found.len(), 1);
        assert!(found[0].text.contains("(256MiB needed, 200MiB available)"), "{}", found[0].text);
    }
}

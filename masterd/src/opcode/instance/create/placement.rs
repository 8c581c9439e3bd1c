//! On which node a new instance goes.

use gannet_core::config::Config;
use gannet_core::error::ErrorCode;
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::name::InstanceName;
use gannet_core::opcode::InstanceCreate;

use super::draft::Draft;
use crate::held::Held;
use crate::refusal::Refusal;
use crate::rule::place::{self, Placer, Wanted};
use crate::rule::{node_check, spec};

fn named_node(op: &InstanceCreate) -> Option<&str> {
    op.pnode_uuid.as_deref().or(op.pnode.as_deref())
}

/// The future name, and the named node; with an allocator every node, or those that are free when that is wanted.
pub(super) fn locks(config: &Config, op: &InstanceCreate) -> Result<LockSet, Refusal> {
    let name: InstanceName =
        op.instance_name.parse().map_err(|error: gannet_core::name::InvalidName| Refusal::invalid(error.to_string()))?;
    let set = LockSet::shared_cluster().exclusive(Lock::Instance(name));
    let allocator = place::chosen_iallocator(config, op.iallocator.as_deref(), named_node(op))?;
    let both = |node: &NodeUuid| [Lock::Node(node.clone()), Lock::NodeRes(node.clone())];
    if allocator.is_none() {
        if op.opportunistic_locking {
            return Err(Refusal::invalid("Opportunistic locking is only available in combination with an instance allocator"));
        }
        let node = config.find_node(named_node(op).unwrap_or_default())?;
        return Ok(set.all(both(&node.uuid), Mode::Exclusive).shared(Lock::Group(node.group.clone())));
    }
    let set = set.all(config.groups().map(|group| Lock::Group(group.uuid.clone())), Mode::Shared);
    let nodes = config.nodes().flat_map(|node| both(&node.uuid));
    Ok(if op.opportunistic_locking { set.opportunistic(nodes, Mode::Exclusive) } else { set.all(nodes, Mode::Exclusive) })
}

/// The primary node (templates with a second one are refused before).
pub(super) async fn choose(op: &InstanceCreate, held: &Held<'_>, draft: &Draft) -> Result<Vec<NodeUuid>, Refusal> {
    let config = held.config();
    let group = op.group_name.as_deref().map(|name| config.find_group(name)).transpose()?;
    let Some(iallocator) = place::chosen_iallocator(config, op.iallocator.as_deref(), named_node(op))? else {
        let node = held.find_node(named_node(op).unwrap_or_default())?;
        if let Some(group) = group.filter(|group| group.uuid != node.group) {
            return Err(Refusal::invalid(format!("Node {} is not in node group {}", node.name, group.name)));
        }
        node_check::usable(node)?;
        return Ok(vec![node.uuid.clone()]);
    };
    let free = op.opportunistic_locking.then(|| {
        let held_both = |node: &&NodeUuid| held.holds(&Lock::Node((*node).clone())) && held.holds(&Lock::NodeRes((*node).clone()));
        config.nodes().map(|node| &node.uuid).filter(held_both).cloned().collect::<Vec<_>>()
    });
    if free.as_ref().is_some_and(Vec::is_empty) {
        return Err(Refusal::new(ErrorCode::TempNoResources, "No node could be locked: other jobs work on all of them; try again later"));
    }
    let wanted = wanted(draft, group.map(|group| &group.uuid), free, op.ignore_ipolicy);
    let mut placer = Placer::new(held, draft.template, None).await?;
    let nodes = placer.allocate(config, &wanted).map_err(|why| {
        let refusal = place::no_place(&iallocator, &why);
        // What is taken now may be free again in a moment.
        if op.opportunistic_locking { Refusal::new(ErrorCode::TempNoResources, refusal.message) } else { refusal }
    })?;
    let names: Vec<String> = nodes.iter().map(|node| spec::node_name(config, node)).collect();
    held.log().note(format!("Selected nodes for instance {} via iallocator {iallocator}: {}", draft.instance.name, names.join(", ")));
    Ok(nodes)
}

/// What the allocator is asked for.
pub(in crate::opcode::instance) fn wanted<'a>(
    draft: &'a Draft,
    group: Option<&'a gannet_core::id::GroupUuid>,
    nodes: Option<Vec<NodeUuid>>,
    ignore_policy: bool,
) -> Wanted<'a> {
    Wanted {
        instance: &draft.instance,
        template: draft.template,
        disks_mib: draft.disks.iter().map(|disk| disk.size.0).collect(),
        start: draft.start,
        group,
        nodes,
        ignore_policy,
    }
}

#[cfg(test)]
mod tests {
    use gannet_core::opcode::InstanceCreateMode;

    use super::*;
    use crate::rule::sample;

    fn locked(change: impl FnOnce(&mut InstanceCreate)) -> Result<Vec<String>, String> {
        let mut op = InstanceCreate::new("New.example.com", vec![], InstanceCreateMode::Create, vec![]);
        change(&mut op);
        let set = locks(&sample::config(), &op).map_err(|refusal| refusal.message)?;
        Ok(set.needed().chain(set.optional()).map(|(lock, mode)| format!("{lock} {mode}")).collect())
    }

    #[test]
    fn the_future_name_and_the_node_are_locked() {
        let named = locked(|op| op.pnode = Some("node2".to_owned())).unwrap();
        let node = sample::uuid(1, 2);
        let group = sample::uuid(2, 1);
        assert_eq!(
            named,
            [
                "cluster/BGL shared".to_owned(),
                "instance/new.example.com exclusive".to_owned(),
                format!("nodegroup/{group} shared"),
                format!("node/{node} exclusive"),
                format!("node-res/{node} exclusive")
            ]
        );
        assert_eq!(locked(|_| {}).unwrap().len(), 3 + 6, "all nodes for the allocator");
        assert_eq!(locked(|op| op.opportunistic_locking = true).unwrap().len(), 3 + 6);
    }

    #[test]
    fn node_and_allocator_exclude_each_other() {
        let refused = |change: fn(&mut InstanceCreate)| locked(change).unwrap_err();
        assert!(refused(|op| op.pnode = Some("nix".to_owned())).contains("Node 'nix' not known"));
        assert!(
            refused(|op| {
                op.pnode = Some("node1".to_owned());
                op.iallocator = Some("hail".to_owned());
            })
            .contains("both")
        );
        assert!(
            refused(|op| {
                op.pnode = Some("node1".to_owned());
                op.opportunistic_locking = true;
            })
            .contains("allocator")
        );
    }
}

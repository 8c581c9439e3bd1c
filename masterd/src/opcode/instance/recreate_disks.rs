//! `OP_INSTANCE_RECREATE_DISKS`: makes lost disks of a stopped instance anew, empty, also on another node. What still lies in
//! their place is never written over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gannet_core::config::{AdminState, Config, Disk, DiskMode, Instance, Object};
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::{DiskParamsRequest, InstanceRecreateDisks, RecreateDisks};
use gannet_core::param::DiskTemplate;
use gannet_core::quantity::Mib;
use gannet_proto::node::{DiskCreateRequest, DiskInfoRequest, DiskRef, DiskWipeRequest};
use serde::{Deserialize, Serialize};

use super::create::disks::{create_request, wipe_requests};
use super::{moving, subject};
use crate::effect::{DiskCreate, DiskWipe};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::place::{self, Placer, Wanted};
use crate::rule::{hook_env, node_check, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    node: NodeUuid,
    node_name: String,
    create: Vec<DiskCreateRequest>,
    wipe: Vec<DiskWipeRequest>,
    /// The instance is on another node now.
    moves: bool,
    changes: Changes,
    hooks: Hooks,
}

impl LogicalUnit for InstanceRecreateDisks {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        let set = subject::lock(config, &self.instance_name, self.instance_uuid.as_deref())?;
        let both = |node: &NodeUuid| [Lock::Node(node.clone()), Lock::NodeRes(node.clone())];
        if self.iallocator.is_some() && self.nodes.is_empty() {
            let group = spec::group_of(config, &instance.primary_node).map(|group| group.uuid.clone());
            let members = config.nodes().filter(|node| Some(&node.group) == group.as_ref()).map(|node| node.uuid.clone());
            let members: Vec<Lock> = members.flat_map(|node| both(&node)).collect();
            return Ok(set.all(group.map(Lock::Group), Mode::Shared).all(members, Mode::Exclusive));
        }
        let mut nodes: Vec<NodeUuid> =
            self.nodes.iter().map(|name| Ok(config.find_node(name)?.uuid.clone())).collect::<Result<_, Refusal>>()?;
        nodes.push(instance.primary_node.clone());
        Ok(set.all(nodes.iter().flat_map(both), Mode::Exclusive))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let instance = subject::find(config, &self.instance_name, self.instance_uuid.as_deref())?;
        let wishes = wishes(&self.disks)?;
        if self.iallocator.is_some() && !self.nodes.is_empty() {
            return Err(Refusal::invalid("Do not specify both, iallocator and node"));
        }
        if self.nodes.len() > 1 {
            return Err(Refusal::invalid(format!(
                "Instance {} currently has 1 nodes, but {} replacement nodes were specified",
                instance.name,
                self.nodes.len()
            )));
        }
        if instance.disks.is_empty() {
            return Err(Refusal::invalid(format!("Instance '{}' has no disks", instance.name)));
        }
        let elsewhere = self.iallocator.is_some() || !self.nodes.is_empty();
        if !(elsewhere && held.node(&instance.primary_node)?.offline) {
            let states = [AdminState::Down, AdminState::Offline];
            node_check::instance_state(held, instance, &states, Some("cannot recreate disks")).await?;
        }
        let all = config.disks_of(instance).map(|disk| (**disk).clone()).collect();
        let disks = chosen(all, &wishes, elsewhere)?;
        let node = self.node(held, instance).await?;
        Box::pin(plan(held, instance, disks, node)).await
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        if plan.moves {
            job.log().warn("Changing the instance's nodes, you will have to remove any disks left on the older nodes manually");
        }
        for request in &plan.create {
            let index = request.disk.as_ref().map_or(0, |disk| disk.index);
            let text = format!("Can't create disk {index} on node {}", plan.node_name);
            job.step(&plan.node, DiskCreate(request.clone())).await.map_err(|failure| subject::explained(failure, &text))?;
        }
        for request in &plan.wipe {
            let done = job.step(&plan.node, DiskWipe(request.clone())).await;
            done.map_err(|failure| subject::explained(failure, "Can't wipe a disk"))?;
        }
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}

/// The choice of a node needs the opcode and the node's answers.
trait Target {
    async fn node(&self, held: &Held<'_>, instance: &Instance) -> Result<NodeUuid, Refusal>;
}

impl Target for InstanceRecreateDisks {
    async fn node(&self, held: &Held<'_>, instance: &Instance) -> Result<NodeUuid, Refusal> {
        let node = match (&self.iallocator, self.nodes.first()) {
            (Some(iallocator), _) => return allocated(held, instance, iallocator).await,
            (None, Some(name)) => held.find_node(name)?,
            (None, None) => held.node(&instance.primary_node)?,
        };
        node_check::online(node)?;
        moving::policy(held, instance, node)?;
        Ok(node.uuid.clone())
    }
}

/// As if the instance were new, in the group of its primary node.
async fn allocated(held: &Held<'_>, instance: &Instance, iallocator: &str) -> Result<NodeUuid, Refusal> {
    let config = held.config();
    let iallocator = place::chosen_iallocator(config, Some(iallocator), None)?.unwrap_or_default();
    let template = moving::template(config, instance)?;
    let group = config.node(&instance.primary_node).map(|node| &node.group);
    let wanted = Wanted {
        instance,
        template,
        disks_mib: config.disks_of(instance).map(|disk| disk.size.0).collect(),
        start: false,
        group,
        nodes: None,
        ignore_policy: false,
    };
    let nodes =
        Placer::new(held, template, Some(instance)).await?.allocate(config, &wanted).map_err(|why| place::no_place(&iallocator, &why))?;
    let node = nodes.into_iter().next().ok_or_else(|| Refusal::no_resources("No primary node was chosen"))?;
    let name = spec::node_name(config, &node);
    held.log().info(format!("Selected nodes for instance {} via iallocator {iallocator}: {name}", instance.name));
    Ok(node)
}

async fn plan(held: &Held<'_>, instance: &Arc<Instance>, mut disks: Vec<(usize, Disk)>, node: NodeUuid) -> Result<Plan, Refusal> {
    let config = held.config();
    let moves = node != instance.primary_node;
    for (_, disk) in disks.iter_mut().filter(|(_, disk)| !disk.nodes.is_empty()) {
        disk.nodes = vec![node.clone()];
    }
    for template in disks.iter().filter_map(|(_, disk)| disk.dev_type.parse::<DiskTemplate>().ok()).collect::<BTreeSet<_>>() {
        node_check::storage_allowed(held, &node, template).await?;
        let largest = disks.iter().filter(|(_, disk)| disk.dev_type == template.as_str()).map(|(_, disk)| disk.size).max();
        node_check::free_disk(held, &node, template, largest.unwrap_or(Mib(0))).await?;
    }
    // A disk has fewer places than 2^32 (MAX_DISKS).
    let refs: Vec<DiskRef> =
        disks.iter().map(|(index, disk)| DiskRef::from_disk(disk, u32::try_from(*index).unwrap_or(u32::MAX))).collect();
    let name = spec::node_name(config, &node);
    let found = held.ask(&node)?.disk_info(DiskInfoRequest { disks: refs.clone() }).await?;
    if let Some(there) = found.disks.iter().find(|state| state.exists || !state.error.is_empty()) {
        let reason = if there.exists { "it is there, with its data; remove it first if it is to be empty" } else { there.error.as_str() };
        return Err(Refusal::state(format!("Disk {} ({}) on node {name} is not lost: {reason}", there.uuid, there.path)));
    }
    let mut changes = Changes::none();
    for (_, disk) in disks.iter().filter(|(_, disk)| config.disk(&disk.uuid).is_none_or(|old| **old != *disk)) {
        changes = changes.update(held.state(), &Object::Disk(Arc::new(disk.clone())));
    }
    if moves {
        let moved = Instance { primary_node: node.clone(), ..(**instance).clone() };
        changes = changes.update(held.state(), &Object::Instance(Arc::new(moved)));
    }
    Ok(Plan {
        node,
        node_name: name,
        create: refs.iter().map(|disk| create_request(disk, instance.name.as_str())).collect(),
        wipe: if config.cluster().prealloc_wipe_disks { wipe_requests(&refs) } else { Vec::new() },
        moves,
        changes,
        hooks: hook_env::instance_hooks("instance-recreate-disks", config, instance, &[]),
    })
}

/// Which disks, with which new values; none means all as they were.
fn wishes(disks: &RecreateDisks) -> Result<BTreeMap<usize, DiskParamsRequest>, Refusal> {
    let list: Vec<(u8, DiskParamsRequest)> = match disks {
        // Repeated positions are one position here, as in Ganeti.
        RecreateDisks::Indices(indices) => {
            indices.iter().collect::<BTreeSet<_>>().into_iter().map(|index| (*index, DiskParamsRequest::default())).collect()
        }
        RecreateDisks::WithParams(list) => list.clone(),
    };
    let mut wishes = BTreeMap::new();
    for (index, params) in list {
        let foreign: Vec<&str> = params.0.keys().map(String::as_str).filter(|name| !["size", "mode", "spindles"].contains(name)).collect();
        if !foreign.is_empty() {
            let names = foreign.join(", ");
            return Err(Refusal::invalid(format!("Parameters for disk {index} try to change unmodifyable parameter(s): {names}")));
        }
        if params.get("spindles").is_some() {
            return Err(Refusal::invalid("Spindles in instance disks cannot be specified when exclusive storage is not enabled"));
        }
        if wishes.insert(usize::from(index), params).is_some() {
            return Err(Refusal::invalid(format!("Some disks have been specified more than once: {index}")));
        }
    }
    Ok(wishes)
}

/// The disks to make, each with its place, as they will be.
fn chosen(all: Vec<Disk>, wishes: &BTreeMap<usize, DiskParamsRequest>, elsewhere: bool) -> Result<Vec<(usize, Disk)>, Refusal> {
    if let Some(index) = wishes.keys().find(|index| **index >= all.len()) {
        return Err(Refusal::invalid(format!("Invalid disk index '{index}'")));
    }
    if elsewhere && !wishes.is_empty() && wishes.len() != all.len() {
        return Err(Refusal::invalid("Can't recreate disks partially and change the nodes at the same time"));
    }
    let chosen = all.into_iter().enumerate().filter(|(index, _)| wishes.is_empty() || wishes.contains_key(index));
    let one = |(index, mut disk): (usize, Disk)| {
        let Some(wish) = wishes.get(&index) else { return Ok((index, disk)) };
        match (wish.get("size"), wish.size_mib()) {
            (None, _) => {}
            (Some(_), Some(mib)) if mib > 0 => disk.size = Mib(mib),
            (Some(size), _) => return Err(Refusal::invalid(format!("Invalid disk size '{size}'"))),
        }
        disk.mode = match wish.get("mode").map(ToString::to_string).as_deref() {
            None => disk.mode,
            Some("rw") => DiskMode::ReadWrite,
            Some("ro") => DiskMode::ReadOnly,
            Some(other) => return Err(Refusal::invalid(format!("Invalid disk access mode '{other}'"))),
        };
        Ok((index, disk))
    };
    chosen.map(one).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rule::sample;

    fn read(disks: serde_json::Value) -> Result<BTreeMap<usize, DiskParamsRequest>, String> {
        wishes(&serde_json::from_value(disks).unwrap()).map_err(|refusal| refusal.message)
    }

    #[test]
    fn requests_are_read() {
        assert_eq!(read(json!([])).unwrap().len(), 0);
        assert_eq!(read(json!([1, 0, 1])).unwrap().keys().copied().collect::<Vec<_>>(), [0, 1]);
        assert!(read(json!([[0, {"size": 64}], [0, {}]])).unwrap_err().contains("more than once: 0"));
        assert!(read(json!([[0, {"name": "x"}]])).unwrap_err().contains("unmodifyable parameter(s): name"));
        assert!(read(json!([[0, {"spindles": 2}]])).unwrap_err().contains("Spindles"));
    }

    #[test]
    fn disks_are_chosen_and_changed() {
        let disks = || vec![sample::disk(1, 1), sample::disk(2, 1)];
        let with = |request, elsewhere| chosen(disks(), &read(request).unwrap(), elsewhere).map_err(|refusal| refusal.message);
        assert_eq!(with(json!([]), false).unwrap().len(), 2);
        let one = with(json!([[1, {"size": "2g", "mode": "ro"}]]), false).unwrap();
        assert_eq!((one.len(), one[0].0, one[0].1.size, one[0].1.mode), (1, 1, Mib(2048), DiskMode::ReadOnly));
        assert_eq!(with(json!([2]), false).unwrap_err(), "Invalid disk index '2'");
        assert_eq!(with(json!([[0, {"size": 0}]]), false).unwrap_err(), "Invalid disk size '0'");
        assert_eq!(with(json!([[0, {"mode": "x"}]]), false).unwrap_err(), "Invalid disk access mode 'x'");
        assert!(with(json!([1]), true).unwrap_err().starts_with("Can't recreate disks partially"));
        assert_eq!(with(json!([0, 1]), true).unwrap().len(), 2);
    }

    #[test]
    fn the_nodes_that_may_change_are_locked() {
        let config = sample::config();
        let locked = |change: fn(&mut InstanceRecreateDisks)| {
            let mut op = InstanceRecreateDisks::new("web1");
            change(&mut op);
            op.locks(&config).unwrap().needed().filter(|(lock, _)| matches!(lock, Lock::Node(_))).count()
        };
        assert_eq!(locked(|_| {}), 1);
        assert_eq!(locked(|op| op.nodes = vec!["node2".to_owned()]), 2);
        assert_eq!(locked(|op| op.iallocator = Some("hail".to_owned())), 3);
    }
}

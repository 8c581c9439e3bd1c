//! `OP_INSTANCE_SET_PARAMS`: changes an instance: its parameters, NICs, disks and their template, its OS, its primary node,
//! whether it is offline, and the memory and devices of its running guest.
//!
//! The request is applied to values (`nics`, `disks`, `convert`, `params`), the node is asked whether it can be so
//! (`checks`), and `steps` brings it about. Goes on after a crash; a failure before the record changes takes all of it back.

mod checks;
mod convert;
mod disks;
mod list;
mod nics;
mod params;
mod steps;
mod story;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use gannet_core::config::{Config, Disk, Instance, Node, Object, ObjectKind};
use gannet_core::lock::{Lock, LockSet, Mode};
use gannet_core::opcode::InstanceSetParams;
use gannet_proto::node::{DiskRef, DiskRenameRequest, InstanceBalloonRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::disks::Outcome;
use self::steps::Work;
use self::story::{Story, Told};
use super::create::addresses;
use super::create::disks::{create_request, wipe_requests};
use super::subject;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::{hook_env, node_check, spec};
use crate::store::Changes;
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

/// What to do, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The primary node before the change: disks and the guest are there.
    node: Node,
    work: Work,
    changes: Changes,
    /// What was changed, for the operator.
    told: Vec<Told>,
    hooks: Hooks,
}

impl LogicalUnit for InstanceSetParams {
    type Plan = Plan;
    type Output = Vec<(String, Value)>;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        let uuid = self.instance_uuid.as_deref();
        let instance = subject::find(config, &self.instance_name, uuid)?;
        let group = spec::group_of(config, &instance.primary_node).map(|group| Lock::Group(group.uuid.clone()));
        let mut set = subject::lock_with_nodes(config, &self.instance_name, uuid)?.all(group, Mode::Shared);
        if self.disk_template.is_some() || !self.disks.is_empty() {
            set = set.exclusive(Lock::NodeRes(instance.primary_node.clone()));
        }
        match self.pnode_uuid.as_deref().or(self.pnode.as_deref()) {
            Some(name) => Ok(set.exclusive(Lock::Node(config.find_node(name)?.uuid.clone()))),
            None => Ok(set),
        }
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        if is_empty(self) {
            return Err(Refusal::invalid("No changes submitted"));
        }
        checks::arguments(self)?;
        Box::pin(plan(self, held)).await
    }

    fn hooks(plan: &Plan) -> Option<Hooks> {
        Some(plan.hooks.clone())
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<Self::Output, Failure> {
        steps::run(&plan.node, &plan.work, &plan.changes, &plan.told, job).await
    }
}

fn is_empty(op: &InstanceSetParams) -> bool {
    let lists = op.nics.is_empty() && op.disks.is_empty() && op.hvparams.is_empty() && op.beparams.is_empty() && op.osparams.is_empty();
    let private = op.osparams_private.as_ref().is_none_or(|params| params.is_empty());
    let single = op.disk_template.is_none() && op.os_name.is_none() && op.pnode.is_none() && op.pnode_uuid.is_none();
    lists && private && single && op.offline.is_none() && op.runtime_mem.is_none() && op.instance_communication.is_none()
}

async fn plan(op: &InstanceSetParams, held: &Held<'_>) -> Result<Plan, Refusal> {
    let config = held.config();
    let instance = subject::find(config, &op.instance_name, op.instance_uuid.as_deref())?;
    let primary = checks::new_primary(op, held, instance).await?;
    let mut story = Story::new(checks::hotplug(op, held, instance).await?);
    let mut new: Instance = (**instance).clone();
    if let Some(mib) = op.runtime_mem {
        checks::balloon(op, held, instance, mib).await?;
        story.tell("runtime_memory", mib);
    }
    let (outcome, pairs) = change_disks(op, held, instance, &mut story).await?;
    new.disks = outcome.disks.iter().map(|disk| disk.uuid.clone()).collect();
    let taken = addresses::taken(config);
    new.nics = nics::apply(config, instance, op, &|nic| addresses::assign_mac(held, nic, &taken), &mut story)?;
    checks::bridges(op, held, instance, &new.nics).await?;
    params::hypervisor(config, &mut new, &op.hvparams, &mut story)?;
    params::backend(config, &mut new, &op.beparams, &mut story)?;
    params::os(&mut new, op, &mut story)?;
    checks::set_offline(op, held, &mut new, &mut story).await?;
    checks::memory(op, held, instance, &new).await?;
    checks::params(op, held, &new).await?;
    if !op.ignore_ipolicy {
        checks::policy(config, &new, &outcome.disks)?;
    }
    let hooks = hooks(config, op, instance, &new);
    let mut work = work(config, op, instance, &outcome, &pairs);
    work.plugs = story.requests(config, &new, &outcome.disks);
    let mut disks = outcome;
    if let Some(node) = primary {
        held.log().info(format!("Setting the primary node to {}; disks are not moved", node.name));
        new.primary_node = node.uuid.clone();
        // The record says where a local file is: with its instance.
        disks.disks.iter_mut().filter(|disk| disk.nodes.len() == 1).for_each(|disk| disk.nodes = vec![node.uuid.clone()]);
    }
    Ok(Plan {
        node: (**held.node(&instance.primary_node)?).clone(),
        work,
        changes: changes(held, instance, new, &disks, &pairs),
        told: story.told,
        hooks,
    })
}

/// The disks after the request, and with a new template the pairs of an old and a new one.
async fn change_disks(
    op: &InstanceSetParams,
    held: &Held<'_>,
    instance: &Instance,
    story: &mut Story,
) -> Result<(Outcome, Vec<(Disk, Disk)>), Refusal> {
    let config = held.config();
    let Some(template) = op.disk_template else {
        checks::removals(op, held, instance, story).await?;
        let outcome = disks::apply(config, instance, op, held.now(), story)?;
        if !outcome.is_only_record() {
            node_check::online(held.node(&instance.primary_node)?)?;
        }
        checks::room(held, instance, &outcome.new).await?;
        checks::reserve(held, &outcome.attached)?;
        return Ok((outcome, Vec::new()));
    };
    let pairs = convert::pairs(config, instance, op, template, held.now())?;
    let down = [gannet_core::config::AdminState::Down];
    node_check::instance_state(held, instance, &down, Some("cannot change disk template")).await?;
    if op.remote_node.is_some() {
        held.log().warn("Changing the disk template to a non-mirrored one, the secondary node will be ignored");
    }
    let new: Vec<Disk> = pairs.iter().map(|(_, new)| new.clone()).collect();
    checks::room(held, instance, &new).await?;
    story.tell("disk_template", template.as_str());
    Ok((Outcome { disks: new, ..Outcome::default() }, pairs))
}

/// What is done on the node, without the running guest.
fn work(config: &Config, op: &InstanceSetParams, instance: &Instance, outcome: &Outcome, pairs: &[(Disk, Disk)]) -> Work {
    let reference = |disk: &Disk, index: usize| DiskRef::from_disk(disk, u32::try_from(index).unwrap_or(u32::MAX));
    let place = |disk: &Disk| outcome.disks.iter().position(|other| other.uuid == disk.uuid).unwrap_or(outcome.disks.len());
    let after = |old: &Disk| outcome.disks.iter().find(|disk| disk.uuid == old.uuid).map(|disk| reference(disk, place(disk)));
    let name = instance.name.as_str();
    let new: Vec<DiskRef> = outcome.new.iter().map(|disk| after(disk).unwrap_or_else(|| reference(disk, place(disk)))).collect();
    let copies: Vec<(DiskRef, DiskRef)> =
        pairs.iter().enumerate().map(|(index, (old, new))| (reference(old, index), reference(new, index))).collect();
    let removed = outcome.removed.iter().map(|(disk, index)| reference(disk, *index));
    let detached = outcome.detached.iter().map(|(old, _, index)| reference(old, *index));
    let old = copies.iter().map(|(old, _)| old.clone());
    let leave = outcome.detached.iter().map(|(old, new, index)| (reference(old, *index), reference(new, *index)));
    let moves = |(old, new): (DiskRef, DiskRef)| {
        (old.logical_second != new.logical_second).then_some(DiskRenameRequest { old: Some(old), new: Some(new) })
    };
    Work {
        balloon: op.runtime_mem.map(|mib| InstanceBalloonRequest { instance: Some(spec::instance_ref(instance)), memory_mib: mib }),
        release: removed.clone().chain(detached).chain(old.clone()).collect(),
        create: new.iter().chain(copies.iter().map(|(_, new)| new)).map(|disk| create_request(disk, name)).collect(),
        wipe: if config.cluster().prealloc_wipe_disks { wipe_requests(&new) } else { Vec::new() },
        take: outcome.attached.iter().filter_map(|old| Some((reference(old, 0), after(old)?))).filter_map(moves).collect(),
        leave: leave.filter_map(moves).collect(),
        remove: removed.chain(old).collect(),
        copy: copies,
        plugs: Vec::new(),
    }
}

/// The records: only those that differ.
fn changes(held: &Held<'_>, old: &Instance, new: Instance, outcome: &Outcome, pairs: &[(Disk, Disk)]) -> Changes {
    let (config, state) = (held.config(), held.state());
    let put = |changes: Changes, disk: &Disk| match config.disk(&disk.uuid) {
        Some(known) if **known == *disk => changes,
        Some(_) => changes.update(state, &Object::Disk(Arc::new(disk.clone()))),
        None => changes.add(&Object::Disk(Arc::new(disk.clone()))),
    };
    let gone = |changes: Changes, disk: &Disk| changes.remove(state, ObjectKind::Disk, disk.uuid.as_str());
    let changes = outcome.disks.iter().chain(outcome.detached.iter().map(|(_, disk, _)| disk)).fold(Changes::none(), put);
    let changes = outcome.removed.iter().map(|(disk, _)| disk).chain(pairs.iter().map(|(old, _)| old)).fold(changes, gone);
    if new == *old { changes } else { changes.update(state, &Object::Instance(Arc::new(new))) }
}

/// On the master and the instance's nodes. The pre phase already shows the new memory, processors and NICs, but the old disks
/// (`parity/hooks.json`: instance-modify).
fn hooks(config: &Config, op: &InstanceSetParams, old: &Instance, new: &Instance) -> Hooks {
    let shown = Instance { disks: old.disks.clone(), admin_state: old.admin_state, ..new.clone() };
    let memory = op.runtime_mem.map(|mib| ("RUNTIME_MEMORY", mib.to_string()));
    let template = op.disk_template.map(|template| ("NEW_DISK_TEMPLATE", template.as_str().to_owned()));
    let extra: Vec<(&str, String)> = memory.into_iter().chain(template).collect();
    hook_env::instance_hooks("instance-modify", config, &shown, &extra)
}

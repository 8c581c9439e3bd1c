//! What the chosen node is asked before anything is made there.

use gannet_core::config::Disk;
use gannet_core::opcode::InstanceCreate;
use gannet_core::param::ipolicy::violations;
use gannet_core::quantity::Mib;
use gannet_proto::node::{self as proto, HypervisorValidateRequest, OsValidateRequest, ValidateReply};

use super::draft::Draft;
use crate::held::Held;
use crate::refusal::Refusal;
use crate::rule::{node_check, spec};

/// All of it; questions to the node at the same time.
pub(super) async fn run(
    op: &InstanceCreate,
    held: &Held<'_>,
    draft: &Draft,
    disks: &[Disk],
    message: &proto::Instance,
) -> Result<(), Refusal> {
    policy(op, held, draft, disks)?;
    let instance = &draft.instance;
    let node = &instance.primary_node;
    let largest = disks.iter().map(|disk| disk.size).max().unwrap_or(Mib(0));
    tokio::try_join!(
        hypervisor(held, draft, message),
        os(op, held, draft, message),
        node_check::bridges(held, instance, node),
        node_check::free_disk(held, node, draft.template, largest),
        node_check::storage_allowed(held, node, draft.template),
        memory(held, draft),
    )?;
    Ok(())
}

fn policy(op: &InstanceCreate, held: &Held<'_>, draft: &Draft, disks: &[Disk]) -> Result<(), Refusal> {
    let config = held.config();
    let Some(group) = spec::group_of(config, &draft.instance.primary_node) else { return Ok(()) };
    let found = violations(&spec::ipolicy(config, group), &spec::policy_spec(config, &draft.instance, disks));
    if found.is_empty() {
        return Ok(());
    }
    let text = format!("Instance allocation to group {} ({}) violates policy: {}", group.uuid, group.name, found.join(", "));
    if op.ignore_ipolicy {
        held.log().warn(text);
        return Ok(());
    }
    Err(Refusal::invalid(text))
}

async fn memory(held: &Held<'_>, draft: &Draft) -> Result<(), Refusal> {
    if !draft.start {
        return Ok(());
    }
    let instance = &draft.instance;
    let needed = spec::be(held.config(), instance).maxmem();
    let reason = format!("creating instance {}", instance.name);
    node_check::free_memory(held, &instance.primary_node, &instance.hypervisor, &reason, needed).await
}

async fn hypervisor(held: &Held<'_>, draft: &Draft, message: &proto::Instance) -> Result<(), Refusal> {
    let node = &draft.instance.primary_node;
    let request = HypervisorValidateRequest { hypervisor: draft.instance.hypervisor.clone(), hvparams: message.hvparams.clone() };
    let reply = held.ask(node)?.hypervisor_validate(request).await?;
    refuse(held, reply, |problem| {
        format!("Hypervisor parameter validation failed on node {}: {problem}", spec::node_name(held.config(), node))
    })
}

async fn os(op: &InstanceCreate, held: &Held<'_>, draft: &Draft, message: &proto::Instance) -> Result<(), Refusal> {
    if !draft.install {
        return Ok(());
    }
    let node = &draft.instance.primary_node;
    let all = [&message.osparams, &message.osparams_private, &message.osparams_secret];
    let request = OsValidateRequest {
        os: draft.instance.os.clone(),
        osparams: all.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect(),
        checks: vec!["parameters".to_owned()],
        required: true,
        force_variant: op.force_variant,
    };
    let reply = held.ask(node)?.os_validate(request).await?;
    refuse(held, reply, |problem| {
        let name = spec::node_name(held.config(), node);
        format!("OS '{}' cannot be used on node {name}: {problem}", draft.instance.os)
    })
}

fn refuse(held: &Held<'_>, reply: ValidateReply, text: impl Fn(&str) -> String) -> Result<(), Refusal> {
    reply.warnings.iter().for_each(|warning| held.log().warn(warning));
    if reply.problems.is_empty() { Ok(()) } else { Err(Refusal::invalid(text(&reply.problems.join("; ")))) }
}

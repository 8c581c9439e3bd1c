//! Calls about the node as a whole.

use std::collections::HashMap;

use gannet_proto::node::{InstanceInfo, NodeInfoReply, NodeInfoRequest, StorageUnit, VerifyReply, VerifyRequest};
use gannet_proto::params_from_proto;
use tonic::Status;

use super::{disk, os};
use crate::context::Context;
use crate::files::master_ip;
use crate::storage::list;
use crate::{facts, verify as found};

/// Memory, processors, storage space and hypervisors.
pub async fn node_info(context: &Context, request: NodeInfoRequest) -> Result<NodeInfoReply, Status> {
    Ok(info(context, &request.hypervisors, &request.storage).await)
}

async fn info(context: &Context, hypervisors: &[String], storage: &[StorageUnit]) -> NodeInfoReply {
    let mut facts_of = Vec::with_capacity(hypervisors.len());
    let mut fake_memory_mib = 0;
    for name in hypervisors {
        match context.hypervisors.get(name) {
            Ok(hypervisor) => {
                facts_of.push(hypervisor.node_facts().await);
                if name == "fake" {
                    fake_memory_mib = hypervisor.list().await.unwrap_or_default().iter().map(|instance| instance.memory_mib).sum();
                }
            }
            Err(error) => {
                facts_of.push(gannet_proto::node::HypervisorInfo { name: name.clone(), error: error.to_string(), ..Default::default() })
            }
        }
    }
    let mut info = facts::node_info(&context.paths, storage, facts_of);
    // Instances of the fake hypervisor use no real memory; Ganeti takes theirs off, so that placement is as for real ones.
    info.memory_free_mib = info.memory_free_mib.saturating_sub(fake_memory_mib);
    info
}

/// All that `gnt-cluster verify` asks. What cannot be found out is said in its place; the call itself does not fail.
pub async fn verify(context: &Context, request: VerifyRequest) -> Result<VerifyReply, Status> {
    let paths = &context.paths;
    let (info, disks, unreachable_peers, os_reply) = tokio::join!(
        info(context, &request.hypervisors, &request.storage),
        disk::states(context, &request.disks),
        found::unreachable(&request.peers),
        os::diagnose(context),
    );
    let (instances, mut hypervisor_problems) = instances(context, &request.hypervisors).await;
    for (name, params) in &request.hvparams {
        if let Ok(hypervisor) = context.hypervisors.get(name) {
            let problems = hypervisor.validate(&params_from_proto(&params.params)).await.problems;
            add_problems(&mut hypervisor_problems, name, problems);
        }
    }
    for hypervisor in info.hypervisors.iter().filter(|hypervisor| !hypervisor.error.is_empty()) {
        add_problems(&mut hypervisor_problems, &hypervisor.name, vec![hypervisor.error.clone()]);
    }
    let mut warnings = found::warnings(paths);
    let mut storage_items = Vec::new();
    for unit in request.storage.iter().filter(|unit| unit.r#type != "diskless") {
        match list::items(paths, unit).await {
            Ok(items) => storage_items.extend(items),
            Err(error) => warnings.push(format!("storage {} {}: {}", unit.r#type, unit.key, error.chain())),
        }
    }
    Ok(VerifyReply {
        instances,
        file_digests: blocking_digests(context, request.files).await,
        missing_bridges: found::missing_bridges(&request.bridges),
        unreachable_peers,
        file_storage_problems: found::file_storage_problems(paths, &request.file_storage_dirs),
        disks,
        storage_items,
        time: found::time(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: super::hello::PROTOCOL,
        missing_user_scripts: found::missing_scripts(paths, &request.user_scripts),
        os: Some(os_reply),
        master_ip_here: master_ip::is_here(&request.master_ip).await,
        hypervisor_problems,
        warnings,
        info: Some(info),
    })
}

async fn blocking_digests(context: &Context, files: Vec<String>) -> HashMap<String, String> {
    let paths = context.paths.clone();
    gannet_daemon::work::blocking(move || found::digests(&paths, &files)).await.unwrap_or_default()
}

async fn instances(context: &Context, hypervisors: &[String]) -> (Vec<InstanceInfo>, HashMap<String, String>) {
    let (mut instances, mut problems) = (Vec::new(), HashMap::new());
    for name in hypervisors {
        let listed = match context.hypervisors.get(name) {
            Ok(hypervisor) => hypervisor.list().await,
            Err(error) => Err(error),
        };
        match listed {
            Ok(listed) => instances.extend(listed),
            Err(error) => add_problems(&mut problems, name, vec![error.to_string()]),
        }
    }
    (instances, problems)
}

fn add_problems(all: &mut HashMap<String, String>, hypervisor: &str, problems: Vec<String>) {
    for problem in problems {
        let text = all.entry(hypervisor.to_owned()).or_default();
        if !text.split("; ").any(|known| known == problem) {
            *text = if text.is_empty() { problem } else { format!("{text}; {problem}") };
        }
    }
}

//! `OP_CLUSTER_REDIST_CONF`: sends what nodes have of the configuration to all of them, now.

use gannet_core::config::Config;
use gannet_core::id::NodeUuid;
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::ClusterRedistConf;
use gannet_proto::node::{FileUploadRequest, SsconfWriteRequest};
use serde::{Deserialize, Serialize};

use crate::effect;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

/// What goes where. No secrets: a node gets those when it joins.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    nodes: Vec<(NodeUuid, String)>,
    ssconf: SsconfWriteRequest,
    others: Vec<NodeUuid>,
    hosts: Option<FileUploadRequest>,
}

impl LogicalUnit for ClusterRedistConf {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster().shared(Lock::AllNodes))
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let config = held.config();
        let cluster = config.cluster();
        let online = || config.nodes().filter(|node| !node.offline);
        let values = crate::export::ssconf_values(config).into_iter().collect();
        Ok(Plan {
            nodes: online().map(|node| (node.uuid.clone(), node.name.to_string())).collect(),
            ssconf: SsconfWriteRequest { values },
            others: online().map(|node| node.uuid.clone()).filter(|uuid| *uuid != cluster.master_node).collect(),
            hosts: if cluster.modify_etc_hosts { hosts(held)? } else { None },
        })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        let ssconf = plan.nodes.iter().map(|(node, _)| (node.clone(), effect::SsconfWrite(plan.ssconf.clone()))).collect();
        let outcomes = job.parallel(ssconf).await?;
        for ((_, name), outcome) in plan.nodes.iter().zip(outcomes) {
            if let Err(error) = outcome {
                job.log().warn(format!("Copy of ssconf files to node {name} failed: {error}"));
            }
        }
        if let Some(hosts) = &plan.hosts {
            for node in &plan.others {
                job.try_step(node, effect::FileUpload(hosts.clone())).await?;
            }
        }
        Ok(())
    }
}

/// The master's hosts file, which all nodes share when the cluster manages it.
fn hosts(held: &Held<'_>) -> Result<Option<FileUploadRequest>, Refusal> {
    let path = held.context().master.paths().hosts_file();
    match std::fs::read(&path) {
        Ok(content) => Ok(Some(FileUploadRequest { path: "/etc/hosts".to_owned(), content, mode: 0o644, ..FileUploadRequest::default() })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Refusal::environment(format!("cannot read {}: {error}", path.display()))),
    }
}

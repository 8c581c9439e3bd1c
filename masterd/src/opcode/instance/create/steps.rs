//! Makes the instance. Until the last write everything is taken back when something fails: the record, the disks, their
//! directory.

use gannet_core::lock::Lock;

use super::Plan;
use crate::effect::{DiskAssemble, DiskCreate, DiskWipe, FileDirCreate, InstanceStart, NodeEffect, OsCreate};
use crate::job::Steps;
use crate::refusal::Failure;

pub(super) async fn run(plan: &Plan, job: &mut Steps<'_>) -> Result<Vec<String>, Failure> {
    if !plan.create.is_empty() {
        job.log().info("* creating instance disks...");
        if let Some(dir) = &plan.dir {
            job.step(&plan.primary, FileDirCreate(dir.clone())).await?;
        }
        all(plan, job, plan.create.iter().cloned().map(DiskCreate)).await?;
    }
    job.log().info(format!("adding instance {} to cluster config", plan.name));
    if plan.wipe.is_empty() && plan.install.is_none() && plan.start.is_none() {
        // Nothing can fail any more: one write for the record and the job's end.
        job.finish_with(plan.add.clone());
        return Ok(plan.node_names.clone());
    }
    job.commit(plan.add.clone()).await?;
    // The record counts on the node from now on; others need not wait for the guest's installation.
    job.release(|lock| matches!(lock, Lock::Node(_)));
    if !plan.wipe.is_empty() {
        job.log().info("* wiping instance disks...");
        all(plan, job, plan.wipe.iter().cloned().map(DiskWipe)).await?;
    }
    if !plan.assemble.is_empty() {
        all(plan, job, plan.assemble.iter().cloned().map(DiskAssemble)).await?;
    }
    job.release(|lock| matches!(lock, Lock::NodeRes(_)));
    if let Some(install) = &plan.install {
        job.log().info("* running the instance OS create scripts...");
        let done = job.step(&plan.primary, OsCreate(install.clone())).await;
        done.map_err(|failure| explained(failure, &format!("Could not add os for instance {} on node {}", plan.name, plan.node_names[0])))?;
    }
    if let Some(start) = &plan.start {
        job.log().info("* starting instance...");
        let done = job.step(&plan.primary, InstanceStart(start.clone())).await;
        done.map_err(|failure| explained(failure, "Could not start instance"))?;
        job.finish_with(plan.started.clone());
    }
    Ok(plan.node_names.clone())
}

/// One effect per disk, at once; the first failure counts.
async fn all<E: NodeEffect>(plan: &Plan, job: &mut Steps<'_>, effects: impl Iterator<Item = E>) -> Result<(), Failure> {
    let effects = effects.map(|effect| (plan.primary.clone(), effect)).collect();
    job.parallel(effects).await?.into_iter().try_for_each(|result| result.map(|_| ()).map_err(Failure::Node))
}

/// Ganeti's sentence before the node's.
fn explained(failure: Failure, text: &str) -> Failure {
    match failure {
        Failure::Node(error) => Failure::other(format!("{text}: {error}")),
        other => other,
    }
}

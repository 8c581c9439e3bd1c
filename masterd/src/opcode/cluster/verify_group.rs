//! `OP_CLUSTER_VERIFY_GROUP`: asks all nodes of a group what they have, and compares that with the configuration.
//!
//! No locks are held while nodes are asked: a slow node must not hold up others. What a job is changing at that time is
//! left out of the comparison instead.

mod gather;
mod instance;
mod node;
mod shared;

use std::collections::BTreeMap;

use gannet_core::config::{Config, NodeGroup};
use gannet_core::lock::LockSet;
use gannet_core::opcode::{ClusterVerifyGroup, VerifyCode, VerifyOptional};

use super::verify_report::{Finding, Style, is_of_config, simulated};
use crate::held::Held;
use crate::hooks;
use crate::job::{JobLog, Steps};
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, Hooks, LogicalUnit};

impl LogicalUnit for ClusterVerifyGroup {
    /// Whether all is well.
    type Plan = bool;
    type Output = bool;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        config.find_group(&self.group_name)?;
        Ok(LockSet::shared_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<bool, Refusal> {
        let group = held.config().find_group(&self.group_name)?.clone();
        let style = Style { error_codes: self.error_codes, ignore_errors: self.ignore_errors.clone() };
        let mut report = Report { log: held.log(), style, good: true };
        report.section(format!("* Verifying group '{}'", group.name));
        let members = held.config().nodes_of_group(&group.uuid).count();
        if members == 0 {
            report.section("* Empty node group, skipping verification");
            return Ok(true);
        }
        report.section(format!("* Gathering data ({members} nodes)"));
        let seen = gather::gather(held, &group).await;
        report.section("* Verifying configuration file consistency");
        report.tell(shared::files(&seen));
        report.section("* Verifying node status");
        for node in &seen.nodes {
            if self.verbose {
                report.section(format!("* Verifying node {} ({})", node.node.name, gather::role_text(&seen, node)));
            }
            report.tell(node::findings(&seen, node));
            let death = held.context().master.deaths().about(node.node.name.as_str());
            report.tell(death.map(|text| Finding::warning(VerifyCode::NodeRpc, node.node.name.to_string(), text)).into_iter().collect());
        }
        report.tell(node::os(&seen));
        report.section("* Verifying instance status");
        for instance in &seen.instances {
            if self.verbose {
                report.section(format!("* Verifying instance {}", instance.name));
            }
            report.tell(instance::findings(&seen, instance));
        }
        report.section("* Verifying orphan volumes");
        report.tell(shared::orphan_volumes(&seen));
        if !self.skip_checks.contains(&VerifyOptional::NplusoneMem) {
            report.section("* Verifying N+1 Memory redundancy");
            report.tell(shared::spare_memory(&seen, &group.uuid));
        }
        if self.debug_simulate_errors {
            let nodes: Vec<String> = seen.nodes.iter().map(|node| node.node.name.to_string()).collect();
            let instances: Vec<String> = seen.instances.iter().map(|instance| instance.name.to_string()).collect();
            report.tell(simulated(|code| !is_of_config(code), &nodes, &instances, &group.name));
        }
        report.section("* Other Notes");
        report.notes(&seen);
        if held.common().dry_run != Some(true) {
            report.section("* Hooks Results");
            report.tell(run_hooks(held, &group).await);
        }
        Ok(report.good)
    }

    async fn execute(plan: &bool, _job: &mut Steps<'_>) -> Result<bool, Failure> {
        Ok(*plan)
    }
}

/// Writes sections and findings to the job's log.
struct Report {
    log: JobLog,
    style: Style,
    good: bool,
}

impl Report {
    fn section(&self, text: impl Into<String>) {
        self.log.info(text);
    }

    fn tell(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            let (line, is_error) = self.style.line(&finding);
            self.log.info(line);
            self.good &= !is_error;
        }
    }

    fn notes(&self, seen: &gather::Seen) {
        let offline = seen.nodes.iter().filter(|node| node.node.offline).count();
        let drained = seen.nodes.iter().filter(|node| node.node.drained).count();
        if offline > 0 {
            self.log.info(format!("  - NOTICE: {offline} offline node(s) found."));
        }
        if drained > 0 {
            self.log.info(format!("  - NOTICE: {drained} drained node(s) found."));
        }
    }
}

/// The hooks belong to the verification: a script that fails is a finding. They run here and not around the execution, since
/// their output is part of the report.
async fn run_hooks(held: &Held<'_>, group: &NodeGroup) -> Vec<Finding> {
    let config = held.config();
    let members = || config.nodes_of_group(&group.uuid);
    let tags = |tags: &gannet_core::tag::TagSet| tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let mut env = BTreeMap::from([("CLUSTER_TAGS".to_owned(), tags(&config.cluster().tags))]);
    env.extend(members().map(|node| (format!("NODE_TAGS_{}", node.name), tags(&node.tags))));
    let hooks = Hooks {
        path: "cluster-verify".to_owned(),
        object_type: "CLUSTER".to_owned(),
        post_nodes: members().map(|node| node.uuid.clone()).collect(),
        env,
        ..Hooks::default()
    };
    let mut found = Vec::new();
    for (node, outcome) in hooks::run(held.context(), &hooks, "post", &hooks.post_nodes).await {
        match outcome {
            Ok(reply) => {
                let failed = hooks::failures(&node, &reply);
                found.extend(
                    failed.into_iter().map(|text| Finding::error(VerifyCode::NodeHooks, node.to_string(), format!("{text} failed"))),
                );
            }
            Err(error) => {
                let text = format!("Communication failure in hooks execution: {error}");
                found.push(Finding::error(VerifyCode::NodeHooks, node.to_string(), text));
            }
        }
    }
    found
}

//! `OP_CLUSTER_VERIFY`: submits the verification of the configuration, and that of each group after it.

use gannet_core::config::Config;
use gannet_core::lock::LockSet;
use gannet_core::opcode::{ClusterVerify, ClusterVerifyConfig, ClusterVerifyGroup, Common, Dependency, JobRef, OpCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::held::Held;
use crate::job::{Steps, jobs_result};
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

/// The jobs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    jobs: Vec<Vec<OpCode>>,
}

impl LogicalUnit for ClusterVerify {
    type Plan = Plan;
    type Output = Value;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        Ok(Plan { jobs: jobs(self, held.config())? })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<Value, Failure> {
        Ok(jobs_result(&job.submit(plan.jobs.clone()).await?))
    }
}

fn jobs(unit: &ClusterVerify, config: &Config) -> Result<Vec<Vec<OpCode>>, Refusal> {
    let group = |name: &str| ClusterVerifyGroup {
        debug_simulate_errors: unit.debug_simulate_errors,
        error_codes: unit.error_codes,
        skip_checks: unit.skip_checks.clone(),
        ignore_errors: unit.ignore_errors.clone(),
        verbose: unit.verbose,
        verify_clutter: unit.verify_clutter,
        ..ClusterVerifyGroup::new(name)
    };
    if let Some(name) = &unit.group_name {
        return Ok(vec![vec![group(&config.find_group(name)?.name).into()]]);
    }
    let first = ClusterVerifyConfig {
        debug_simulate_errors: unit.debug_simulate_errors,
        error_codes: unit.error_codes,
        ignore_errors: unit.ignore_errors.clone(),
        verbose: unit.verbose,
    };
    let mut names: Vec<&str> = config.groups().map(|group| group.name.as_str()).collect();
    names.sort_unstable();
    let after_first = |(index, name): (usize, &&str)| {
        // Counted back to the verification of the configuration.
        let back = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let depends = vec![Dependency { job: JobRef::Back(back), states: Vec::new() }];
        vec![OpCode { common: Common { depends, ..Common::default() }, op: group(name).into() }]
    };
    Ok(std::iter::once(vec![first.into()]).chain(names.iter().enumerate().map(after_first)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    #[test]
    fn the_configuration_comes_first() {
        let all = jobs(&ClusterVerify::default(), &sample::config()).expect("jobs");
        let ids: Vec<&str> = all.iter().map(|job| job[0].op.id()).collect();
        assert_eq!(ids, ["OP_CLUSTER_VERIFY_CONFIG", "OP_CLUSTER_VERIFY_GROUP"]);
        assert_eq!(all[1][0].common.depends[0].job, JobRef::Back(1));
        let one = ClusterVerify { group_name: Some("default".to_owned()), ..ClusterVerify::default() };
        assert_eq!(jobs(&one, &sample::config()).expect("jobs").len(), 1);
    }
}

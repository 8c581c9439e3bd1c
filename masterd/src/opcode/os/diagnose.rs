//! `OP_OS_DIAGNOSE`: the OS definitions of the nodes.

use gannet_core::config::Config;
use gannet_core::error::ErrorCode;
use gannet_core::lock::LockSet;
use gannet_core::opcode::OsDiagnose;
use serde_json::Value;

use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

impl LogicalUnit for OsDiagnose {
    /// A row of the wanted fields for each OS.
    type Plan = Value;
    type Output = Value;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Value, Refusal> {
        let answer = crate::query::os::diagnose(&held.context().master, &self.output_fields, &self.names).await;
        answer.map_err(|error| Refusal::new(error.code().unwrap_or(ErrorCode::Invalid), error.message()))
    }

    async fn execute(plan: &Value, _job: &mut Steps<'_>) -> Result<Value, Failure> {
        Ok(plan.clone())
    }
}

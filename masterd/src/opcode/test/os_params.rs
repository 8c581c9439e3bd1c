//! `OP_TEST_OS_PARAMS`: tests that secret OS parameters reach an opcode and nothing else.

use gannet_core::config::Config;
use gannet_core::lock::LockSet;
use gannet_core::opcode::{REDACTED, TestOsParams};
use serde_json::json;

use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

impl LogicalUnit for TestOsParams {
    /// The names of the parameters.
    type Plan = Vec<String>;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster())
    }

    async fn check(&self, _held: &Held<'_>) -> Result<Vec<String>, Refusal> {
        let secrets = self.osparams_secret.iter().flatten();
        if secrets.clone().any(|(_, secret)| secret.0 == json!(REDACTED)) {
            return Err(Refusal::state("The secret OS parameters were lost when the master daemon restarted: submit the job again"));
        }
        let names: Vec<String> = secrets.map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            return Err(Refusal::invalid("Opcode needs secret parameters"));
        }
        Ok(names)
    }

    async fn execute(names: &Vec<String>, job: &mut Steps<'_>) -> Result<(), Failure> {
        // Ganeti writes their values here; a job's log is stored and shown.
        job.log().info(format!("Secret OS parameters: {} (values are not shown)", names.join(", ")));
        Ok(())
    }
}

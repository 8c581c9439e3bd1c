//! `OP_TAGS_SET`: adds tags to an object.

use gannet_core::config::Config;
use gannet_core::lock::LockSet;
use gannet_core::opcode::TagsSet;
use serde::{Deserialize, Serialize};

use super::object;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::store::Changes;
use crate::unit::{AfterCrash, LogicalUnit};

#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    pub(super) changes: Changes,
}

impl LogicalUnit for TagsSet {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        object::locks(config, self.kind, self.name.as_deref())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let found = object::find(held.config(), self.kind, self.name.as_deref())?;
        let mut tags = object::tags(&found);
        tags.extend(object::parse(&self.tags)?);
        object::check_count(&tags)?;
        object::check_settings(&found, &tags)?;
        let changes = Changes::none().update(held.state(), &object::with_tags(found, tags));
        Ok(Plan { changes })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}

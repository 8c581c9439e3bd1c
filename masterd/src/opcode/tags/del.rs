//! `OP_TAGS_DEL`: removes tags from an object; all of them must be there.

use gannet_core::config::Config;
use gannet_core::lock::LockSet;
use gannet_core::opcode::TagsDel;
use gannet_core::tag::TagSet;

use super::object;
use super::set::Plan;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::store::Changes;
use crate::unit::{AfterCrash, LogicalUnit};

impl LogicalUnit for TagsDel {
    type Plan = Plan;
    type Output = ();
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        object::locks(config, self.kind, self.name.as_deref())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Plan, Refusal> {
        let found = object::find(held.config(), self.kind, self.name.as_deref())?;
        let tags = object::tags(&found);
        let gone = object::parse(&self.tags)?;
        let missing: Vec<String> = gone.difference(&tags).map(|tag| format!("'{tag}'")).collect();
        if !missing.is_empty() {
            return Err(Refusal::no_entity(format!("Tag(s) {} not found", missing.join(","))));
        }
        let left: TagSet = tags.difference(&gone).cloned().collect();
        let changes = Changes::none().update(held.state(), &object::with_tags(found, left));
        Ok(Plan { changes })
    }

    async fn execute(plan: &Plan, job: &mut Steps<'_>) -> Result<(), Failure> {
        job.finish_with(plan.changes.clone());
        Ok(())
    }
}

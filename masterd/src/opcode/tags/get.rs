//! `OP_TAGS_GET`: the tags of an object.

use gannet_core::config::Config;
use gannet_core::lock::LockSet;
use gannet_core::opcode::TagsGet;
use gannet_core::tag::TagSet;

use super::object;
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

impl LogicalUnit for TagsGet {
    type Plan = TagSet;
    type Output = TagSet;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, config: &Config) -> Result<LockSet, Refusal> {
        if self.use_locking { object::locks(config, self.kind, self.name.as_deref()) } else { Ok(LockSet::shared_cluster()) }
    }

    async fn check(&self, held: &Held<'_>) -> Result<TagSet, Refusal> {
        Ok(object::tags(&object::find(held.config(), self.kind, self.name.as_deref())?))
    }

    async fn execute(plan: &TagSet, _job: &mut Steps<'_>) -> Result<TagSet, Failure> {
        Ok(plan.clone())
    }
}

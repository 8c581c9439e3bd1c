//! `OP_TAGS_SEARCH`: all objects that have a tag that matches, as `[path, tag]`.

use gannet_core::config::Config;
use gannet_core::lock::LockSet;
use gannet_core::opcode::TagsSearch;
use gannet_core::tag::TagSet;

use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

/// Largest compiled pattern, in bytes.
const PATTERN_LIMIT: usize = 1 << 20;

impl LogicalUnit for TagsSearch {
    type Plan = Vec<(String, String)>;
    type Output = Vec<(String, String)>;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::none())
    }

    async fn check(&self, held: &Held<'_>) -> Result<Self::Plan, Refusal> {
        let pattern = regex::RegexBuilder::new(&self.pattern).size_limit(PATTERN_LIMIT).build();
        let pattern = pattern.map_err(|error| Refusal::invalid(format!("Invalid search pattern '{}': {error}", self.pattern)))?;
        let config = held.config();
        let mut found = Vec::new();
        let mut look = |path: String, tags: &TagSet| {
            found.extend(tags.iter().filter(|tag| pattern.is_match(tag.as_str())).map(|tag| (path.clone(), tag.to_string())));
        };
        look("/cluster".to_owned(), &config.cluster().tags);
        config.instances().for_each(|instance| look(format!("/instances/{}", instance.name), &instance.tags));
        config.nodes().for_each(|node| look(format!("/nodes/{}", node.name), &node.tags));
        config.groups().for_each(|group| look(format!("/nodegroup/{}", group.name), &group.tags));
        config.networks().for_each(|network| look(format!("/network/{}", network.name), &network.tags));
        Ok(found)
    }

    async fn execute(plan: &Self::Plan, _job: &mut Steps<'_>) -> Result<Self::Output, Failure> {
        Ok(plan.clone())
    }
}

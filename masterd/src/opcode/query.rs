//! `OP_QUERY` and `OP_QUERY_FIELDS`: the queries of LUXI, as jobs.

use gannet_core::config::Config;
use gannet_core::error::{ErrorCode, WireError};
use gannet_core::lock::{Lock, LockSet};
use gannet_core::opcode::{Query, QueryFields, QueryResource};
use gannet_core::query::Resource;
use serde_json::Value;

use crate::held::Held;
use crate::job::Steps;
use crate::query;
use crate::refusal::{Failure, Refusal};
use crate::unit::{AfterCrash, LogicalUnit};

impl LogicalUnit for Query {
    /// The answer.
    type Plan = Value;
    type Output = Value;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        let set = LockSet::shared_cluster();
        if !self.use_locking {
            return Ok(set);
        }
        Ok(match self.what {
            QueryResource::Instance => set.shared(Lock::AllInstances),
            QueryResource::Node | QueryResource::Export | QueryResource::Os | QueryResource::ExtStorage => set.shared(Lock::AllNodes),
            QueryResource::Group => set.shared(Lock::AllGroups),
            QueryResource::Network => set.shared(Lock::AllNetworks),
            QueryResource::Cluster | QueryResource::Filter | QueryResource::Job | QueryResource::Lock => set,
        })
    }

    async fn check(&self, held: &Held<'_>) -> Result<Value, Refusal> {
        let what: Resource = self.what.as_str().parse().map_err(|error| refusal(&unknown(&error)))?;
        let filter = self.qfilter.clone().map_or(Value::Null, Value::Array);
        query::query(&held.context().master, what, &self.fields, &filter).await.map_err(|error| refusal(&error))
    }

    async fn execute(answer: &Value, _job: &mut Steps<'_>) -> Result<Value, Failure> {
        Ok(answer.clone())
    }
}

impl LogicalUnit for QueryFields {
    /// The answer.
    type Plan = Value;
    type Output = Value;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        Ok(LockSet::shared_cluster())
    }

    async fn check(&self, _held: &Held<'_>) -> Result<Value, Refusal> {
        query::query_fields(self.what.as_str(), self.fields.as_deref()).map_err(|error| refusal(&error))
    }

    async fn execute(answer: &Value, _job: &mut Steps<'_>) -> Result<Value, Failure> {
        Ok(answer.clone())
    }
}

fn unknown(error: &gannet_core::query::UnknownResource) -> WireError {
    WireError::prereq(error.to_string(), ErrorCode::Invalid)
}

fn refusal(error: &WireError) -> Refusal {
    Refusal::new(error.code().unwrap_or(ErrorCode::Invalid), error.message())
}

#[cfg(test)]
mod tests {
    use gannet_core::lock::Mode;

    use super::*;
    use crate::rule::sample;

    #[test]
    fn locks_only_where_they_are_asked_for() {
        let mut unit = Query::new(QueryResource::Node, vec!["name".to_owned()]);
        let config = sample::config();
        assert_eq!(unit.locks(&config).expect("locks"), LockSet::shared_cluster());
        unit.use_locking = true;
        let locks = unit.locks(&config).expect("locks");
        assert!(locks.needed().any(|(lock, mode)| (lock, mode) == (&Lock::AllNodes, Mode::Shared)));
    }

    #[test]
    fn every_resource_is_one_that_can_be_asked() {
        for what in QueryResource::ALL {
            assert!(what.as_str().parse::<Resource>().is_ok(), "{what}");
        }
    }
}

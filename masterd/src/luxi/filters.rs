//! Methods about job filter rules.

use std::sync::Arc;

use gannet_core::config::{FilterRule, Object, ObjectKind};
use gannet_core::error::{ErrorCode, WireError};
use gannet_core::id::{FilterUuid, is_uuid};
use serde::Deserialize;
use serde_json::{Value, json};

use super::methods::parse;
use crate::master::Master;
use crate::rule::job_filter::Rule;
use crate::store::{Change, Changes, CommitError, Transaction};

/// Most rules; each submission is compared with all of them.
const MAX_RULES: usize = 1000;

/// UUID, priority, predicates, action, reason trail.
#[derive(Deserialize)]
struct Wanted(Option<String>, u32, Vec<Value>, Value, Vec<(String, String, i64)>);

/// Adds a rule (no UUID), or puts one in place of another (or of none, with a UUID that is new); answers its UUID. It is in
/// force when this returns.
pub(super) async fn replace(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let Wanted(uuid, priority, predicates, action, mut reason) = parse(args)?;
    let invalid = |text: String| WireError::prereq(text, ErrorCode::Invalid);
    let uuid = match uuid {
        None => FilterUuid::random(),
        Some(uuid) if is_uuid(&uuid) => uuid.into(),
        Some(other) => return Err(invalid(format!("'{other}' is no UUID of a filter rule"))),
    };
    reason.push(("gannet-masterd".to_owned(), String::new(), master.clock().now().as_nanos()));
    let watermark = master.queue().highest();
    let rule = FilterRule { watermark, priority, predicates, action, reason_trail: reason, uuid: uuid.clone() };
    Rule::read(&rule).map_err(|error| invalid(format!("The filter rule is not valid: {error}")))?;
    let state = master.store().state();
    if state.config.filter(&uuid).is_none() && state.config.filters().len() >= MAX_RULES {
        return Err(invalid(format!("There are {MAX_RULES} filter rules already; delete some with `gnt-filter delete`")));
    }
    let changes = Changes::none().update(&state, &Object::Filter(Arc::new(rule)));
    commit(master, changes).await?;
    Ok(json!(uuid))
}

/// Deletes a rule; it has no effect any more when this returns.
pub(super) async fn delete(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let (uuid,): (String,) = parse(args)?;
    let state = master.store().state();
    if state.config.filter(&uuid.as_str().into()).is_none() {
        return Err(WireError::prereq(format!("Filter '{uuid}' not known"), ErrorCode::NoEntity));
    }
    commit(master, Changes::none().remove(&state, ObjectKind::Filter, &uuid)).await?;
    Ok(Value::Null)
}

async fn commit(master: &Arc<Master>, changes: Changes) -> Result<(), WireError> {
    let row = |Change { kind, id, value, before }: Change| (kind, id, value.map(|value| value.to_string()), Some(before.into()));
    let transaction = Transaction { config: changes.0.into_iter().map(row).collect(), ..Transaction::default() };
    match master.store().commit(transaction).await {
        Ok(_) => {
            master.queue().configure();
            Ok(())
        }
        Err(CommitError::Conflict(text)) => Err(WireError::prereq(text, ErrorCode::TempNoResources)),
        Err(error) => Err(WireError::from(&error)),
    }
}

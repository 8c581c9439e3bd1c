//! Which method does what.

use std::sync::Arc;

use gannet_core::error::{ErrorCode, WireError};
use gannet_core::luxi::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::server::Answer;
use super::{filters, jobs, nodes};
use crate::master::Master;
use crate::query;

/// Reads a method's arguments.
pub(super) fn parse<T: DeserializeOwned>(args: Value) -> Result<T, WireError> {
    serde_json::from_value(args).map_err(|error| WireError::prereq(format!("Invalid arguments: {error}"), ErrorCode::Invalid))
}

/// Carries a method out.
pub(crate) async fn call(master: &Arc<Master>, method: Method, args: Value) -> Result<Answer, WireError> {
    match method {
        Method::SubmitJob => jobs::submit(master, args, false).await.map(Answer::Value),
        Method::SubmitJobToDrainedQueue => jobs::submit(master, args, true).await.map(Answer::Value),
        Method::SubmitManyJobs => jobs::submit_many(master, args).await.map(Answer::Value),
        Method::CancelJob => jobs::cancel(master, args).await.map(Answer::Value),
        Method::ChangeJobPriority => jobs::change_priority(master, args).await.map(Answer::Value),
        Method::ArchiveJob => jobs::archive(master, args).await.map(Answer::Value),
        Method::AutoArchiveJobs => jobs::auto_archive(master, args).await.map(Answer::Value),
        Method::WaitForJobChange => jobs::wait_for_change(master, args).await.map(Answer::Value),
        Method::SetDrainFlag => jobs::set_drain_flag(master, args).await.map(Answer::Value),
        Method::SetWatcherPause => nodes::set_watcher_pause(master, args).await.map(Answer::Value),
        Method::CreateJoinToken => nodes::create_join_token(master, args).await.map(Answer::Value),
        Method::JoinStatus => nodes::join_status(master, args).await.map(Answer::Value),
        Method::RunCommand => nodes::run_command(master, args).await.map(Answer::Value),
        Method::CopyFile => nodes::copy_file(master, args).await.map(Answer::Value),
        Method::ReadIndex => nodes::read_index(master).await.map(Answer::Value),
        Method::StoreStatus => nodes::store_status(master).await.map(Answer::Value),
        Method::Query => {
            let (what, fields, filter): (String, Vec<String>, Value) = parse(args)?;
            query::query_json(master, &what, &fields, &filter).await.map(Answer::from)
        }
        Method::QueryFields => {
            let (what, fields): (String, Option<Vec<String>>) = parse(args)?;
            query::query_fields(&what, fields.as_deref()).map(Answer::Value)
        }
        Method::QueryJobs => {
            let (ids, fields): (Option<Vec<Value>>, Vec<String>) = parse(args)?;
            let names: Vec<String> = ids.unwrap_or_default().iter().map(id_text).collect();
            classic(master, "job", names, fields).await
        }
        Method::QueryInstances => named(master, "instance", args).await,
        Method::QueryNodes => named(master, "node", args).await,
        Method::QueryGroups => named(master, "group", args).await,
        Method::QueryNetworks => named(master, "network", args).await,
        Method::QueryFilters => {
            let (uuids, fields): (Option<Vec<String>>, Vec<String>) = parse(args)?;
            classic(master, "filter", uuids.unwrap_or_default(), fields).await
        }
        Method::QueryExports => {
            let (nodes, lock): (Vec<String>, bool) = parse(args)?;
            refuse_lock(lock)?;
            query::exports(master, &nodes).await.map(Answer::Value)
        }
        Method::QueryConfigValues => {
            let (fields,): (Vec<String>,) = parse(args)?;
            Ok(Answer::Value(query::config_values(master, &fields)))
        }
        Method::QueryClusterInfo => Ok(Answer::Json(query::cluster_info_json(master))),
        Method::QueryObjects => {
            let (what, fields, lock): (String, Vec<String>, bool) = parse(args)?;
            refuse_lock(lock)?;
            query::objects_json(master, &what, &fields).await.map(Answer::from)
        }
        Method::QueryTags => {
            let (kind, name): (String, Option<String>) = parse(args)?;
            query::tags(master, &kind, name.as_deref().unwrap_or_default()).map(Answer::Value)
        }
        Method::ReplaceFilter => filters::replace(master, args).await.map(Answer::Value),
        Method::DeleteFilter => filters::delete(master, args).await.map(Answer::Value),
        Method::PickupJob => Err(WireError::new("GenericError", "PickupJob is internal to Ganeti and not answered")),
    }
}

fn id_text(id: &Value) -> String {
    match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Ganeti: synchronous queries are refused.
fn refuse_lock(lock: bool) -> Result<(), WireError> {
    if lock { Err(WireError::prereq("Sync queries are not allowed", ErrorCode::Invalid)) } else { Ok(()) }
}

async fn named(master: &Arc<Master>, what: &str, args: Value) -> Result<Answer, WireError> {
    let (names, fields, lock): (Vec<String>, Vec<String>, bool) = parse(args)?;
    refuse_lock(lock)?;
    classic(master, what, names, fields).await
}

async fn classic(master: &Arc<Master>, what: &str, names: Vec<String>, fields: Vec<String>) -> Result<Answer, WireError> {
    query::classic_json(master, what, &names, &fields).await.map(Answer::from)
}

/// A pair as Ganeti answers it: success, and a text.
pub(super) fn pair((success, text): (bool, String)) -> Value {
    json!([success, text])
}

//! Queries: answers about the cluster without jobs and without locks.
//!
//! ```text
//!   Request (fields, filter, style)
//!      |  names in the filter are looked up; other filters walk over all rows
//!      v
//!   rows  --first round of the filter, without nodes-->  fewer rows
//!      |  only if a field is live: ask the nodes of these rows (live.rs)
//!      v
//!   second round of the filter  -->  Answer: cells written straight into JSON text
//! ```
//!
//! Each resource is a [`table::Table`]: a function from a row and a column, looked up once, to a [`cell::Cell`] that borrows
//! from the configuration. Rows are produced from values (configuration, answers of nodes, jobs), never from the master.

// In tests a panic is the report. The code itself is held to it by the build without tests.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cell;
mod cluster;
pub mod console;
mod export;
mod extstorage;
mod filter;
mod group;
mod instance;
mod job;
mod layer;
pub mod live;
mod lock;
pub(crate) mod member;
mod network;
mod node;
pub(crate) mod os;
#[cfg(test)]
mod sample;
mod table;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use gannet_core::config::Config;
use gannet_core::error::{ErrorCode, WireError};
use gannet_core::id::NodeUuid;
use gannet_core::query::filter::make_simple_filter;
use gannet_core::query::{Filter, FilterValue, Resource, UnknownResource, field};
use gannet_proto::node::InstanceListReply;
use serde_json::Value;

use crate::job::JobRow;
use crate::master::Master;

pub use os::diagnose as os_diagnose;

use live::{Guests, NodeGuests};
use table::{Request, Style};

pub(crate) use cluster::InfoText;
pub(crate) use instance::{Texts as InstanceTexts, runs as instance_runs};

/// The JSON of the answer to `Query`, ready to be sent. Every resource is answered, also those that Ganeti answers by a
/// job only.
///
/// # Errors
/// An unknown resource, a filter that is none or that cannot be applied, a name that does not exist.
pub async fn query_json(master: &Arc<Master>, what: &str, fields: &[String], filter: &Value) -> Result<String, WireError> {
    let resource = resource(what)?;
    let filter = Filter::try_from(filter).map_err(|error| WireError::prereq(error.to_string(), ErrorCode::Invalid))?;
    answer(master, resource, &Request { fields, filter, style: Style::New }).await
}

/// The answer to `Query` as a value, for opcodes.
///
/// # Errors
/// As [`query_json`].
pub async fn query(master: &Arc<Master>, what: Resource, fields: &[String], filter: &Value) -> Result<Value, WireError> {
    let text = query_json(master, what.as_str(), fields, filter).await?;
    serde_json::from_str(&text).map_err(|error| WireError::new("GenericError", error.to_string()))
}

/// The JSON of the answer to `QueryInstances`, `QueryNodes` and the like: rows without statuses, null where there is no
/// value. Without `names`: all.
///
/// # Errors
/// As [`query_json`]; also an unknown field.
pub async fn classic_json(master: &Arc<Master>, what: &str, names: &[String], fields: &[String]) -> Result<String, WireError> {
    let resource = resource(what)?;
    let filter = make_simple_filter(resource.name_field(), names);
    answer(master, resource, &Request { fields, filter, style: Style::Classic }).await
}

/// The answer to `QueryFields`: the asked fields, or all.
///
/// # Errors
/// An unknown resource.
pub fn query_fields(what: &str, fields: Option<&[String]>) -> Result<Value, WireError> {
    let answer = field::query_fields(resource(what)?, fields.unwrap_or_default());
    serde_json::to_value(answer).map_err(|error| WireError::new("GenericError", error.to_string()))
}

/// The answer to `QueryExports`: pairs of node and export, null for a node that did not tell.
///
/// # Errors
/// A node that does not exist.
pub async fn exports(master: &Arc<Master>, nodes: &[String]) -> Result<Value, WireError> {
    export::pairs(master, nodes).await
}

/// The JSON of the answer to `QueryObjects`: all objects of a kind, as RAPI's `bulk=1` has them.
///
/// # Errors
/// As [`query_json`]; also an unknown field.
pub async fn objects_json(master: &Arc<Master>, what: &str, fields: &[String]) -> Result<String, WireError> {
    answer(master, resource(what)?, &Request { fields, filter: Filter::Empty, style: Style::Objects }).await
}

/// The answer to `QueryClusterInfo` as a value, for opcodes.
#[must_use]
pub fn cluster_info(master: &Master) -> Value {
    cluster::info(&master.store().state().config)
}

/// The JSON of the answer to `QueryClusterInfo`.
#[must_use]
pub fn cluster_info_json(master: &Master) -> Bytes {
    master.info().of(&master.store().state().config)
}

/// The answer to `QueryConfigValues`; null for unknown names.
#[must_use]
pub fn config_values(master: &Master, fields: &[String]) -> Value {
    cluster::config_values(&master.store().state().config, cluster::status(master), fields)
}

/// The answer to `QueryTags`.
///
/// # Errors
/// An object that does not exist, or a kind without tags.
pub fn tags(master: &Master, kind: &str, name: &str) -> Result<Value, WireError> {
    cluster::tags(&master.store().state().config, kind, name)
}

/// The values of fields of a job, for `WaitForJobChange`; null for an unknown field.
#[must_use]
pub fn job_values(row: &JobRow, fields: &[String]) -> Vec<Value> {
    job::values(row, fields)
}

/// The JSON of the answer about instances, for whoever has the configuration and what nodes said of their guests: benches
/// and simulators. Nodes without a reply are silent.
///
/// # Errors
/// A filter that is none or that cannot be applied.
pub fn instances_json(
    config: &Config,
    replies: impl IntoIterator<Item = (NodeUuid, InstanceListReply)>,
    fields: &[String],
    filter: &Value,
    classic: bool,
) -> Result<String, WireError> {
    let filter = Filter::try_from(filter).map_err(|error| WireError::prereq(error.to_string(), ErrorCode::Invalid))?;
    let request = Request { fields, filter, style: if classic { Style::Classic } else { Style::New } };
    let live = Guests::new(replies.into_iter().map(|(node, reply)| (node, Arc::new(NodeGuests::new(reply)))).collect());
    let (rows, _) = instance::candidates(config, request.names(Resource::Instance))?;
    let rows = instance::select(config, Some(&live), &request, rows)?;
    instance::write(config, Some(&live), &request, &rows)
}

async fn answer(master: &Arc<Master>, resource: Resource, request: &Request<'_>) -> Result<String, WireError> {
    let state = || master.store().state();
    match resource {
        Resource::Instance => instance::answer(master, request).await,
        Resource::Node => node::answer(master, request).await,
        Resource::Job => job::answer(master, request).await,
        Resource::Os => os::answer(master, request).await,
        Resource::Export => export::answer(master, request).await,
        Resource::Group => group::answer(&state().config, request),
        Resource::Network => network::answer(&state().config, request),
        Resource::Filter => filter::answer(&state().config, request),
        Resource::Lock => lock::answer(&master.locks().info(), request),
        Resource::Cluster => cluster::answer(&state().config, cluster::status(master), request),
        Resource::Extstorage => extstorage::answer(request),
    }
}

fn resource(what: &str) -> Result<Resource, WireError> {
    what.parse().map_err(|error: UnknownResource| WireError::prereq(error.to_string(), ErrorCode::Invalid))
}

/// A name in a filter.
fn name_text(name: &FilterValue) -> Cow<'_, str> {
    match name {
        FilterValue::Text(text) => Cow::Borrowed(text),
        FilterValue::Number(number) => Cow::Owned(number.to_string()),
    }
}

/// Sorts as [`gannet_core::query::nice_sort_by_key`] does, for many rows: each name is cut into groups once, not at each
/// comparison.
fn sort_nicely<T>(rows: &mut [T], name: impl Fn(&T) -> &str) {
    rows.sort_by_cached_key(|row| nice_key(name(row)));
}

/// Bytes that compare as names do in nice order. A run of digits becomes `1`, its length, the digits; a run of other
/// characters `2`, the characters, a zero, which is in no name.
fn nice_key(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 8);
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.starts_with(|c: char| c.is_ascii_digit());
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        if digits {
            let run = run.trim_start_matches('0');
            key.push(1);
            key.extend_from_slice(&u32::try_from(run.len()).unwrap_or(u32::MAX).to_be_bytes());
            key.extend_from_slice(run.as_bytes());
        } else {
            key.push(2);
            key.extend_from_slice(run.as_bytes());
            key.push(0);
        }
    }
    key
}

#[cfg(test)]
mod tests;

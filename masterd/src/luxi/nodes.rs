//! Gannet's own methods, and the watcher's pause.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use gannet_confd::command::{Key, Kind};
use gannet_core::config::Node;
use gannet_core::error::{ErrorCode, STATE_UNAVAILABLE, WireError};
use gannet_proto::node::{CommandRunRequest, FileUploadRequest};
use serde_json::{Value, json};

use super::methods::parse;
use crate::master::Master;
use crate::query::member::{Described, describe};
use crate::store::{RawWrite, Transaction};

/// Meta row: until when the watcher pauses.
pub(crate) const WATCHER_PAUSE_KEY: &str = "watcher-pause";

/// The largest file that `gnt-cluster copyfile` sends, in bytes.
const MAX_COPY: u64 = 32 << 20;

pub(super) async fn set_watcher_pause(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let (until,): (Option<f64>,) = parse(args)?;
    let key = Key::new(Kind::META, WATCHER_PAUSE_KEY);
    let write = match until {
        Some(until) => RawWrite::Put { key, json: until.to_string(), expect: None },
        None => RawWrite::Delete { key },
    };
    let transaction = Transaction { raw: vec![write], ..Transaction::default() };
    master.store().commit(transaction).await.map_err(|error| WireError::from(&error))?;
    Ok(json!(until))
}

pub(super) async fn create_join_token(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let (name, options): (String, Value) = parse(args)?;
    crate::join::create_token(master, &name, options).await
}

pub(super) async fn join_status(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let (id,): (String,) = parse(args)?;
    crate::join::status(master, &id).await
}

pub(super) async fn run_command(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let (names, command, timeout_s): (Vec<String>, String, u32) = parse(args)?;
    let nodes = find(master, &names)?;
    let calls = nodes.iter().map(|node| async {
        let request = CommandRunRequest { command: command.clone(), timeout_s };
        let outcome = match master.nodes().handle(node) {
            Ok(handle) => handle.command_run(request).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(reply) => json!([node.name, reply.status, String::from_utf8_lossy(&reply.output)]),
            Err(error) => json!([node.name, -1, error.to_string()]),
        }
    });
    Ok(Value::Array(join_all(calls).await))
}

pub(super) async fn copy_file(master: &Arc<Master>, args: Value) -> Result<Value, WireError> {
    let (names, path): (Vec<String>, String) = parse(args)?;
    let nodes = find(master, &names)?;
    let request = read_file(master, &path).await?;
    let own = master.store().state().config.cluster().master_node.clone();
    let calls = nodes.iter().filter(|node| node.uuid != own).map(|node| async {
        let outcome = match master.nodes().handle(node) {
            Ok(handle) => handle.file_copy(request.clone()).await,
            Err(error) => Err(error),
        };
        json!([node.name, outcome.err().map(|error| error.to_string())])
    });
    Ok(Value::Array(join_all(calls).await))
}

async fn read_file(master: &Arc<Master>, path: &str) -> Result<FileUploadRequest, WireError> {
    let real: PathBuf = master.paths().at(path);
    let invalid = |text: String| WireError::prereq(text, ErrorCode::Invalid);
    if !path.starts_with('/') {
        return Err(invalid(format!("The path '{path}' is not absolute")));
    }
    let meta = tokio::fs::metadata(&real).await.map_err(|error| invalid(format!("Cannot read {path} on the master: {error}")))?;
    if !meta.is_file() || meta.len() > MAX_COPY {
        return Err(invalid(format!("{path} is not a file of at most {} MiB", MAX_COPY >> 20)));
    }
    let content = tokio::fs::read(&real).await.map_err(|error| invalid(format!("Cannot read {path} on the master: {error}")))?;
    Ok(FileUploadRequest {
        path: path.to_owned(),
        content,
        mode: meta.permissions().mode() & 0o7777,
        owner: meta.uid().to_string(),
        group: meta.gid().to_string(),
        mtime: meta.mtime() as f64,
    })
}

/// The named nodes; all that are not offline when none is named.
fn find(master: &Arc<Master>, names: &[String]) -> Result<Vec<Arc<Node>>, WireError> {
    let state = master.store().state();
    if names.is_empty() {
        return Ok(state.config.nodes().filter(|node| !node.offline).cloned().collect());
    }
    names.iter().map(|name| state.config.find_node(name).cloned().map_err(WireError::from)).collect()
}

/// How long the others may take to say that this node still leads.
const INDEX_LIMIT: Duration = Duration::from_secs(3);

pub(super) async fn read_index(master: &Arc<Master>) -> Result<Value, WireError> {
    let unsure = |text: String| WireError::new(STATE_UNAVAILABLE, text);
    if let Some(old) = master.doubt() {
        return Err(unsure(old.to_string()));
    }
    let late = |_| unsure(format!("the voting master candidates have not answered within {} s", INDEX_LIMIT.as_secs()));
    let index = tokio::time::timeout(INDEX_LIMIT, master.store().client().read_index()).await.map_err(late)?;
    index.map(|index| json!(index)).map_err(|error| unsure(error.to_string()))
}

pub(super) async fn store_status(master: &Arc<Master>) -> Result<Value, WireError> {
    let status = master.store().client().status().await.map_err(|error| WireError::new("GenericError", error.to_string()))?;
    let (own, last_log, applied, snapshot) = (status.role, status.last_log, status.applied, status.snapshot);
    let member = |Described { id, name, address, voter, role, term, lag }| json!({"id": id, "name": name, "address": address, "voter": voter, "role": role, "term": term, "lag": lag});
    let members: Vec<Value> = describe(status, &master.store().state().config).into_iter().map(member).collect();
    Ok(json!({
        "role": own.kind.as_str(),
        "term": own.term,
        "leader": own.leader,
        "last_log": last_log,
        "applied": applied,
        "snapshot": snapshot,
        "members": members,
    }))
}

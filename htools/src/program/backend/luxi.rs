//! A cluster by LUXI (`-L`).

use std::path::PathBuf;

use gannet_core::luxi::{Client, Error, Method};
use gannet_core::paths::Paths;
use serde_json::{Value, json};

use super::super::option::Options;
use crate::cluster::Cluster;
use crate::load::remote::{Answers, GROUP_FIELDS, INSTANCE_FIELDS, NODE_FIELDS};

/// The socket that the options name, or the usual one.
pub(in super::super) fn socket(options: &Options) -> PathBuf {
    match options.luxi.as_deref() {
        None | Some("") => Paths::new(std::env::var_os("GANETI_ROOTDIR").map(PathBuf::from)).query_socket(),
        Some(path) => PathBuf::from(path),
    }
}

/// A connection to the master daemon.
pub(in super::super) fn connect(options: &Options) -> Result<Client, String> {
    Client::connect(&socket(options)).map_err(|error| describe(&error))
}

/// An error with its causes.
pub(in super::super) fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

pub(in super::super) fn read(options: &Options) -> Result<Cluster, String> {
    let mut client = connect(options)?;
    let mut told = false;
    let mut ask = |method: Method, args: Value| {
        let answer = client.call(method, &args).map_err(|error| describe(&error));
        if let Some(old) = client.origin().and_then(|origin| origin.old.as_deref()).filter(|_| !told) {
            eprintln!("Warning: this may be old: {old}");
            told = true;
        }
        answer
    };
    let nodes = ask(Method::Query, json!(["node", NODE_FIELDS, null]))?;
    let instances = ask(Method::Query, json!(["instance", INSTANCE_FIELDS, null]))?;
    let info = ask(Method::QueryClusterInfo, json!([]))?;
    let groups = ask(Method::Query, json!(["group", GROUP_FIELDS, null]))?;
    Answers::from_luxi(&groups, &nodes, &instances, info).and_then(|answers| answers.cluster()).map_err(|error| error.to_string())
}

//! The iallocator interface: a cluster and a request in one JSON text (`parity/iallocator.json`).
//!
//! The order of objects is kept: positions of nodes and instances follow it.

mod cluster;
mod ordered;
mod request;
mod wire;

pub use request::{New, Request, Wanted};

use super::{Error, Wishes, merge};
use crate::cluster::Cluster;

/// A cluster that was merged with its tags, and what is asked for.
#[derive(Debug, Clone)]
pub struct Input {
    /// The cluster.
    pub cluster: Cluster,
    /// The request.
    pub request: Request,
}

/// Reads cluster and request.
///
/// # Errors
/// The text is not JSON, or not of the interface; a name is not known.
pub fn parse(text: &str) -> Result<Input, Error> {
    let wire: wire::Input<'_> = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    let cluster = cluster::read(&wire).map_err(Error::new)?;
    let mut cluster = merge(cluster, &Wishes::default())?;
    let wanted: request::Wire<'_> = serde_json::from_str(wire.request.get()).map_err(|error| Error::new(format!("request: {error}")))?;
    let request = request::read(wanted, &mut cluster).map_err(Error::new)?;
    Ok(Input { cluster, request })
}

/// Reads the cluster alone. It is not merged yet.
///
/// # Errors
/// The text is not JSON, or not of the interface.
pub fn parse_cluster(text: &str) -> Result<Cluster, Error> {
    let wire: wire::Input<'_> = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    cluster::read(&wire).map_err(Error::new)
}

fn wrong(error: &serde_json::Error) -> Error {
    Error::new(format!("iallocator request: {error}"))
}

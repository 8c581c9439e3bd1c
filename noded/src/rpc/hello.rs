//! Who this node is.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

use gannet_proto::node::{HelloReply, HelloRequest};
use tonic::Status;

use crate::context::Context;

/// Version of the node protocol; a change that an older peer cannot serve raises it.
pub const PROTOCOL: u32 = 1;

/// `Hello`.
///
/// # Errors
/// None.
pub async fn hello(context: &Context, _request: HelloRequest) -> Result<HelloReply, Status> {
    Ok(HelloReply {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL,
        node_name: context.node_name.to_string(),
        highest_epoch: context.epoch.highest(),
        // a clock before 1970 shows as 0, which the master's clock check reports
        time: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
        boot_id_hash: boot_id_hash(),
    })
}

/// Differs after a restart of the node; 0 when the kernel does not tell.
fn boot_id_hash() -> u64 {
    let boot_id = crate::facts::boot_id();
    if boot_id.is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    boot_id.hash(&mut hasher);
    hasher.finish()
}

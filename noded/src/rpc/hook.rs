//! The call that runs hooks.

use gannet_proto::node::{HooksRunReply, HooksRunRequest};
use tonic::Status;

use crate::context::Context;
use crate::hook;

/// Runs the hooks of one path and phase.
pub async fn hooks_run(context: &Context, request: HooksRunRequest) -> Result<HooksRunReply, Status> {
    match hook::run(&context.paths, &request).await {
        Ok(results) => Ok(HooksRunReply { results }),
        Err(error) => Err(Status::invalid_argument(format!("node {}: {error}", context.node_name))),
    }
}

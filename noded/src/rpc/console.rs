//! Calls about consoles.

use gannet_proto::node::{ConsoleChunk, ConsoleInfo, InstanceRef};
use tonic::{Status, Streaming};

use super::Reply;
use super::instance::reference;
use crate::console;
use crate::context::Context;

/// `InstanceConsoleInfo`.
///
/// # Errors
/// When the hypervisor cannot be asked.
pub async fn instance_console_info(context: &Context, request: InstanceRef) -> Result<ConsoleInfo, Status> {
    let instance = reference(Some(request))?;
    Ok(context.hypervisors.get(&instance.hypervisor)?.console_info(&instance).await?)
}

/// `InstanceConsole`: the first message names the instance.
///
/// # Errors
/// When the instance does not run or has no serial console.
pub async fn instance_console(context: &Context, mut request: Streaming<ConsoleChunk>) -> Result<Reply<ConsoleChunk>, Status> {
    let first = request.message().await?.ok_or_else(|| Status::invalid_argument("the console was closed before it was opened"))?;
    let instance = reference(first.instance)?;
    let local = context.hypervisors.get(&instance.hypervisor)?.console(&instance.name).await?;
    Ok(console::attach(instance.name, first.data, request, local))
}

//! Calls about files of the cluster, commands, the master's address, and leaving.

use std::time::Duration;

use gannet_core::paths::Paths;
use gannet_proto::node::{
    CommandRunReply, CommandRunRequest, Empty, FileUploadRequest, LeaveClusterRequest, MasterIpRequest, MemberBeginRequest,
    SsconfWriteRequest, TestDelayRequest,
};
use tonic::Status;

use crate::context::Context;
use crate::error::chain;
use crate::files::{Error, leave, master_ip, ssconf, upload};
use crate::member;
use crate::run::{self, Exit, Program};

/// For commands, when the caller names no time (Ganeti: `RPC_TMO_SLOW`).
const COMMAND_TIMEOUT: Duration = Duration::from_secs(3600);
/// Output kept of one command, in bytes: 1 MiB.
const COMMAND_OUTPUT: usize = 1 << 20;

/// Writes `ssconf_*` files.
pub async fn ssconf_write(context: &Context, request: SsconfWriteRequest) -> Result<Empty, Status> {
    blocking(context, move |paths| ssconf::write(paths, &request.values)).await
}

/// Writes a file of the cluster's list.
pub async fn file_upload(context: &Context, request: FileUploadRequest) -> Result<Empty, Status> {
    blocking(context, move |paths| upload::upload(paths, &request)).await
}

/// Writes any file.
pub async fn file_copy(context: &Context, request: FileUploadRequest) -> Result<Empty, Status> {
    blocking(context, move |paths| upload::copy(paths, &request)).await
}

/// Runs a command of the operator, as root's shell would. On a virtual node its environment says which one it is.
pub async fn command_run(context: &Context, request: CommandRunRequest) -> Result<CommandRunReply, Status> {
    let timeout = if request.timeout_s == 0 { COMMAND_TIMEOUT } else { Duration::from_secs(request.timeout_s.into()) };
    let mut program = Program::new("/bin/sh").args(["-c", &request.command]).env("HOME", "/root").timeout(timeout);
    if let Some(root) = context.paths.root() {
        program = program.env("GANETI_ROOTDIR", root).env("GANETI_HOSTNAME", context.node_name.as_ref());
    }
    let output = program.combined().output_limit(COMMAND_OUTPUT).finish().await.map_err(|error| {
        let text = format!("node {}: {}", context.node_name, chain(&error));
        if matches!(error, run::Error::Timeout { .. }) { Status::deadline_exceeded(text) } else { Status::internal(text) }
    })?;
    let status = match output.exit {
        Exit::Status(status) => status,
        Exit::Signal(signal) => 128 + signal, // as a shell says it
    };
    Ok(CommandRunReply { status, output: output.stdout, truncated: output.truncated })
}

/// Takes the master's address.
pub async fn master_ip_start(context: &Context, request: MasterIpRequest) -> Result<Empty, Status> {
    answer(context, master_ip::start(&context.paths, &request).await)
}

/// Gives the master's address up.
pub async fn master_ip_stop(context: &Context, request: MasterIpRequest) -> Result<Empty, Status> {
    answer(context, master_ip::stop(&context.paths, &request).await)
}

/// Removes the cluster's secrets here; the agent ends after the answer.
pub async fn leave_cluster(context: &Context, request: LeaveClusterRequest) -> Result<Empty, Status> {
    if context.paths.confd_dir().exists() {
        member_end(context).await?;
    }
    let left = blocking(context, move |paths| leave::leave(paths, request.modify_ssh_setup)).await?;
    context.epoch.forget().map_err(|error| Status::internal(format!("node {}: {}", context.node_name, chain(&error))))?;
    context.left_cluster.notify_one();
    Ok(left)
}

/// Becomes a master candidate.
pub async fn member_begin(context: &Context, request: MemberBeginRequest) -> Result<Empty, Status> {
    let begun = member::begin(&context.paths, &context.node_name, &request, context.epoch.highest()).await;
    begun.map(|()| Empty {}).map_err(|error| Status::internal(format!("node {}: {}", context.node_name, chain(&error))))
}

/// Is no master candidate any more.
pub async fn member_end(context: &Context) -> Result<Empty, Status> {
    let ended = member::end(&context.paths, &context.node_name).await;
    ended.map(|()| Empty {}).map_err(|error| Status::internal(format!("node {}: {}", context.node_name, chain(&error))))
}

/// Answers after a while.
pub async fn test_delay(context: &Context, request: TestDelayRequest) -> Result<Empty, Status> {
    match Duration::try_from_secs_f64(request.duration_s) {
        Ok(duration) => {
            tokio::time::sleep(duration).await;
            Ok(Empty {})
        }
        Err(_) => Err(Status::invalid_argument(format!("node {}: Invalid test delay duration {}", context.node_name, request.duration_s))),
    }
}

async fn blocking(context: &Context, work: impl FnOnce(&Paths) -> Result<(), Error> + Send + 'static) -> Result<Empty, Status> {
    let paths = context.paths.clone();
    match gannet_daemon::work::blocking(move || work(&paths)).await {
        Ok(result) => answer(context, result),
        Err(error) => Err(Status::internal(format!("node {}: the work broke off: {error}", context.node_name))),
    }
}

#[allow(clippy::result_large_err)] // tonic's own error type
fn answer(context: &Context, result: Result<(), Error>) -> Result<Empty, Status> {
    let Err(error) = result else { return Ok(Empty {}) };
    let text = format!("node {}: {}", context.node_name, chain(&error));
    Err(match error {
        Error::Invalid(_) => Status::invalid_argument(text),
        Error::Forbidden(_) => Status::permission_denied(text),
        Error::AddressTaken(_) => Status::already_exists(text),
        Error::Io { .. } | Error::Program { .. } => Status::internal(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::suite::Node;

    #[tokio::test]
    async fn commands() {
        let node = Node::new();
        let context = Context::new(node.paths.clone(), "node1").unwrap();
        let run =
            async |command: &str, timeout_s| command_run(&context, CommandRunRequest { command: command.to_owned(), timeout_s }).await;
        let reply = run("echo $GANETI_HOSTNAME; echo err >&2; exit 3", 0).await.unwrap();
        assert_eq!((reply.status, reply.output.as_slice(), reply.truncated), (3, &b"node1\nerr\n"[..], false));
        assert_eq!(run("kill -9 $$", 0).await.unwrap().status, 137);
        assert!(run("head -c 2000000 /dev/zero", 0).await.unwrap().truncated);
        assert_eq!(run("sleep 1000", 1).await.unwrap_err().code(), tonic::Code::DeadlineExceeded);
    }

    #[tokio::test(start_paused = true)]
    async fn delays() {
        let node = Node::new();
        let context = Context::new(node.paths.clone(), "node1").unwrap();
        let begin = tokio::time::Instant::now();
        test_delay(&context, TestDelayRequest { duration_s: 2.5 }).await.unwrap();
        assert_eq!(begin.elapsed(), Duration::from_millis(2500));
        assert!(test_delay(&context, TestDelayRequest { duration_s: -1.0 }).await.is_err());
        assert!(test_delay(&context, TestDelayRequest { duration_s: f64::NAN }).await.is_err());
    }

    #[tokio::test]
    async fn leaving_tells_the_agent() {
        let node = Node::new();
        let context = Context::new(node.paths.clone(), "node1").unwrap();
        std::fs::create_dir_all(node.paths.data_dir()).unwrap();
        context.epoch.check(4, "node1").unwrap();
        leave_cluster(&context, LeaveClusterRequest::default()).await.unwrap();
        context.left_cluster.notified().await;
        assert_eq!(context.epoch.highest(), 0);
    }
}

//! Calls about OS definitions and their scripts.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use gannet_proto::node::{
    Empty, Instance, OsDiagnoseReply, OsRenameRequest, OsScriptRequest, OsTransferRequest, OsValidateRequest, ScriptOutput, ValidateReply,
};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::Reply;
use super::instance::{devices, named};
use crate::context::Context;
use crate::hypervisor::Device;
use crate::os::env::{self, Env};
use crate::os::script::Script;
use crate::os::search::{self, Os};
use crate::os::{self, validate};

/// For `create`, `export` and `import` when the caller names no time (Ganeti: `RPC_TMO_1DAY`).
const LONG: Duration = Duration::from_secs(86_400);
/// For `rename` (Ganeti: `RPC_TMO_SLOW`).
const RENAME: Duration = Duration::from_secs(3600);
/// How long another call about the instance is waited for.
const TURN: Duration = Duration::from_secs(60);
/// Pieces of output that may wait for the caller.
const QUEUE: usize = 16;

/// All OS definitions of this node, good and bad.
pub async fn os_diagnose(context: &Context, _: Empty) -> Result<OsDiagnoseReply, Status> {
    Ok(diagnose(context).await)
}

/// All OS definitions of this node.
pub(crate) async fn diagnose(context: &Context) -> OsDiagnoseReply {
    let paths = context.paths.clone();
    let definitions = gannet_daemon::work::blocking(move || search::diagnose(&paths)).await.unwrap_or_default();
    OsDiagnoseReply { definitions }
}

/// Checks an OS name and its parameters.
pub async fn os_validate(context: &Context, request: OsValidateRequest) -> Result<ValidateReply, Status> {
    Ok(validate::validate(&context.paths, &request).await)
}

/// Fills the disks of an instance.
pub async fn os_create(context: &Context, request: OsScriptRequest) -> Result<Reply<ScriptOutput>, Status> {
    let job = Job::new(context, request.instance, request.debug_level).await?;
    if !job.os.has_create {
        return Err(Status::unimplemented(format!(
            "node {}: OS '{}' has only an untrusted create script, which needs a helper VM; that is not built yet",
            context.node_name, job.os.name
        )));
    }
    let reinstall = request.reinstall.then(|| ("INSTANCE_REINSTALL".to_owned(), "1".to_owned()));
    let subject = job.instance.name.clone();
    Ok(job.start(context, Run { file: "create", kind: "add", subject, timeout: limit(request.timeout_s, LONG), ..Run::new(reinstall) }))
}

/// Tells the OS inside an instance its new name.
pub async fn os_rename(context: &Context, request: OsRenameRequest) -> Result<Reply<ScriptOutput>, Status> {
    let job = Job::new(context, request.instance, request.debug_level).await?;
    let subject = format!("{}-{}", request.old_name, job.instance.name);
    check_subject(&request.old_name)?;
    let old = ("OLD_INSTANCE_NAME".to_owned(), request.old_name);
    Ok(job.start(context, Run { file: "rename", kind: "rename", subject, timeout: limit(request.timeout_s, RENAME), ..Run::new([old]) }))
}

/// Writes the content of one disk to a file, as the OS sees fit.
pub async fn os_export(context: &Context, request: OsTransferRequest) -> Result<Reply<ScriptOutput>, Status> {
    let file = export_file(context, &request.file)?;
    let job = Job::new(context, request.instance.clone(), request.debug_level).await?;
    let vars = job.transfer("EXPORT", request.disk_index)?;
    let new = PathBuf::from(format!("{}.new", file.display()));
    let opened = file.parent().map_or(Ok(()), fs::create_dir_all);
    let opened = opened.and_then(|()| OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new));
    let stdout =
        opened.map_err(|error| Status::internal(format!("node {}: cannot write {}: {error}", context.node_name, new.display())))?;
    let subject = format!("{}-disk{}", job.instance.name, request.disk_index);
    let timeout = limit(request.timeout_s, LONG);
    Ok(job.start(context, Run { file: "export", kind: "export", subject, timeout, stdout: Some((stdout, new, file)), ..Run::new(vars) }))
}

/// Fills one disk from a file that `export` has written.
pub async fn os_import(context: &Context, request: OsTransferRequest) -> Result<Reply<ScriptOutput>, Status> {
    let file = export_file(context, &request.file)?;
    let job = Job::new(context, request.instance.clone(), request.debug_level).await?;
    let vars = job.transfer("IMPORT", request.disk_index)?;
    let stdin = File::open(&file)
        .map_err(|error| Status::not_found(format!("node {}: cannot read {}: {error}", context.node_name, file.display())))?;
    let subject = format!("{}-disk{}", job.instance.name, request.disk_index);
    let timeout = limit(request.timeout_s, LONG);
    Ok(job.start(context, Run { file: "import", kind: "import", subject, timeout, stdin: Some(stdin), ..Run::new(vars) }))
}

/// A script about an instance, made ready.
struct Job {
    instance: Instance,
    os: Os,
    env: Env,
    devices: Vec<Device>,
    turn: tokio::sync::OwnedMutexGuard<()>,
}

/// What is particular to one script.
struct Run {
    file: &'static str,
    kind: &'static str,
    subject: String,
    timeout: Duration,
    vars: Vec<(String, String)>,
    stdin: Option<File>,
    /// The open file, its name while it grows, and its name when it is complete.
    stdout: Option<(File, PathBuf, PathBuf)>,
}

impl Run {
    fn new(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        let vars = vars.into_iter().collect();
        Self { file: "", kind: "", subject: String::new(), timeout: LONG, vars, stdin: None, stdout: None }
    }
}

impl Job {
    async fn new(context: &Context, instance: Option<Instance>, debug_level: u32) -> Result<Self, Status> {
        let instance = named(instance)?;
        check_subject(&instance.name)?;
        let os = search::find(&context.paths, os::name(&instance.os)).map_err(|error| status(context, &error))?;
        let Some(turn) = context.instance_locks.lock_within(&instance.name, TURN).await else {
            return Err(Status::aborted(format!("node {}: another operation on instance {} is running", context.node_name, instance.name)));
        };
        let devices = devices(context, &instance).await?;
        let env = env::instance(&os, &instance, &devices, debug_level);
        Ok(Self { instance, os, env, devices, turn })
    }

    /// The variables that tell `export` and `import` which disk is meant.
    #[allow(clippy::result_large_err)] // tonic's own error type
    fn transfer(&self, prefix: &str, index: u32) -> Result<Vec<(String, String)>, Status> {
        let device = usize::try_from(index).ok().and_then(|index| self.devices.get(index));
        let device = device.ok_or_else(|| Status::invalid_argument(format!("instance {} has no disk {index}", self.instance.name)))?;
        let values = [
            ("DEVICE", device.path.clone()),
            ("DISK_PATH", device.path.clone()),
            ("DISK_URI", device.uri.clone()),
            ("INDEX", index.to_string()),
        ];
        let mut vars: Vec<_> =
            values.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (format!("{prefix}_{name}"), value)).collect();
        if prefix == "EXPORT" {
            vars.push(("EXP_SIZE_FD".to_owned(), "3".to_owned()));
        }
        Ok(vars)
    }

    fn start(mut self, context: &Context, run: Run) -> Reply<ScriptOutput> {
        let (replies, messages) = mpsc::channel(QUEUE);
        self.env.extend(run.vars);
        let (stdout, names) = run.stdout.map_or((None, None), |(file, new, name)| (Some(file), Some((new, name))));
        let script = Script {
            has_secrets: !self.instance.osparams_private.is_empty() || !self.instance.osparams_secret.is_empty(),
            os: self.os,
            file: run.file,
            kind: run.kind,
            log_subject: run.subject,
            os_name: self.instance.os,
            instance: self.instance.name,
            env: self.env,
            stdin: run.stdin,
            stdout,
            timeout: run.timeout,
        };
        let (paths, node, turn) = (context.paths.clone(), context.node_name.clone(), self.turn);
        tokio::spawn(async move {
            let last = script.run(&paths, &replies).await;
            drop(turn);
            let last = match names {
                Some((new, name)) => publish(last, &new, &name),
                None => last,
            };
            if let Some(mut last) = last {
                if !last.error.is_empty() {
                    last.error = format!("node {node}: {}", last.error);
                }
                let _ = replies.send(last).await; // the caller went away
            }
        });
        Box::pin(ReceiverStream::new(messages).map(Ok))
    }
}

/// Gives a complete export its name, and removes another one.
fn publish(last: Option<ScriptOutput>, new: &Path, name: &Path) -> Option<ScriptOutput> {
    if last.as_ref().is_none_or(|last| last.status != 0) {
        let _ = fs::remove_file(new); // the script's own failure is what counts
        return last;
    }
    let kept = File::open(new).and_then(|file| file.sync_all()).and_then(|()| fs::rename(new, name));
    let error = kept.err().map(|error| format!("cannot keep the export {}: {error}", name.display()));
    last.map(|last| match error {
        Some(error) => ScriptOutput { status: -1, error, ..last },
        None => last,
    })
}

/// A file below the export directory.
#[allow(clippy::result_large_err)] // tonic's own error type
fn export_file(context: &Context, file: &str) -> Result<PathBuf, Status> {
    let (dir, path) = (context.paths.export_dir(), context.paths.at(file));
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::RootDir));
    if !plain || !Path::new(file).is_absolute() || path == dir || !path.starts_with(&dir) {
        return Err(Status::permission_denied(format!(
            "node {}: '{file}' is not below the export directory {}",
            context.node_name,
            dir.display()
        )));
    }
    Ok(path)
}

/// Names become part of file names.
#[allow(clippy::result_large_err)] // tonic's own error type
fn check_subject(name: &str) -> Result<(), Status> {
    let odd = name.is_empty() || name.starts_with('.') || name.contains('/');
    if odd { Err(Status::invalid_argument(format!("'{name}' is not the name of an instance"))) } else { Ok(()) }
}

fn limit(timeout_s: u32, default: Duration) -> Duration {
    if timeout_s == 0 { default } else { Duration::from_secs(timeout_s.into()) }
}

fn status(context: &Context, error: &os::Error) -> Status {
    let text = format!("node {}: {error}", context.node_name);
    match error {
        os::Error::NotFound(_) => Status::not_found(text),
        os::Error::Invalid(_) => Status::invalid_argument(text),
        os::Error::Broken(_) => Status::internal(text),
        os::Error::Io { source, .. } => Status::internal(format!("{text}: {source}")),
    }
}

#[cfg(test)]
mod tests {
    use gannet_proto::node::DiskCreateRequest;

    use super::*;
    use crate::os::sample;
    use crate::rpc::disk::{disk_create, disk_info};
    use crate::storage::suite::{Node, disk};

    /// A node with the OS `deb` and an instance with one disk.
    async fn ready(create: &str) -> (Node, Context, Instance) {
        let node = Node::new();
        sample::os(&node.paths, "deb", create);
        let context = Context::new(node.paths.clone(), "node1").unwrap();
        let disk = disk("web1", "raw", 1);
        let request = DiskCreateRequest { disk: Some(disk.clone()), instance_name: "web1".into(), is_primary: true, exclusive: true };
        assert!(!disk_create(&context, request).await.unwrap().existed);
        let instance = Instance { name: "web1".into(), os: "deb+a".into(), disks: vec![disk], ..Instance::default() };
        (node, context, instance)
    }

    async fn last(reply: Reply<ScriptOutput>) -> ScriptOutput {
        reply.map(Result::unwrap).fold(ScriptOutput::default(), |_, message| message).await
    }

    #[tokio::test]
    async fn create_export_and_import_reach_the_disk() {
        let (node, context, instance) = ready("printf content | dd of=$DISK_0_PATH conv=notrunc status=none").await;
        let dir = node.paths.at("/srv/ganeti/os/deb");
        sample::script(&dir.join("export"), "head -c 7 $EXPORT_DEVICE; echo 7 >&$EXP_SIZE_FD");
        sample::script(&dir.join("import"), "dd of=$IMPORT_DEVICE seek=$((IMPORT_INDEX + 1)) bs=512 conv=notrunc status=none");
        let create = OsScriptRequest { instance: Some(instance.clone()), ..OsScriptRequest::default() };
        assert_eq!(last(os_create(&context, create).await.unwrap()).await.error, "");
        let file = "/var/lib/ganeti/export/web1/disk0".to_owned();
        let transfer = OsTransferRequest { instance: Some(instance.clone()), file, ..OsTransferRequest::default() };
        assert_eq!(last(os_export(&context, transfer.clone()).await.unwrap()).await.error, "");
        assert_eq!(fs::read(node.paths.at(&transfer.file)).unwrap(), b"content");
        assert_eq!(last(os_import(&context, transfer.clone()).await.unwrap()).await.error, "");
        let content = fs::read(node.paths.at(&instance.disks[0].logical_second)).unwrap();
        assert_eq!((&content[..7], &content[512..519], content.len()), (&b"content"[..], &b"content"[..], 1 << 20));
        let outside = OsTransferRequest { file: "/var/lib/ganeti/export/../x".into(), ..transfer.clone() };
        assert_eq!(os_import(&context, outside).await.err().unwrap().code(), tonic::Code::PermissionDenied);
        let none = OsTransferRequest { disk_index: 1, ..transfer };
        assert_eq!(os_import(&context, none).await.err().unwrap().code(), tonic::Code::InvalidArgument);
    }

    /// What `script` was given, but for what all scripts about this instance get.
    fn own_variables(node: &Node, script: &str) -> Vec<String> {
        let seen = fs::read_to_string(node.paths.at(format!("/srv/{script}.seen"))).unwrap();
        let mut seen: Vec<&str> = seen.split_terminator('\0').collect();
        seen.sort_unstable();
        let common = "DEBUG_LEVEL=2 DISK_0_ACCESS=rw DISK_0_BACKEND_TYPE=file:loop DISK_0_PATH DISK_0_SIZE=1 DISK_0_UUID DISK_COUNT=1 \
                      HYPERVISOR=fake INSTANCE_BE_maxmem=128 INSTANCE_BE_minmem=64 INSTANCE_BE_vcpus=1 INSTANCE_CTIME=1.5 \
                      INSTANCE_HV_migration_mode=live INSTANCE_MTIME=2.5 INSTANCE_NAME=web1 INSTANCE_OS=deb+a \
                      INSTANCE_PRIMARY_NODE=node-uuid INSTANCE_SECONDARY_NODES=other-uuid INSTANCE_UUID=i-uuid NIC_0_BRIDGE=br0 \
                      NIC_0_IP=192.0.2.9 NIC_0_LINK=br0 NIC_0_MAC=aa:00:00:00:00:01 NIC_0_MODE=bridged NIC_0_UUID=nic-uuid \
                      NIC_COUNT=1 OSP_PLAIN=x OSP_SECRET=z OSP_THEIR_OWN=y OS_API_VERSION=20 OS_NAME=deb OS_VARIANT=a PATH";
        // PWD is added by the shell that counts what an export writes.
        let is_common = |pair: &str| {
            pair.starts_with("PWD=") || common.split_whitespace().any(|known| pair == known || pair.split('=').next() == Some(known))
        };
        for known in common.split_whitespace() {
            let found = seen.iter().any(|pair| *pair == known || pair.split('=').next() == Some(known));
            assert!(found, "{script} was not given {known}: {seen:#?}");
        }
        seen.into_iter().filter(|pair| !is_common(pair)).map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn every_script_gets_the_whole_environment_and_nothing_else() {
        let (node, context, instance) = ready("exit 0").await;
        let dir = node.paths.at("/srv/ganeti/os/deb");
        for script in ["create", "import", "export", "rename"] {
            let seen = node.paths.at(format!("/srv/{script}.seen"));
            // Of the shell that runs it, as it was started.
            sample::script(&dir.join(script), &format!("cat /proc/$$/environ > {}", seen.display()));
        }
        let text = |text: &str| gannet_proto::node::ParamValue { value: Some(gannet_proto::node::param_value::Value::Text(text.into())) };
        let nic = gannet_proto::node::Nic {
            mac: "aa:00:00:00:00:01".into(),
            uuid: "nic-uuid".into(),
            mode: "bridged".into(),
            link: "br0".into(),
            ip: "192.0.2.9".into(),
            ..Default::default()
        };
        let instance = Instance {
            uuid: "i-uuid".into(),
            hypervisor: "fake".into(),
            primary_node: "node-uuid".into(),
            secondary_nodes: vec!["other-uuid".into()],
            ctime: 1.5,
            mtime: 2.5,
            max_memory_mib: 128,
            min_memory_mib: 64,
            vcpus: 1,
            hvparams: [("migration_mode".to_owned(), text("live"))].into(),
            osparams: [("plain".to_owned(), "x".to_owned())].into(),
            osparams_private: [("their-own".to_owned(), "y".to_owned())].into(),
            osparams_secret: [("secret".to_owned(), "z".to_owned())].into(),
            nics: vec![nic],
            ..instance
        };
        let path = instance.disks[0].logical_second.clone();
        let device = node.paths.at(&path).display().to_string();
        let some = || Some(instance.clone());
        let create = OsScriptRequest { instance: some(), reinstall: true, debug_level: 2, timeout_s: 0 };
        assert_eq!(last(os_create(&context, create).await.unwrap()).await.error, "");
        let rename = OsRenameRequest { instance: some(), old_name: "old1".into(), debug_level: 2, timeout_s: 0 };
        assert_eq!(last(os_rename(&context, rename).await.unwrap()).await.error, "");
        let file = "/var/lib/ganeti/export/web1/disk0".to_owned();
        let transfer = OsTransferRequest { instance: some(), file, debug_level: 2, ..OsTransferRequest::default() };
        assert_eq!(last(os_export(&context, transfer.clone()).await.unwrap()).await.error, "");
        assert_eq!(last(os_import(&context, transfer).await.unwrap()).await.error, "");

        assert_eq!(own_variables(&node, "create"), ["INSTANCE_REINSTALL=1"]);
        assert_eq!(own_variables(&node, "rename"), ["OLD_INSTANCE_NAME=old1"]);
        let of = |prefix: &str| {
            ["DEVICE", "DISK_PATH"].map(|name| format!("{prefix}_{name}={device}")).into_iter().chain([format!("{prefix}_INDEX=0")])
        };
        assert_eq!(own_variables(&node, "import"), of("IMPORT").collect::<Vec<_>>());
        assert_eq!(own_variables(&node, "export"), of("EXPORT").chain(["EXP_SIZE_FD=3".to_owned()]).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_failed_export_leaves_no_file() {
        let (node, context, instance) = ready("exit 0").await;
        sample::script(&node.paths.at("/srv/ganeti/os/deb/export"), "echo half; echo why >&2; exit 3");
        let file = "/var/lib/ganeti/export/web1/disk0".to_owned();
        let transfer = OsTransferRequest { instance: Some(instance), file, ..OsTransferRequest::default() };
        let end = last(os_export(&context, transfer).await.unwrap()).await;
        assert_eq!(end.status, 3);
        assert_eq!(end.error, "node node1: OS export script failed (exited with exit code 3), last lines in the log file:\nwhy");
        assert_eq!(fs::read_dir(node.paths.export_dir().join("web1")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn an_untrusted_os_and_a_missing_one_say_so() {
        let (node, context, instance) = ready("exit 0").await;
        let dir = node.paths.at("/srv/ganeti/os/deb");
        fs::rename(dir.join("create"), dir.join("create_untrusted")).unwrap();
        let request =
            |os: &str| OsScriptRequest { instance: Some(Instance { os: os.into(), ..instance.clone() }), ..OsScriptRequest::default() };
        assert_eq!(os_create(&context, request("deb+a")).await.err().unwrap().code(), tonic::Code::Unimplemented);
        assert_eq!(os_create(&context, request("none")).await.err().unwrap().code(), tonic::Code::NotFound);
        let infos = disk_info(&context, gannet_proto::node::DiskInfoRequest { disks: instance.disks.clone() }).await.unwrap();
        assert!(infos.disks[0].exists);
    }
}

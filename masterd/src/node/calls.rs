//! One method per call of the node service. [`NodeReads`] has only those that change nothing, for the check phase.

use std::time::Duration;

use gannet_core::id::{Epoch, NodeUuid};
use gannet_core::name::NodeName;
use gannet_proto::EPOCH_KEY;
use gannet_proto::node::node_client::NodeClient;
use gannet_proto::node::{
    CommandRunReply, CommandRunRequest, ConsoleChunk, ConsoleInfo, CopyProgress, DiskAssembleReply, DiskAssembleRequest, DiskCreateReply,
    DiskCreateRequest, DiskGrowRequest, DiskInfoReply, DiskInfoRequest, DiskReceivePrepareReply, DiskReceivePrepareRequest, DiskRef,
    DiskRenameRequest, DiskSendRequest, DiskWipeRequest, Empty, FileStorageDir, FileStorageDirRenameRequest, FileUploadRequest, HelloReply,
    HelloRequest, HooksRunReply, HooksRunRequest, HypervisorValidateRequest, InstanceBalloonRequest, InstanceHotplugRequest,
    InstanceListReply, InstanceListRequest, InstanceRebootRequest, InstanceRef, InstanceRenameRequest, InstanceShutdownReply,
    InstanceShutdownRequest, InstanceStartReply, InstanceStartRequest, LeaseReply, LeaseRequest, LeaveClusterRequest, MasterIpRequest,
    MemberBeginRequest, MigrationPrepareReply, MigrationPrepareRequest, MigrationProgress, MigrationRunRequest, MigrationSettleReply,
    MigrationSettleRequest, NodeInfoReply, NodeInfoRequest, OsDiagnoseReply, OsRenameRequest, OsScriptRequest, OsTransferRequest,
    OsValidateRequest, ScriptOutput, SsconfWriteRequest, StorageListReply, StorageListRequest, TestDelayRequest, ValidateReply,
    VerifyReply, VerifyRequest,
};
use tonic::Streaming;
use tonic::transport::Channel;

use super::{NodeError, Nodes};

/// A node that can be called.
#[derive(Debug, Clone)]
pub struct NodeHandle {
    name: NodeName,
    uuid: NodeUuid,
    client: NodeClient<Channel>,
    epoch: Epoch,
    pool: Nodes,
}

/// A node of which only can be asked what changes nothing.
#[derive(Debug, Clone)]
pub struct NodeReads(NodeHandle);

impl NodeHandle {
    pub(super) fn new(name: NodeName, uuid: NodeUuid, client: NodeClient<Channel>, epoch: Epoch, pool: Nodes) -> Self {
        Self { name, uuid, client, epoch, pool }
    }

    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &NodeName {
        &self.name
    }

    /// The node's UUID.
    #[must_use]
    pub fn uuid(&self) -> &NodeUuid {
        &self.uuid
    }

    /// A handle of another node, for effects in which two take part.
    ///
    /// # Errors
    /// As [`super::Nodes::handle`].
    pub fn sibling(&self, node: &gannet_core::config::Node) -> Result<Self, NodeError> {
        self.pool.handle(node)
    }

    /// An error of this node.
    #[must_use]
    pub fn refused(&self, call: &'static str, message: &str) -> NodeError {
        NodeError::Refused { node: self.name.clone(), call, code: tonic::Code::Internal, message: message.to_owned() }
    }

    fn request<T>(&self, message: T, seconds: u64) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        request.set_timeout(Duration::from_secs(seconds));
        // A number is always a legal metadata value.
        request.metadata_mut().insert(EPOCH_KEY, self.epoch.0.to_string().parse().expect("digits are legal metadata"));
        request
    }

    fn timeout(&self, call: &'static str, seconds: u64) -> NodeError {
        NodeError::Timeout { node: self.name.clone(), call, seconds }
    }

    /// The serial console of an instance; no deadline: it ends with either side.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn console(
        &self,
        input: impl tokio_stream::Stream<Item = ConsoleChunk> + Send + 'static,
    ) -> Result<Streaming<ConsoleChunk>, NodeError> {
        let mut client = self.client.clone();
        let mut request = tonic::Request::new(input);
        request.metadata_mut().insert(EPOCH_KEY, self.epoch.0.to_string().parse().expect("digits are legal metadata"));
        client
            .instance_console(request)
            .await
            .map(tonic::Response::into_inner)
            .map_err(|status| NodeError::from_status(&self.name, "instance_console", 0, &status))
    }
}

/// A call's own deadline, in seconds.
const QUICK: u64 = 10;
/// For calls that ask programs or the hypervisor.
const NORMAL: u64 = 60;
/// For starting or stopping the daemons of a master candidate.
const MEMBER: u64 = 400;
/// For calls that write much data or wait for a guest.
const LONG: u64 = 3600;
/// Beyond a time that the request itself names, so that the node's own limit ends it first.
const MARGIN: u64 = 30;

macro_rules! unary {
    ($($(#[$doc:meta])* $method:ident($request:ident: $type:ty) -> $reply:ty, $seconds:expr;)*) => {
        impl NodeHandle {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`NodeError`].
                pub async fn $method(&self, $request: $type) -> Result<$reply, NodeError> {
                    let seconds: u64 = $seconds;
                    let call = stringify!($method);
                    let mut client = self.client.clone();
                    let request = self.request($request, seconds);
                    match tokio::time::timeout(Duration::from_secs(seconds), client.$method(request)).await {
                        Ok(Ok(reply)) => Ok(reply.into_inner()),
                        Ok(Err(status)) => Err(NodeError::from_status(&self.name, call, seconds, &status)),
                        Err(_) => Err(self.timeout(call, seconds)),
                    }
                }
            )*
        }
    };
}

macro_rules! streams {
    ($($(#[$doc:meta])* $method:ident($request:ident: $type:ty) -> $reply:ty, $seconds:expr;)*) => {
        impl NodeHandle {
            $(
                $(#[$doc])*
                ///
                /// `each` is given every message. The last one, with `finished` set, is the result.
                ///
                /// # Errors
                /// [`NodeError`]; also when the stream ends before a message with `finished`.
                pub async fn $method(&self, $request: $type, mut each: impl FnMut(&$reply) + Send) -> Result<$reply, NodeError> {
                    let seconds: u64 = $seconds;
                    let call = stringify!($method);
                    let mut client = self.client.clone();
                    let request = self.request($request, seconds);
                    let exchange = async {
                        let mut stream = client.$method(request).await?.into_inner();
                        while let Some(message) = stream.message().await? {
                            each(&message);
                            if message.finished {
                                return Ok(message);
                            }
                        }
                        Err(tonic::Status::unavailable("the node ended the stream before its result"))
                    };
                    match tokio::time::timeout(Duration::from_secs(seconds), exchange).await {
                        Ok(Ok(last)) => Ok(last),
                        Ok(Err(status)) => Err(NodeError::from_status(&self.name, call, seconds, &status)),
                        Err(_) => Err(self.timeout(call, seconds)),
                    }
                }
            )*
        }
    };
}

macro_rules! reads {
    ($($method:ident($type:ty) -> $reply:ty;)*) => {
        impl NodeReads {
            $(
                /// As the method of [`NodeHandle`].
                ///
                /// # Errors
                /// [`NodeError`].
                pub async fn $method(&self, request: $type) -> Result<$reply, NodeError> {
                    self.0.$method(request).await
                }
            )*
        }
    };
}

impl NodeReads {
    pub(super) fn new(handle: NodeHandle) -> Self {
        Self(handle)
    }

    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &NodeName {
        self.0.name()
    }

    /// The node's UUID.
    #[must_use]
    pub fn uuid(&self) -> &NodeUuid {
        self.0.uuid()
    }
}

unary! {
    /// Who and what the node is.
    hello(request: HelloRequest) -> HelloReply, QUICK;
    /// Memory, processors, storage.
    node_info(request: NodeInfoRequest) -> NodeInfoReply, NORMAL;
    /// All facts for `gnt-cluster verify`.
    verify(request: VerifyRequest) -> VerifyReply, 120;
    /// The instances that are there.
    instance_list(request: InstanceListRequest) -> InstanceListReply, NORMAL;
    /// Starts an instance.
    instance_start(request: InstanceStartRequest) -> InstanceStartReply, 120;
    /// Stops an instance.
    instance_shutdown(request: InstanceShutdownRequest) -> InstanceShutdownReply, u64::from(request.timeout_s) + NORMAL + MARGIN;
    /// Restarts an instance.
    instance_reboot(request: InstanceRebootRequest) -> Empty, u64::from(request.timeout_s) + NORMAL + MARGIN;
    /// Sets the memory of a running instance.
    instance_balloon(request: InstanceBalloonRequest) -> Empty, NORMAL;
    /// Adds, changes or takes away a device.
    instance_hotplug(request: InstanceHotplugRequest) -> Empty, NORMAL;
    /// How to reach the console.
    instance_console_info(request: InstanceRef) -> ConsoleInfo, NORMAL;
    /// Renames what the hypervisor keeps.
    instance_rename(request: InstanceRenameRequest) -> Empty, NORMAL;
    /// Checks hypervisor parameters.
    hypervisor_validate(request: HypervisorValidateRequest) -> ValidateReply, NORMAL;
    /// Makes ready to receive an instance.
    migration_prepare(request: MigrationPrepareRequest) -> MigrationPrepareReply, NORMAL;
    /// Stops a running migration.
    migration_abort(request: InstanceRef) -> Empty, NORMAL;
    /// Waits until no migration is left, and says where the instance is.
    migration_settle(request: MigrationSettleRequest) -> MigrationSettleReply, u64::from(request.timeout_s) + MARGIN;
    /// Creates a disk.
    disk_create(request: DiskCreateRequest) -> DiskCreateReply, LONG;
    /// Removes a disk.
    disk_remove(request: DiskRef) -> Empty, 300;
    /// Makes a disk usable.
    disk_assemble(request: DiskAssembleRequest) -> DiskAssembleReply, NORMAL;
    /// Ends the use of a disk.
    disk_shutdown(request: DiskRef) -> Empty, NORMAL;
    /// Grows a disk.
    disk_grow(request: DiskGrowRequest) -> Empty, 300;
    /// Renames a disk.
    disk_rename(request: DiskRenameRequest) -> Empty, NORMAL;
    /// States and sizes of disks.
    disk_info(request: DiskInfoRequest) -> DiskInfoReply, NORMAL;
    /// Writes zeros.
    disk_wipe(request: DiskWipeRequest) -> Empty, LONG;
    /// Makes ready to receive a disk's content.
    disk_receive_prepare(request: DiskReceivePrepareRequest) -> DiskReceivePrepareReply, NORMAL;
    /// Creates a directory.
    file_storage_dir_create(request: FileStorageDir) -> Empty, NORMAL;
    /// Removes an empty directory.
    file_storage_dir_remove(request: FileStorageDir) -> Empty, NORMAL;
    /// Renames a directory.
    file_storage_dir_rename(request: FileStorageDirRenameRequest) -> Empty, NORMAL;
    /// What is in the storage.
    storage_list(request: StorageListRequest) -> StorageListReply, NORMAL;
    /// OS definitions.
    os_diagnose(request: Empty) -> OsDiagnoseReply, NORMAL;
    /// Checks an OS and its parameters.
    os_validate(request: OsValidateRequest) -> ValidateReply, 120;
    /// Runs hooks.
    hooks_run(request: HooksRunRequest) -> HooksRunReply, u64::from(request.timeout_s) + MARGIN;
    /// Writes ssconf files.
    ssconf_write(request: SsconfWriteRequest) -> Empty, QUICK;
    /// Writes one of the cluster's files.
    file_upload(request: FileUploadRequest) -> Empty, NORMAL;
    /// Writes any file.
    file_copy(request: FileUploadRequest) -> Empty, 300;
    /// Runs a command.
    command_run(request: CommandRunRequest) -> CommandRunReply, u64::from(request.timeout_s) + MARGIN;
    /// Takes the master address.
    master_ip_start(request: MasterIpRequest) -> Empty, NORMAL;
    /// Gives the master address up.
    master_ip_stop(request: MasterIpRequest) -> Empty, NORMAL;
    /// Forgets the cluster.
    leave_cluster(request: LeaveClusterRequest) -> Empty, NORMAL;
    /// Becomes a master candidate.
    member_begin(request: MemberBeginRequest) -> Empty, MEMBER;
    /// Is none any more.
    member_end(request: Empty) -> Empty, MEMBER;
    /// Renews the node's lease. Short: the next renewal is the better one.
    lease(request: LeaseRequest) -> LeaseReply, 5;
    /// Waits.
    test_delay(request: TestDelayRequest) -> Empty, seconds_up(request.duration_s) + MARGIN;
}

streams! {
    /// Migrates an instance away.
    migration_run(request: MigrationRunRequest) -> MigrationProgress, u64::from(request.timeout_s) + NORMAL;
    /// Copies a disk away.
    disk_send(request: DiskSendRequest) -> CopyProgress, u64::from(request.timeout_s) + MARGIN;
    /// Installs an OS.
    os_create(request: OsScriptRequest) -> ScriptOutput, u64::from(request.timeout_s) + MARGIN;
    /// Runs the OS definition's rename script.
    os_rename(request: OsRenameRequest) -> ScriptOutput, u64::from(request.timeout_s) + MARGIN;
    /// Exports a disk to a file.
    os_export(request: OsTransferRequest) -> ScriptOutput, u64::from(request.timeout_s) + MARGIN;
    /// Imports a disk from a file.
    os_import(request: OsTransferRequest) -> ScriptOutput, u64::from(request.timeout_s) + MARGIN;
}

reads! {
    hello(HelloRequest) -> HelloReply;
    node_info(NodeInfoRequest) -> NodeInfoReply;
    verify(VerifyRequest) -> VerifyReply;
    instance_list(InstanceListRequest) -> InstanceListReply;
    instance_console_info(InstanceRef) -> ConsoleInfo;
    hypervisor_validate(HypervisorValidateRequest) -> ValidateReply;
    disk_info(DiskInfoRequest) -> DiskInfoReply;
    storage_list(StorageListRequest) -> StorageListReply;
    os_diagnose(Empty) -> OsDiagnoseReply;
    os_validate(OsValidateRequest) -> ValidateReply;
}

/// Whole seconds, rounded up; bounded by a day.
fn seconds_up(seconds: f64) -> u64 {
    seconds.clamp(0.0, 86_400.0).ceil() as u64
}

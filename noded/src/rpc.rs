//! The node service: one line per call, each leading to a function of its family's file.

pub mod console;
pub mod disk;
pub mod files;
pub mod hello;
pub mod hook;
pub mod instance;
pub mod lease;
pub mod migration;
pub mod os;
pub mod verify;

use std::pin::Pin;

use futures::Stream;
use gannet_proto::node::node_server::Node;
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
use tonic::{Request, Response, Status, Streaming};

use crate::context::Context;

/// The answer of a call that streams.
pub type Reply<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The node service of one agent.
#[derive(Clone)]
pub struct NodeService {
    context: Context,
}

impl NodeService {
    /// Serves `context`.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context }
    }
}

#[tonic::async_trait]
impl Node for NodeService {
    type InstanceConsoleStream = Reply<ConsoleChunk>;
    type MigrationRunStream = Reply<MigrationProgress>;
    type DiskSendStream = Reply<CopyProgress>;
    type OsCreateStream = Reply<ScriptOutput>;
    type OsRenameStream = Reply<ScriptOutput>;
    type OsExportStream = Reply<ScriptOutput>;
    type OsImportStream = Reply<ScriptOutput>;

    async fn hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        hello::hello(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn node_info(&self, request: Request<NodeInfoRequest>) -> Result<Response<NodeInfoReply>, Status> {
        verify::node_info(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn verify(&self, request: Request<VerifyRequest>) -> Result<Response<VerifyReply>, Status> {
        verify::verify(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn instance_list(&self, request: Request<InstanceListRequest>) -> Result<Response<InstanceListReply>, Status> {
        instance::instance_list(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn instance_start(&self, request: Request<InstanceStartRequest>) -> Result<Response<InstanceStartReply>, Status> {
        instance::instance_start(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn instance_shutdown(&self, request: Request<InstanceShutdownRequest>) -> Result<Response<InstanceShutdownReply>, Status> {
        instance::instance_shutdown(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn instance_reboot(&self, request: Request<InstanceRebootRequest>) -> Result<Response<Empty>, Status> {
        instance::instance_reboot(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn instance_balloon(&self, request: Request<InstanceBalloonRequest>) -> Result<Response<Empty>, Status> {
        instance::instance_balloon(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn instance_hotplug(&self, request: Request<InstanceHotplugRequest>) -> Result<Response<Empty>, Status> {
        instance::instance_hotplug(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn instance_console_info(&self, request: Request<InstanceRef>) -> Result<Response<ConsoleInfo>, Status> {
        console::instance_console_info(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn instance_console(&self, request: Request<Streaming<ConsoleChunk>>) -> Result<Response<Self::InstanceConsoleStream>, Status> {
        console::instance_console(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn instance_rename(&self, request: Request<InstanceRenameRequest>) -> Result<Response<Empty>, Status> {
        instance::instance_rename(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn hypervisor_validate(&self, request: Request<HypervisorValidateRequest>) -> Result<Response<ValidateReply>, Status> {
        instance::hypervisor_validate(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn migration_prepare(&self, request: Request<MigrationPrepareRequest>) -> Result<Response<MigrationPrepareReply>, Status> {
        migration::migration_prepare(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn migration_run(&self, request: Request<MigrationRunRequest>) -> Result<Response<Self::MigrationRunStream>, Status> {
        migration::migration_run(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn migration_abort(&self, request: Request<InstanceRef>) -> Result<Response<Empty>, Status> {
        migration::migration_abort(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn migration_settle(&self, request: Request<MigrationSettleRequest>) -> Result<Response<MigrationSettleReply>, Status> {
        migration::migration_settle(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn disk_create(&self, request: Request<DiskCreateRequest>) -> Result<Response<DiskCreateReply>, Status> {
        disk::disk_create(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn disk_remove(&self, request: Request<DiskRef>) -> Result<Response<Empty>, Status> {
        disk::disk_remove(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn disk_assemble(&self, request: Request<DiskAssembleRequest>) -> Result<Response<DiskAssembleReply>, Status> {
        disk::disk_assemble(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn disk_shutdown(&self, request: Request<DiskRef>) -> Result<Response<Empty>, Status> {
        disk::disk_shutdown(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn disk_grow(&self, request: Request<DiskGrowRequest>) -> Result<Response<Empty>, Status> {
        disk::disk_grow(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn disk_rename(&self, request: Request<DiskRenameRequest>) -> Result<Response<Empty>, Status> {
        disk::disk_rename(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn disk_info(&self, request: Request<DiskInfoRequest>) -> Result<Response<DiskInfoReply>, Status> {
        disk::disk_info(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn disk_wipe(&self, request: Request<DiskWipeRequest>) -> Result<Response<Empty>, Status> {
        disk::disk_wipe(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn disk_receive_prepare(&self, request: Request<DiskReceivePrepareRequest>) -> Result<Response<DiskReceivePrepareReply>, Status> {
        disk::disk_receive_prepare(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn disk_send(&self, request: Request<DiskSendRequest>) -> Result<Response<Self::DiskSendStream>, Status> {
        disk::disk_send(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn file_storage_dir_create(&self, request: Request<FileStorageDir>) -> Result<Response<Empty>, Status> {
        disk::file_storage_dir_create(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn file_storage_dir_remove(&self, request: Request<FileStorageDir>) -> Result<Response<Empty>, Status> {
        disk::file_storage_dir_remove(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn file_storage_dir_rename(&self, request: Request<FileStorageDirRenameRequest>) -> Result<Response<Empty>, Status> {
        disk::file_storage_dir_rename(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn storage_list(&self, request: Request<StorageListRequest>) -> Result<Response<StorageListReply>, Status> {
        disk::storage_list(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn os_diagnose(&self, request: Request<Empty>) -> Result<Response<OsDiagnoseReply>, Status> {
        os::os_diagnose(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn os_validate(&self, request: Request<OsValidateRequest>) -> Result<Response<ValidateReply>, Status> {
        os::os_validate(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn os_create(&self, request: Request<OsScriptRequest>) -> Result<Response<Self::OsCreateStream>, Status> {
        os::os_create(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn os_rename(&self, request: Request<OsRenameRequest>) -> Result<Response<Self::OsRenameStream>, Status> {
        os::os_rename(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn os_export(&self, request: Request<OsTransferRequest>) -> Result<Response<Self::OsExportStream>, Status> {
        os::os_export(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn os_import(&self, request: Request<OsTransferRequest>) -> Result<Response<Self::OsImportStream>, Status> {
        os::os_import(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn hooks_run(&self, request: Request<HooksRunRequest>) -> Result<Response<HooksRunReply>, Status> {
        hook::hooks_run(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn ssconf_write(&self, request: Request<SsconfWriteRequest>) -> Result<Response<Empty>, Status> {
        files::ssconf_write(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn file_upload(&self, request: Request<FileUploadRequest>) -> Result<Response<Empty>, Status> {
        files::file_upload(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn file_copy(&self, request: Request<FileUploadRequest>) -> Result<Response<Empty>, Status> {
        files::file_copy(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn command_run(&self, request: Request<CommandRunRequest>) -> Result<Response<CommandRunReply>, Status> {
        files::command_run(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn master_ip_start(&self, request: Request<MasterIpRequest>) -> Result<Response<Empty>, Status> {
        files::master_ip_start(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn master_ip_stop(&self, request: Request<MasterIpRequest>) -> Result<Response<Empty>, Status> {
        files::master_ip_stop(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn leave_cluster(&self, request: Request<LeaveClusterRequest>) -> Result<Response<Empty>, Status> {
        files::leave_cluster(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn member_begin(&self, request: Request<MemberBeginRequest>) -> Result<Response<Empty>, Status> {
        files::member_begin(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn member_end(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        files::member_end(&self.context).await.map(Response::new)
    }

    async fn lease(&self, request: Request<LeaseRequest>) -> Result<Response<LeaseReply>, Status> {
        lease::lease(&self.context, request.into_inner()).await.map(Response::new)
    }

    async fn test_delay(&self, request: Request<TestDelayRequest>) -> Result<Response<Empty>, Status> {
        files::test_delay(&self.context, request.into_inner()).await.map(Response::new)
    }
}

//! Disks and their directories.

use gannet_proto::node::{
    CopyProgress, DiskAssembleReply, DiskAssembleRequest, DiskCreateRequest, DiskGrowRequest, DiskReceivePrepareRequest, DiskRef,
    DiskRenameRequest, DiskSendRequest, DiskWipeRequest, FileStorageDir, FileStorageDirRenameRequest,
};
use serde::{Deserialize, Serialize};

use super::{Done, NodeEffect, effect};
use crate::job::JobLog;
use crate::node::{NodeError, NodeHandle};

fn name(disk: &DiskRef) -> String {
    format!("disk {} ({})", disk.index, disk.uuid)
}

effect! {
    /// Creates a disk. Undo: removes it; a node never removes what does not carry the disk's UUID.
    DiskCreate(DiskCreateRequest) -> (), "disk-create",
    describe(effect) {
        let disk = effect.0.disk.as_ref().map(name).unwrap_or_default();
        format!("create {disk} of instance {}", effect.0.instance_name)
    }
    run(effect, node, _log) {
        node.disk_create(effect.0.clone()).await?;
        // Also when it existed: with this UUID it can only be ours, from before a crash.
        Ok(Done::Changed(()))
    }
    undo(effect, node, _reply) {
        match effect.0.disk.clone() {
            Some(disk) => node.disk_remove(disk).await.map(|_| ()),
            None => Ok(()),
        }
    }
}

effect! {
    /// Removes a disk with its data. There is no way back.
    DiskRemove(DiskRef) -> (), "disk-remove",
    describe(effect) { format!("remove {}", name(&effect.0)) }
    run(effect, node, _log) {
        node.disk_remove(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(_effect, _node, _reply) { Ok(()) }
}

effect! {
    /// Makes a disk usable on the node. Undo: ends its use.
    DiskAssemble(DiskAssembleRequest) -> DiskAssembleReply, "disk-assemble",
    describe(effect) {
        let disk = effect.0.disk.as_ref().map(name).unwrap_or_default();
        format!("activate {disk} of instance {}", effect.0.instance_name)
    }
    run(effect, node, _log) { node.disk_assemble(effect.0.clone()).await.map(Done::Changed) }
    undo(effect, node, _reply) {
        match effect.0.disk.clone() {
            Some(disk) => node.disk_shutdown(disk).await.map(|_| ()),
            None => Ok(()),
        }
    }
}

effect! {
    /// Ends the use of a disk on the node. Not taken back: the next start activates it.
    DiskShutdown(DiskRef) -> (), "disk-shutdown",
    describe(effect) { format!("deactivate {}", name(&effect.0)) }
    run(effect, node, _log) {
        node.disk_shutdown(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(_effect, _node, _reply) { Ok(()) }
}

effect! {
    /// Grows a disk to a size. A grown disk is never shrunk again: its user may write to it at once.
    DiskGrow(DiskGrowRequest) -> (), "disk-grow",
    describe(effect) {
        let disk = effect.0.disk.as_ref().map(name).unwrap_or_default();
        format!("grow {disk} to {} MiB", effect.0.size_mib)
    }
    run(effect, node, _log) {
        node.disk_grow(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(_effect, _node, _reply) { Ok(()) }
}

effect! {
    /// Renames a disk. Undo: renames it back.
    DiskRename(DiskRenameRequest) -> (), "disk-rename",
    describe(effect) {
        let disk = effect.0.old.as_ref().map(name).unwrap_or_default();
        format!("rename {disk}")
    }
    run(effect, node, _log) {
        node.disk_rename(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(effect, node, _reply) {
        let back = DiskRenameRequest { old: effect.0.new.clone(), new: effect.0.old.clone() };
        node.disk_rename(back).await.map(|_| ())
    }
}

effect! {
    /// Writes zeros. There is no way back.
    DiskWipe(DiskWipeRequest) -> (), "disk-wipe",
    describe(effect) {
        let disk = effect.0.disk.as_ref().map(name).unwrap_or_default();
        format!("wipe {disk}")
    }
    run(effect, node, _log) {
        node.disk_wipe(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(_effect, _node, _reply) { Ok(()) }
}

effect! {
    /// Creates a directory of file storage. Undo: removes it if it is empty.
    FileDirCreate(FileStorageDir) -> (), "file-dir-create",
    describe(effect) { format!("create directory {}", effect.0.path) }
    run(effect, node, _log) {
        node.file_storage_dir_create(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(effect, node, _reply) { node.file_storage_dir_remove(effect.0.clone()).await.map(|_| ()) }
}

effect! {
    /// Removes an empty directory of file storage. Not taken back: creating a disk makes it anew.
    FileDirRemove(FileStorageDir) -> (), "file-dir-remove",
    describe(effect) { format!("remove directory {}", effect.0.path) }
    run(effect, node, _log) {
        node.file_storage_dir_remove(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(_effect, _node, _reply) { Ok(()) }
}

effect! {
    /// Renames a directory of file storage. Undo: renames it back.
    FileDirRename(FileStorageDirRenameRequest) -> (), "file-dir-rename",
    describe(effect) { format!("rename directory {}", effect.0.old_path) }
    run(effect, node, _log) {
        node.file_storage_dir_rename(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(effect, node, _reply) {
        let back = FileStorageDirRenameRequest { old_path: effect.0.new_path.clone(), new_path: effect.0.old_path.clone() };
        node.file_storage_dir_rename(back).await.map(|_| ())
    }
}

/// Copies a disk from the step's node to another one. The copy is made anew after a crash; it is removed with the disk that
/// was created for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiskCopy {
    /// The disk on the source.
    pub disk: DiskRef,
    /// The disk on the target; it exists.
    pub target_disk: DiskRef,
    /// The target.
    pub target: gannet_core::config::Node,
    /// Name of the source node.
    pub source_name: String,
    /// The longest that it may take, in seconds.
    pub timeout_s: u32,
}

impl NodeEffect for DiskCopy {
    const NAME: &'static str = "disk-copy";
    type Reply = CopyProgress;

    fn describe(&self) -> String {
        format!("copy {} to node {}", name(&self.disk), self.target.name)
    }

    async fn run(&self, node: &NodeHandle, log: &JobLog) -> Result<Done<CopyProgress>, NodeError> {
        let target = node.sibling(&self.target)?;
        let prepare = DiskReceivePrepareRequest { disk: Some(self.target_disk.clone()), source_node: self.source_name.clone() };
        let ticket = target.disk_receive_prepare(prepare).await?;
        let request = DiskSendRequest {
            disk: Some(self.disk.clone()),
            target: Some(ticket),
            target_node: self.target.name.to_string(),
            timeout_s: self.timeout_s,
        };
        let mut told = 0;
        let result = node
            .disk_send(request, |progress| {
                let percent = (progress.copied_bytes * 100).checked_div(progress.total_bytes).unwrap_or(100);
                if percent >= told + 10 {
                    told = percent;
                    log.info(format!(" - {}: {percent}% copied", name(&self.disk)));
                }
            })
            .await?;
        if result.error.is_empty() { Ok(Done::Changed(result)) } else { Err(node.refused("disk_send", &result.error)) }
    }

    async fn undo(&self, _node: &NodeHandle, _reply: Option<&CopyProgress>) -> Result<(), NodeError> {
        Ok(())
    }
}

//! Files of the cluster, and its address.

use gannet_proto::node::{FileUploadRequest, MasterIpRequest, SsconfWriteRequest};

use super::{Done, effect};

effect! {
    /// Writes ssconf files. Not taken back: the next export writes them anew.
    SsconfWrite(SsconfWriteRequest) -> (), "ssconf-write",
    describe(_effect) { "write the ssconf files".to_owned() }
    run(effect, node, _log) {
        node.ssconf_write(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(_effect, _node, _reply) { Ok(()) }
}

effect! {
    /// Writes one of the cluster's files.
    FileUpload(FileUploadRequest) -> (), "file-upload",
    describe(effect) { format!("write {}", effect.0.path) }
    run(effect, node, _log) {
        node.file_upload(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(_effect, _node, _reply) { Ok(()) }
}

effect! {
    /// Takes the master address. Undo: gives it up.
    MasterIpStart(MasterIpRequest) -> (), "master-ip-start",
    describe(effect) { format!("take the master address {}", effect.0.ip) }
    run(effect, node, _log) {
        node.master_ip_start(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(effect, node, _reply) { node.master_ip_stop(effect.0.clone()).await.map(|_| ()) }
}

effect! {
    /// Gives the master address up. Undo: takes it again.
    MasterIpStop(MasterIpRequest) -> (), "master-ip-stop",
    describe(effect) { format!("give up the master address {}", effect.0.ip) }
    run(effect, node, _log) {
        node.master_ip_stop(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(effect, node, _reply) { node.master_ip_start(effect.0.clone()).await.map(|_| ()) }
}

//! One sample of each opcode, for tests that must not miss one.

use super::backup::{BackupExport, BackupPrepare, BackupRemove, ExportMode, ExportTarget};
use super::cluster::{
    ClusterActivateMasterIp, ClusterConfigQuery, ClusterDeactivateMasterIp, ClusterDestroy, ClusterPostInit, ClusterQuery,
    ClusterRedistConf, ClusterRename, ClusterRenewCrypto, ClusterRepairDiskSizes, ClusterSetParams, ClusterVerify, ClusterVerifyConfig,
    ClusterVerifyDisks, ClusterVerifyGroup,
};
use super::ext_storage::ExtStorageDiagnose;
use super::group::{GroupAdd, GroupAssignNodes, GroupEvacuate, GroupRemove, GroupRename, GroupSetParams, GroupVerifyDisks};
use super::instance::{
    InstanceActivateDisks, InstanceChangeGroup, InstanceConsole, InstanceCreate, InstanceCreateMode, InstanceDeactivateDisks,
    InstanceFailover, InstanceGrowDisk, InstanceMigrate, InstanceMove, InstanceMultiAlloc, InstanceQueryData, InstanceReboot,
    InstanceRecreateDisks, InstanceReinstall, InstanceRemove, InstanceRename, InstanceReplaceDisks, InstanceSetParams, InstanceShutdown,
    InstanceStartup, RebootType, ReplaceDisksMode,
};
use super::network::{NetworkAdd, NetworkConnect, NetworkDisconnect, NetworkRemove, NetworkRename, NetworkSetParams};
use super::node::{
    EvacMode, NodeAdd, NodeEvacuate, NodeMigrate, NodeModifyStorage, NodePowercycle, NodeQueryStorage, NodeQueryvols, NodeRemove,
    NodeSetParams, OobAction, OobCommand, RepairNodeStorage, RestrictedCommand,
};
use super::os::OsDiagnose;
use super::query::{Query, QueryFields, QueryResource};
use super::tags::{TagKind, TagsDel, TagsGet, TagsSearch, TagsSet};
use super::test::{AllocatorDirection, AllocatorMode, TestAllocator, TestDelay, TestDummy, TestJqueue, TestOsParams};
use super::{Dict, DiskParamsRequest, NicParam, NicParamsRequest, Op};
use crate::param::{NicMode, StorageType};

impl Op {
    /// One sample of each opcode, in the order of [`Op::ALL_IDS`]: required parameters set, the others at their default.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        vec![
            BackupExport::new("web1", ExportTarget::Node("node2".to_owned())).into(),
            BackupPrepare::new("web1", ExportMode::Local).into(),
            BackupRemove::new("web1").into(),
            ClusterActivateMasterIp::default().into(),
            ClusterConfigQuery::new(texts(&["name"])).into(),
            ClusterDeactivateMasterIp::default().into(),
            ClusterDestroy::default().into(),
            ClusterPostInit::default().into(),
            ClusterQuery::default().into(),
            ClusterRedistConf::default().into(),
            ClusterRename::new("sample").into(),
            ClusterRenewCrypto::default().into(),
            ClusterRepairDiskSizes::default().into(),
            ClusterSetParams::default().into(),
            ClusterVerify::default().into(),
            ClusterVerifyConfig::default().into(),
            ClusterVerifyDisks::default().into(),
            ClusterVerifyGroup::new("default").into(),
            ExtStorageDiagnose::new(texts(&["name"])).into(),
            GroupAdd::new("default").into(),
            GroupAssignNodes::new("default", texts(&["name"])).into(),
            GroupEvacuate::new("default").into(),
            GroupRemove::new("default").into(),
            GroupRename::new("default", "sample").into(),
            GroupSetParams::new("default").into(),
            GroupVerifyDisks::new("default").into(),
            InstanceActivateDisks::new("web1").into(),
            InstanceChangeGroup::new("web1").into(),
            InstanceConsole::new("web1").into(),
            InstanceCreate::new(
                "web1",
                vec![DiskParamsRequest::of_size(1024)],
                InstanceCreateMode::Create,
                vec![NicParamsRequest::default().with(NicParam::Mac, "auto")],
            )
            .into(),
            InstanceDeactivateDisks::new("web1").into(),
            InstanceFailover::new("web1").into(),
            InstanceGrowDisk::new("web1", 0, 1024).into(),
            InstanceMigrate::new("web1").into(),
            InstanceMove::new("web1", "sample").into(),
            InstanceMultiAlloc::default().into(),
            InstanceQueryData::default().into(),
            InstanceReboot::new("web1", RebootType::Hard).into(),
            InstanceRecreateDisks::new("web1").into(),
            InstanceReinstall::new("web1").into(),
            InstanceRemove::new("web1").into(),
            InstanceRename::new("web1", "sample").into(),
            InstanceReplaceDisks::new("web1", ReplaceDisksMode::OnPrimary).into(),
            InstanceSetParams::new("web1").into(),
            InstanceShutdown::new("web1").into(),
            InstanceStartup::new("web1").into(),
            NetworkAdd::new("net1", "192.0.2.0/24").into(),
            NetworkConnect::new("default", "net1", NicMode::Bridged, "sample").into(),
            NetworkDisconnect::new("default", "net1").into(),
            NetworkRemove::new("net1").into(),
            NetworkRename::new("net1", "sample").into(),
            NetworkSetParams::new("net1").into(),
            NodeAdd::new("node1").into(),
            NodeEvacuate::new("node1", EvacMode::PrimaryOnly).into(),
            NodeMigrate::new("node1").into(),
            NodeModifyStorage::new("node1", StorageType::LvmVg, Dict::new()).into(),
            NodePowercycle::new("node1").into(),
            NodeQueryvols::new(texts(&["name"])).into(),
            NodeQueryStorage::new(texts(&["name"])).into(),
            NodeRemove::new("node1").into(),
            NodeSetParams::new("node1").into(),
            OobCommand::new(OobAction::PowerStatus).into(),
            OsDiagnose::new(texts(&["name"])).into(),
            Query::new(QueryResource::Node, texts(&["name"])).into(),
            QueryFields::new(QueryResource::Node).into(),
            RepairNodeStorage::new("node1", StorageType::LvmVg).into(),
            RestrictedCommand::new(texts(&["name"]), "sample").into(),
            TagsDel::new(TagKind::Cluster, texts(&["name"])).into(),
            TagsGet::new(TagKind::Cluster).into(),
            TagsSearch::new("sample").into(),
            TagsSet::new(TagKind::Cluster, texts(&["name"])).into(),
            TestAllocator::new(AllocatorDirection::In, AllocatorMode::Allocate, "sample").into(),
            TestDelay::new(0.5).into(),
            TestDummy::default().into(),
            TestJqueue::default().into(),
            TestOsParams::default().into(),
        ]
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

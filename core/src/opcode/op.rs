//! The enum of all opcodes and what can be said of each without running it.

use serde_json::{Map, Value};

use super::backup::{BackupExport, BackupPrepare, BackupRemove};
use super::cluster::{
    ClusterActivateMasterIp, ClusterConfigQuery, ClusterDeactivateMasterIp, ClusterDestroy, ClusterPostInit, ClusterQuery,
    ClusterRedistConf, ClusterRename, ClusterRenewCrypto, ClusterRepairDiskSizes, ClusterSetParams, ClusterVerify, ClusterVerifyConfig,
    ClusterVerifyDisks, ClusterVerifyGroup,
};
use super::ext_storage::ExtStorageDiagnose;
use super::group::{GroupAdd, GroupAssignNodes, GroupEvacuate, GroupRemove, GroupRename, GroupSetParams, GroupVerifyDisks};
use super::instance::{
    InstanceActivateDisks, InstanceChangeGroup, InstanceConsole, InstanceCreate, InstanceDeactivateDisks, InstanceFailover,
    InstanceGrowDisk, InstanceMigrate, InstanceMove, InstanceMultiAlloc, InstanceQueryData, InstanceReboot, InstanceRecreateDisks,
    InstanceReinstall, InstanceRemove, InstanceRename, InstanceReplaceDisks, InstanceSetParams, InstanceShutdown, InstanceStartup,
};
use super::network::{NetworkAdd, NetworkConnect, NetworkDisconnect, NetworkRemove, NetworkRename, NetworkSetParams};
use super::node::{
    NodeAdd, NodeEvacuate, NodeMigrate, NodeModifyStorage, NodePowercycle, NodeQueryStorage, NodeQueryvols, NodeRemove, NodeSetParams,
    OobCommand, RepairNodeStorage, RestrictedCommand,
};
use super::os::OsDiagnose;
use super::query::{Query, QueryFields};
use super::tags::{TagsDel, TagsGet, TagsSearch, TagsSet};
use super::test::{TestAllocator, TestDelay, TestDummy, TestJqueue, TestOsParams};

use super::{Error, HookPath, HookType, Parameters, read};

/// Declares the enum and the functions that do the same for each member, so that an opcode cannot be forgotten in one.
macro_rules! opcodes {
    ($($name:ident($held:ty),)+) => {
        /// An opcode with its own parameters.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Op {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($held),)+
        }

        impl Op {
            /// The names of all opcodes, sorted.
            pub const ALL_IDS: &'static [&'static str] = &[$($name::OP_ID,)+];

            /// The name on the wire, e.g. `OP_INSTANCE_STARTUP`.
            #[must_use]
            pub fn id(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $name::OP_ID,)+
                }
            }

            /// The hooks that run around it; `None` when there are none.
            #[must_use]
            pub fn hooks(&self) -> Option<(HookPath, HookType)> {
                match self {
                    $(Self::$name(_) => $name::HOOKS,)+
                }
            }

            /// Whether it runs alone, under the exclusive cluster lock.
            #[must_use]
            pub fn needs_bgl(&self) -> bool {
                match self {
                    $(Self::$name(_) => $name::NEEDS_BGL,)+
                }
            }

            fn subject(&self) -> Option<String> {
                match self {
                    $(Self::$name(op) => op.subject(),)+
                }
            }

            /// Reads the parameters of the opcode `op_id`.
            pub(super) fn read(op_id: &str, parameters: Map<String, Value>) -> Result<Self, Error> {
                match op_id {
                    $($name::OP_ID => Ok(read::parameters::<$name>($name::OP_ID, parameters)?.into()),)+
                    _ => Err(Error::UnknownOpId(op_id.to_owned())),
                }
            }

            /// The parameters as a JSON object, without `OP_ID`.
            ///
            /// # Errors
            /// Never for values that were read from JSON; a float that is no number cannot be written.
            pub(super) fn write(&self) -> serde_json::Result<Value> {
                match self {
                    $(Self::$name(op) => serde_json::to_value(op),)+
                }
            }
        }

        $(impl From<$name> for Op {
            fn from(parameters: $name) -> Self {
                Self::$name(<$held>::from(parameters))
            }
        })+
    };
}

opcodes! {
    BackupExport(BackupExport),
    BackupPrepare(BackupPrepare),
    BackupRemove(BackupRemove),
    ClusterActivateMasterIp(ClusterActivateMasterIp),
    ClusterConfigQuery(ClusterConfigQuery),
    ClusterDeactivateMasterIp(ClusterDeactivateMasterIp),
    ClusterDestroy(ClusterDestroy),
    ClusterPostInit(ClusterPostInit),
    ClusterQuery(ClusterQuery),
    ClusterRedistConf(ClusterRedistConf),
    ClusterRename(ClusterRename),
    ClusterRenewCrypto(ClusterRenewCrypto),
    ClusterRepairDiskSizes(ClusterRepairDiskSizes),
    ClusterSetParams(Box<ClusterSetParams>),
    ClusterVerify(ClusterVerify),
    ClusterVerifyConfig(ClusterVerifyConfig),
    ClusterVerifyDisks(ClusterVerifyDisks),
    ClusterVerifyGroup(ClusterVerifyGroup),
    ExtStorageDiagnose(ExtStorageDiagnose),
    GroupAdd(GroupAdd),
    GroupAssignNodes(GroupAssignNodes),
    GroupEvacuate(GroupEvacuate),
    GroupRemove(GroupRemove),
    GroupRename(GroupRename),
    GroupSetParams(GroupSetParams),
    GroupVerifyDisks(GroupVerifyDisks),
    InstanceActivateDisks(InstanceActivateDisks),
    InstanceChangeGroup(InstanceChangeGroup),
    InstanceConsole(InstanceConsole),
    InstanceCreate(Box<InstanceCreate>),
    InstanceDeactivateDisks(InstanceDeactivateDisks),
    InstanceFailover(InstanceFailover),
    InstanceGrowDisk(InstanceGrowDisk),
    InstanceMigrate(InstanceMigrate),
    InstanceMove(InstanceMove),
    InstanceMultiAlloc(InstanceMultiAlloc),
    InstanceQueryData(InstanceQueryData),
    InstanceReboot(InstanceReboot),
    InstanceRecreateDisks(InstanceRecreateDisks),
    InstanceReinstall(InstanceReinstall),
    InstanceRemove(InstanceRemove),
    InstanceRename(InstanceRename),
    InstanceReplaceDisks(InstanceReplaceDisks),
    InstanceSetParams(Box<InstanceSetParams>),
    InstanceShutdown(InstanceShutdown),
    InstanceStartup(InstanceStartup),
    NetworkAdd(NetworkAdd),
    NetworkConnect(NetworkConnect),
    NetworkDisconnect(NetworkDisconnect),
    NetworkRemove(NetworkRemove),
    NetworkRename(NetworkRename),
    NetworkSetParams(NetworkSetParams),
    NodeAdd(NodeAdd),
    NodeEvacuate(NodeEvacuate),
    NodeMigrate(NodeMigrate),
    NodeModifyStorage(NodeModifyStorage),
    NodePowercycle(NodePowercycle),
    NodeQueryvols(NodeQueryvols),
    NodeQueryStorage(NodeQueryStorage),
    NodeRemove(NodeRemove),
    NodeSetParams(NodeSetParams),
    OobCommand(OobCommand),
    OsDiagnose(OsDiagnose),
    Query(Query),
    QueryFields(QueryFields),
    RepairNodeStorage(RepairNodeStorage),
    RestrictedCommand(RestrictedCommand),
    TagsDel(TagsDel),
    TagsGet(TagsGet),
    TagsSearch(TagsSearch),
    TagsSet(TagsSet),
    TestAllocator(TestAllocator),
    TestDelay(TestDelay),
    TestDummy(TestDummy),
    TestJqueue(TestJqueue),
    TestOsParams(TestOsParams),
}

impl Op {
    /// The member of [`Op::ALL_IDS`] equal to `op_id`; `None` when there is no such opcode.
    #[must_use]
    pub fn known_id(op_id: &str) -> Option<&'static str> {
        Self::ALL_IDS.iter().find(|id| **id == op_id).copied()
    }

    /// What job listings show: `INSTANCE_STARTUP(web1)`.
    #[must_use]
    pub fn summary(&self) -> String {
        let name = self.id().trim_start_matches("OP_");
        match self.subject() {
            Some(subject) => format!("{name}({subject})"),
            None => name.to_owned(),
        }
    }

    /// The shortest form, for process titles: `I_STARTUP`.
    #[must_use]
    pub fn tiny_summary(&self) -> String {
        const SHORT: [(&str, &str); 4] = [("CLUSTER_", "C_"), ("GROUP_", "G_"), ("NODE_", "N_"), ("INSTANCE_", "I_")];
        let name = self.id().trim_start_matches("OP_");
        let short = SHORT.iter().find_map(|(long, short)| Some(format!("{short}{}", name.strip_prefix(long)?)));
        short.unwrap_or_else(|| name.to_owned())
    }
}

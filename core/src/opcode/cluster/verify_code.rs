//! What `gnt-cluster verify` can find and what it can leave out.

use crate::param::closed_set;

closed_set! {
    /// A finding of the verification.
    pub enum VerifyCode ("verification code") {
        /// A certificate of the cluster is wrong or about to expire.
        ClusterCert = "ECLUSTERCERT",
        /// The configuration contradicts itself.
        ClusterCfg = "ECLUSTERCFG",
        /// A client certificate is missing or wrong.
        ClusterClientCert = "ECLUSTERCLIENTCERT",
        /// An instance is on a node that does not exist.
        ClusterDanglingInst = "ECLUSTERDANGLINGINST",
        /// A node is in a node group that does not exist.
        ClusterDanglingNodes = "ECLUSTERDANGLINGNODES",
        /// A file that all nodes share is missing or differs.
        ClusterFileCheck = "ECLUSTERFILECHECK",
        /// Two instances with the same exclusion tag share a node.
        ExTags = "EEXTAGS",
        /// Physical volumes in a group differ too much in size.
        GroupDifferentPvSize = "EGROUPDIFFERENTPVSIZE",
        /// An instance is on a node that is offline or cannot host it.
        InstanceBadNode = "EINSTANCEBADNODE",
        /// An instance should run but does not.
        InstanceDown = "EINSTANCEDOWN",
        /// A disk is faulty or its state unknown.
        InstanceFaultyDisk = "EINSTANCEFAULTYDISK",
        /// The disks do not fit the disk template.
        InstanceLayout = "EINSTANCELAYOUT",
        /// An instance lacks a parameter in the configuration.
        InstanceMissingCfgParameter = "EINSTANCEMISSINGCFGPARAMETER",
        /// A volume of an instance is missing.
        InstanceMissingDisk = "EINSTANCEMISSINGDISK",
        /// An instance violates the instance policy.
        InstancePolicy = "EINSTANCEPOLICY",
        /// An instance spans node groups.
        InstanceSplitGroups = "EINSTANCESPLITGROUPS",
        /// A node is not fit for an instance.
        InstanceUnsuitableNode = "EINSTANCEUNSUITABLENODE",
        /// An instance runs on a node that is not its primary one.
        InstanceWrongNode = "EINSTANCEWRONGNODE",
        /// DRBD on a node does not match the configuration.
        NodeDrbd = "ENODEDRBD",
        /// The DRBD helper of a node is wrong.
        NodeDrbdHelper = "ENODEDRBDHELPER",
        /// Nodes differ in their version of DRBD.
        NodeDrbdVersion = "ENODEDRBDVERSION",
        /// A file of a node is missing or differs.
        NodeFileCheck = "ENODEFILECHECK",
        /// A directory for file storage is forbidden.
        NodeFileStoragePaths = "ENODEFILESTORAGEPATHS",
        /// The directory for file storage cannot be used.
        NodeFileStoragePathUnusable = "ENODEFILESTORAGEPATHUNUSABLE",
        /// The directory for GlusterFS cannot be used.
        NodeGlusterStoragePathUnusable = "ENODEGLUSTERSTORAGEPATHUNUSABLE",
        /// A verification hook failed.
        NodeHooks = "ENODEHOOKS",
        /// The hypervisor of a node reports a problem.
        NodeHv = "ENODEHV",
        /// LVM on a node is wrong.
        NodeLvm = "ENODELVM",
        /// A node could not take over what would fail over to it.
        NodeN1 = "ENODEN1",
        /// Nodes do not reach each other.
        NodeNet = "ENODENET",
        /// The out-of-band program is missing or not executable.
        NodeOobPath = "ENODEOOBPATH",
        /// A guest runs that is no instance.
        NodeOrphanInstance = "ENODEORPHANINSTANCE",
        /// A volume belongs to no instance.
        NodeOrphanLv = "ENODEORPHANLV",
        /// OS definitions on the nodes differ or are broken.
        NodeOs = "ENODEOS",
        /// A node does not answer.
        NodeRpc = "ENODERPC",
        /// A node is not set up properly.
        NodeSetup = "ENODESETUP",
        /// The directory for shared files cannot be used.
        NodeSharedFileStoragePathUnusable = "ENODESHAREDFILESTORAGEPATHUNUSABLE",
        /// SSH between nodes does not work.
        NodeSsh = "ENODESSH",
        /// The clock of a node is off.
        NodeTime = "ENODETIME",
        /// A script of the administrator is missing or not executable.
        NodeUserScripts = "ENODEUSERSCRIPTS",
        /// A node runs another version.
        NodeVersion = "ENODEVERSION",
    }
}

closed_set! {
    /// The kind of object a finding is about.
    pub enum VerifyScope ("verification scope") {
        /// The cluster.
        Cluster = "cluster",
        /// A node group.
        Group = "group",
        /// An instance.
        Instance = "instance",
        /// A node.
        Node = "node",
    }
}

impl VerifyCode {
    /// The kind of object that the report names.
    #[must_use]
    pub fn scope(self) -> VerifyScope {
        match self {
            Self::ClusterCert | Self::ClusterCfg | Self::ClusterClientCert | Self::ClusterFileCheck => VerifyScope::Cluster,
            Self::GroupDifferentPvSize => VerifyScope::Group,
            Self::InstanceBadNode
            | Self::InstanceDown
            | Self::InstanceFaultyDisk
            | Self::InstanceLayout
            | Self::InstanceMissingCfgParameter
            | Self::InstanceMissingDisk
            | Self::InstancePolicy
            | Self::InstanceSplitGroups
            | Self::InstanceUnsuitableNode
            | Self::InstanceWrongNode => VerifyScope::Instance,
            Self::ClusterDanglingInst
            | Self::ClusterDanglingNodes
            | Self::ExTags
            | Self::NodeDrbd
            | Self::NodeDrbdHelper
            | Self::NodeDrbdVersion
            | Self::NodeFileCheck
            | Self::NodeFileStoragePaths
            | Self::NodeFileStoragePathUnusable
            | Self::NodeGlusterStoragePathUnusable
            | Self::NodeHooks
            | Self::NodeHv
            | Self::NodeLvm
            | Self::NodeN1
            | Self::NodeNet
            | Self::NodeOobPath
            | Self::NodeOrphanInstance
            | Self::NodeOrphanLv
            | Self::NodeOs
            | Self::NodeRpc
            | Self::NodeSetup
            | Self::NodeSharedFileStoragePathUnusable
            | Self::NodeSsh
            | Self::NodeTime
            | Self::NodeUserScripts
            | Self::NodeVersion => VerifyScope::Node,
        }
    }
}

closed_set! {
    /// A check that can be left out.
    pub enum VerifyOptional ("optional check") {
        /// Advice about hypervisor parameters.
        HvparamAssessment = "hvparam_assessment",
        /// Whether nodes can take over what would fail over to them.
        NplusoneMem = "nplusone_mem",
    }
}

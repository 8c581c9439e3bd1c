//! Static facts about hooks: which directory an opcode's scripts lie in and what kind of object they are about.

use crate::param::closed_set;

closed_set! {
    /// The directory of hook scripts that belongs to an operation, without the phase.
    pub enum HookPath ("hook path") {
        /// The cluster is destroyed.
        ClusterDestroy = "cluster-destroy",
        /// The cluster has just been created.
        ClusterInit = "cluster-init",
        /// The cluster is modified.
        ClusterModify = "cluster-modify",
        /// The cluster gets a new name.
        ClusterRename = "cluster-rename",
        /// The cluster is verified.
        ClusterVerify = "cluster-verify",
        /// A disk of an instance is enlarged.
        DiskGrow = "disk-grow",
        /// A node group is added.
        GroupAdd = "group-add",
        /// A node group is emptied.
        GroupEvacuate = "group-evacuate",
        /// A node group is modified.
        GroupModify = "group-modify",
        /// A node group is removed.
        GroupRemove = "group-remove",
        /// A node group gets a new name.
        GroupRename = "group-rename",
        /// An instance is added.
        InstanceAdd = "instance-add",
        /// An instance goes to another node group.
        InstanceChangeGroup = "instance-change-group",
        /// An instance is exported.
        InstanceExport = "instance-export",
        /// An instance fails over to another node.
        InstanceFailover = "instance-failover",
        /// An instance is migrated.
        InstanceMigrate = "instance-migrate",
        /// An instance is modified.
        InstanceModify = "instance-modify",
        /// An instance is moved to another node.
        InstanceMove = "instance-move",
        /// An instance is rebooted.
        InstanceReboot = "instance-reboot",
        /// Lost disks of an instance are created anew.
        InstanceRecreateDisks = "instance-recreate-disks",
        /// An instance gets its OS anew.
        InstanceReinstall = "instance-reinstall",
        /// An instance is removed.
        InstanceRemove = "instance-remove",
        /// An instance gets a new name.
        InstanceRename = "instance-rename",
        /// An instance is started.
        InstanceStart = "instance-start",
        /// An instance is shut down.
        InstanceStop = "instance-stop",
        /// The master IP address goes down on a node; no opcode.
        MasterIpTurndown = "master-ip-turndown",
        /// The master IP address comes up on a node; no opcode.
        MasterIpTurnup = "master-ip-turnup",
        /// Mirrored disks of an instance are rebuilt.
        MirrorsReplace = "mirrors-replace",
        /// A network is added.
        NetworkAdd = "network-add",
        /// A network is connected to a node group.
        NetworkConnect = "network-connect",
        /// A network is disconnected from a node group.
        NetworkDisconnect = "network-disconnect",
        /// A network is modified.
        NetworkModify = "network-modify",
        /// A network is removed.
        NetworkRemove = "network-remove",
        /// A network gets a new name.
        NetworkRename = "network-rename",
        /// A node is added.
        NodeAdd = "node-add",
        /// All primary instances of a node are migrated away.
        NodeMigrate = "node-migrate",
        /// A node is modified.
        NodeModify = "node-modify",
        /// A node is removed.
        NodeRemove = "node-remove",
    }
}

closed_set! {
    /// The kind of object that hooks are about (`GANETI_OBJECT_TYPE`).
    pub enum HookType ("hook type") {
        /// The cluster itself.
        Cluster = "CLUSTER",
        /// A node group.
        Group = "GROUP",
        /// An instance.
        Instance = "INSTANCE",
        /// A network.
        Network = "NETWORK",
        /// A node.
        Node = "NODE",
    }
}

//! Kinds of things that parameters belong to: hypervisors, disk templates, NIC modes and their like.

use super::closed_set;

closed_set! {
    /// How guests are run.
    pub enum HypervisorKind ("hypervisor") {
        /// Plain chroots, without isolation.
        Chroot = "chroot",
        /// Nothing runs; state is kept in files. For tests.
        Fake = "fake",
        /// QEMU/KVM.
        Kvm = "kvm",
        /// Linux containers.
        Lxc = "lxc",
        /// Xen with full virtualization.
        XenHvm = "xen-hvm",
        /// Xen with paravirtualization.
        XenPvm = "xen-pvm",
    }
}

closed_set! {
    /// How the disks of an instance are stored.
    pub enum DiskTemplate ("disk template") {
        /// An existing block device, the same on all nodes.
        BlockDev = "blockdev",
        /// No disks at all.
        Diskless = "diskless",
        /// LVM volumes mirrored to a second node by DRBD.
        Drbd = "drbd",
        /// An external storage provider.
        Ext = "ext",
        /// Files on the primary node.
        File = "file",
        /// Files on GlusterFS.
        Gluster = "gluster",
        /// LVM volumes on the primary node.
        Plain = "plain",
        /// RADOS block devices (Ceph).
        Rbd = "rbd",
        /// Files in a directory that all nodes share.
        SharedFile = "sharedfile",
    }
}

impl DiskTemplate {
    /// Mirrored by Ganeti itself: the instance has a secondary node.
    #[must_use]
    pub fn is_int_mirrored(self) -> bool {
        self == Self::Drbd
    }

    /// Reachable from every node without Ganeti's doing (Ganeti: DTS_EXT_MIRROR).
    #[must_use]
    pub fn is_ext_mirrored(self) -> bool {
        matches!(self, Self::BlockDev | Self::Diskless | Self::Ext | Self::Gluster | Self::Rbd | Self::SharedFile)
    }

    /// Can run on more than one node without copying data.
    #[must_use]
    pub fn is_mirrored(self) -> bool {
        self.is_int_mirrored() || self.is_ext_mirrored()
    }

    /// Kept as files (Ganeti: DTS_FILEBASED).
    #[must_use]
    pub fn is_file_based(self) -> bool {
        matches!(self, Self::File | Self::Gluster | Self::SharedFile)
    }

    /// Kept in an LVM volume group.
    #[must_use]
    pub fn is_lvm(self) -> bool {
        matches!(self, Self::Drbd | Self::Plain)
    }

    /// Disks can be enlarged (Ganeti: DTS_GROWABLE).
    #[must_use]
    pub fn is_growable(self) -> bool {
        !matches!(self, Self::BlockDev | Self::Diskless)
    }

    /// Disks can be copied to another node by `move` (Ganeti: DTS_COPYABLE).
    #[must_use]
    pub fn is_copyable(self) -> bool {
        matches!(self, Self::File | Self::Plain)
    }

    /// Existing storage can be taken over instead of being created (Ganeti: DTS_MAY_ADOPT).
    #[must_use]
    pub fn may_adopt(self) -> bool {
        matches!(self, Self::BlockDev | Self::Plain)
    }

    /// Storage is always taken over (Ganeti: DTS_MUST_ADOPT).
    #[must_use]
    pub fn must_adopt(self) -> bool {
        self == Self::BlockDev
    }

    /// Free space is not checked before disks are made (Ganeti: DTS_NO_FREE_SPACE_CHECK).
    #[must_use]
    pub fn skips_free_space_check(self) -> bool {
        matches!(self, Self::Ext | Self::File | Self::Gluster | Self::Rbd | Self::SharedFile)
    }

    /// Can be used on nodes with exclusive storage (Ganeti: DTS_EXCL_STORAGE).
    #[must_use]
    pub fn allows_exclusive_storage(self) -> bool {
        self == Self::Plain
    }

    /// Disks can be snapshot for a consistent export (Ganeti: DTS_SNAPSHOT_CAPABLE).
    #[must_use]
    pub fn is_snapshot_capable(self) -> bool {
        matches!(self, Self::Drbd | Self::Ext | Self::Plain)
    }

    /// The kind of storage that the disks are taken from.
    #[must_use]
    pub fn storage_type(self) -> StorageType {
        match self {
            Self::BlockDev => StorageType::BlockDev,
            Self::Diskless => StorageType::Diskless,
            Self::Drbd | Self::Plain => StorageType::LvmVg,
            Self::Ext => StorageType::Ext,
            Self::File => StorageType::File,
            Self::Gluster => StorageType::Gluster,
            Self::Rbd => StorageType::Rados,
            Self::SharedFile => StorageType::SharedFile,
        }
    }
}

closed_set! {
    /// Where storage on a node comes from, as storage reports and repairs name it.
    pub enum StorageType ("storage type") {
        /// Existing block devices.
        BlockDev = "blockdev",
        /// None.
        Diskless = "diskless",
        /// An external storage provider.
        Ext = "ext",
        /// A directory on the node.
        File = "file",
        /// A GlusterFS volume.
        Gluster = "gluster",
        /// An LVM physical volume.
        LvmPv = "lvm-pv",
        /// An LVM volume group.
        LvmVg = "lvm-vg",
        /// A RADOS pool.
        Rados = "rados",
        /// A directory that all nodes share.
        SharedFile = "sharedfile",
    }
}

closed_set! {
    /// How file-based disks are given to a Xen guest.
    pub enum FileDriver ("file driver") {
        /// Xen's blktap.
        Blktap = "blktap",
        /// Xen's blktap2.
        Blktap2 = "blktap2",
        /// A loop device.
        Loop = "loop",
    }
}

closed_set! {
    /// How a NIC is joined to the network of its node.
    pub enum NicMode ("NIC mode") {
        /// The link is a bridge.
        Bridged = "bridged",
        /// The link is an Open vSwitch.
        OpenVswitch = "openvswitch",
        /// Not a mode of its own: take mode and link from the network.
        Pool = "pool",
        /// The link is a routing table.
        Routed = "routed",
    }
}

closed_set! {
    /// How a guest is carried to another node.
    pub enum MigrationMode ("migration mode") {
        /// It keeps running but for a short pause.
        Live = "live",
        /// It is paused for the whole transfer.
        NonLive = "non-live",
    }
}

closed_set! {
    /// Whether new instances may go to a node group.
    pub enum AllocPolicy ("allocation policy") {
        /// When no preferred group has room.
        LastResort = "last_resort",
        /// The normal case.
        Preferred = "preferred",
        /// Never.
        Unallocable = "unallocable",
    }
}

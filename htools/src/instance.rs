//! Instances: what they need, and what may be done with them.

use gannet_core::param::DiskTemplate;

use crate::id::NodeId;

/// What is known of an instance. Where it is at the moment is in [`State`](crate::State).
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// The name without the suffix that all names share; plans print it.
    pub alias: String,
    /// In MiB.
    pub memory: i64,
    /// Of all disks, in MiB.
    pub disk: i64,
    /// Each of them.
    pub disks: Vec<Disk>,
    /// Virtual CPUs.
    pub vcpus: i64,
    /// How it was at loading.
    pub status: Status,
    /// Whether memory is reserved for it on its secondary node, and whether it is balanced.
    pub auto_balance: bool,
    /// How its disks are kept.
    pub template: DiskTemplate,
    /// Pressure on the spindles of nodes without exclusive storage.
    pub spindle_use: i64,
    /// All of its tags.
    pub tags: Vec<String>,
    /// Networks of its NICs; `None`: a NIC without one.
    pub nics: Vec<Option<String>>,
    /// It is only planned: it will take its room some day.
    pub forthcoming: bool,
    /// It may be moved: its template can be, it was selected, and it is within one group.
    pub movable: bool,
    /// Load: CPU, memory, disk, network.
    pub load: [f64; 4],
    /// Exclusion tags (indices into [`Cluster::words`](crate::Cluster::words)), in the order of its tags, repetitions included.
    pub exclusion: Vec<u32>,
    /// Node tags that it wishes for on its primary node, sorted.
    pub wishes: Vec<u32>,
    /// Its primary node at loading.
    pub primary: NodeId,
    /// Its secondary node at loading.
    pub secondary: Option<NodeId>,
}

/// One disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// In MiB.
    pub size: i64,
    /// Spindles, where they are a resource.
    pub spindles: Option<i64>,
}

/// What an instance was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `ADMIN_down`.
    Down,
    /// `ADMIN_offline`.
    Offline,
    /// Down although it should run.
    ErrorDown,
    /// Up although it should not run.
    ErrorUp,
    /// Its node does not answer.
    NodeDown,
    /// Its node is marked offline.
    NodeOffline,
    /// Runs.
    Running,
    /// Shut down from inside.
    UserDown,
    /// Runs on another node than it should.
    WrongNode,
}

/// How disks come to another node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirror {
    /// Not at all.
    None,
    /// There is a copy on the secondary node.
    Internal,
    /// Every node reaches them.
    External,
}

impl Status {
    /// All, with their names on the wire.
    pub const NAMES: [(Self, &'static str); 9] = [
        (Self::Down, "ADMIN_down"),
        (Self::Offline, "ADMIN_offline"),
        (Self::ErrorDown, "ERROR_down"),
        (Self::ErrorUp, "ERROR_up"),
        (Self::NodeDown, "ERROR_nodedown"),
        (Self::NodeOffline, "ERROR_nodeoffline"),
        (Self::Running, "running"),
        (Self::UserDown, "USER_down"),
        (Self::WrongNode, "ERROR_wrongnode"),
    ];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(status, _)| *status == self).map_or("", |(_, name)| name)
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, name)| *name == text).map(|(status, _)| *status)
    }
}

impl Instance {
    /// An instance with nothing but a name and its sizes, on no node yet (`primary` is the first node until it is placed).
    #[must_use]
    pub fn new(name: &str, template: DiskTemplate, disks: Vec<Disk>) -> Self {
        Self {
            name: name.to_owned(),
            alias: name.to_owned(),
            memory: 0,
            disk: disks.iter().map(|disk| disk.size).sum(),
            disks,
            vcpus: 0,
            status: Status::Running,
            auto_balance: true,
            template,
            spindle_use: 1,
            tags: Vec::new(),
            nics: Vec::new(),
            forthcoming: false,
            movable: can_move(template),
            load: [1.0; 4],
            exclusion: Vec::new(),
            wishes: Vec::new(),
            primary: NodeId::new(0),
            secondary: None,
        }
    }

    /// Runs, as far as is known.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.status, Status::Running | Status::ErrorUp)
    }

    /// Whether it takes CPU and reserved memory: everything but `ADMIN_offline`.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.status != Status::Offline
    }

    /// Whether it takes memory of its primary node now.
    #[must_use]
    pub fn uses_memory(&self) -> bool {
        !self.forthcoming
            && matches!(self.status, Status::ErrorUp | Status::NodeDown | Status::NodeOffline | Status::Running | Status::WrongNode)
    }

    /// Memory that its secondary node reserves for it.
    #[must_use]
    pub fn reserves(&self) -> i64 {
        if self.is_online() && self.auto_balance { self.memory } else { 0 }
    }

    /// Whether it has a secondary node.
    #[must_use]
    pub fn has_secondary(&self) -> bool {
        self.template == DiskTemplate::Drbd
    }

    /// Nodes that a new one needs.
    #[must_use]
    pub fn required_nodes(&self) -> usize {
        if self.has_secondary() { 2 } else { 1 }
    }

    /// Whether its disks take room on its nodes.
    #[must_use]
    pub fn uses_local_disk(&self) -> bool {
        matches!(self.template, DiskTemplate::Drbd | DiskTemplate::Plain)
    }

    /// How its disks come to another node.
    #[must_use]
    pub fn mirror(&self) -> Mirror {
        match self.template {
            DiskTemplate::Drbd => Mirror::Internal,
            DiskTemplate::Plain | DiskTemplate::File => Mirror::None,
            _ => Mirror::External,
        }
    }

    /// Spindles of all disks; `None` when one is not known.
    #[must_use]
    pub fn total_spindles(&self) -> Option<i64> {
        self.disks.iter().map(|disk| disk.spindles).sum()
    }
}

/// Whether instances of this template can be moved at all.
#[must_use]
pub fn can_move(template: DiskTemplate) -> bool {
    !matches!(template, DiskTemplate::Diskless | DiskTemplate::File | DiskTemplate::Plain)
}

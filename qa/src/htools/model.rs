//! A cluster as the generator makes it, before it is written in one of the formats that the tools read.

/// A node group. Its UUID is `uuid-NAME`.
#[derive(Debug, Clone)]
pub struct Group {
    pub name: String,
    /// `preferred`, `last_resort` or `unallocable`.
    pub alloc_policy: &'static str,
}

impl Group {
    #[must_use]
    pub fn uuid(&self) -> String {
        format!("uuid-{}", self.name)
    }
}

/// Sizes are in MiB.
#[derive(Debug, Clone)]
pub struct Node {
    pub name: String,
    pub group: usize,
    pub memory: u64,
    /// What the host itself uses.
    pub own_memory: u64,
    /// What the hypervisor reports as free.
    pub free_memory: u64,
    pub disk: u64,
    pub free_disk: u64,
    pub cpus: u64,
    pub own_cpus: u64,
    /// Of 1.0; printed with two digits.
    pub cpu_speed: f64,
    /// `Y`: offline, `M`: the master, `N`: any other.
    pub state: char,
    pub spindles: u64,
    pub free_spindles: u64,
    pub exclusive_storage: bool,
    pub tags: Vec<String>,
}

/// Sizes are in MiB.
#[derive(Debug, Clone)]
pub struct Instance {
    pub name: String,
    pub memory: u64,
    pub disk: u64,
    pub vcpus: u64,
    /// A status as `gnt-instance list` words it.
    pub status: &'static str,
    pub auto_balance: bool,
    pub primary: usize,
    pub secondary: Option<usize>,
    pub template: &'static str,
    pub tags: Vec<String>,
    pub spindle_use: u64,
    pub spindles: Option<u64>,
    pub forthcoming: bool,
}

impl Instance {
    /// Whether the status means that it takes memory on its primary node.
    #[must_use]
    pub fn uses_memory(&self) -> bool {
        !self.forthcoming && matches!(self.status, "running" | "ERROR_up" | "ERROR_nodedown" | "ERROR_nodeoffline" | "ERROR_wrongnode")
    }

    /// Whether its disks take space that nodes count.
    #[must_use]
    pub fn uses_disk(&self) -> bool {
        !self.forthcoming && matches!(self.template, "drbd" | "plain")
    }
}

/// Memory MiB, vCPUs, disk MiB, disks, NICs, spindle use.
pub type Spec = [u64; 6];

/// An instance policy; of the cluster when it has no group.
#[derive(Debug, Clone)]
pub struct Policy {
    pub group: Option<usize>,
    pub standard: Spec,
    /// Pairs of least and most.
    pub ranges: Vec<(Spec, Spec)>,
    pub templates: Vec<&'static str>,
    pub vcpu_ratio: f64,
    pub spindle_ratio: f64,
}

/// All of it.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub groups: Vec<Group>,
    pub nodes: Vec<Node>,
    pub instances: Vec<Instance>,
    pub tags: Vec<String>,
    pub policies: Vec<Policy>,
}

impl Cluster {
    /// The instance policy of a group: its own, else the cluster's.
    #[must_use]
    pub fn policy(&self, group: usize) -> Option<&Policy> {
        let of = |wanted| self.policies.iter().find(move |policy| policy.group == wanted);
        of(Some(group)).or_else(|| of(None))
    }
}

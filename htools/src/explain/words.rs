//! An explanation in words.

use super::limit::OutOfPolicy;
use super::{Change, Closed, Explanation, Limit, Question, Role};
use crate::cluster::Cluster;
use crate::id::NodeId;

/// So many nodes are told by name for each kind of limit.
const NAMED: usize = 3;

impl Explanation {
    /// One sentence for each thing that stands in the way, then one for what would help.
    #[must_use]
    pub fn sentences(&self, question: &Question<'_>) -> Vec<String> {
        let cluster = question.cluster;
        let instance = cluster.instance(question.id);
        let mut all: Vec<String> =
            self.closed.iter().map(|(group, closed)| format!("group {} {}", cluster.group(*group).name, closed.words())).collect();
        for kind in self.obstacles.chunk_by(|a, b| (a.role, a.limit.kind()) == (b.role, b.limit.kind())) {
            let Some(first) = kind.first() else { continue };
            let role = if instance.has_secondary() {
                if first.role == Role::Primary { " as the primary node" } else { " as the secondary node" }
            } else {
                ""
            };
            let named: Vec<String> = kind
                .iter()
                .take(NAMED)
                .map(|obstacle| format!("{} ({})", cluster.node(obstacle.node).name, obstacle.limit.words()))
                .collect();
            let more = if kind.len() > NAMED { format!(" and {} more", kind.len() - NAMED) } else { String::new() };
            all.push(format!("{}{role}: {}{more}", first.limit.title(), named.join(", ")));
        }
        if !self.lost_already.is_empty() {
            all.push(format!("N+1: the loss of {} cannot be made up for even now", names(cluster, &self.lost_already)));
        }
        if !self.lost.is_empty() {
            all.push(format!("N+1: with it, the loss of {} could not be made up for", names(cluster, &self.lost)));
        }
        let changes: Vec<String> = self.changes.iter().map(|change| change.words(question)).collect();
        all.push(if changes.is_empty() {
            "no single change makes it fit".to_owned()
        } else {
            format!("it fits with {}", changes.join(", or "))
        });
        all
    }

    /// All in one line.
    #[must_use]
    pub fn line(&self, question: &Question<'_>) -> String {
        self.sentences(question).join("; ")
    }
}

fn names(cluster: &Cluster, nodes: &[NodeId]) -> String {
    let named: Vec<&str> = nodes.iter().take(NAMED).map(|node| cluster.node(*node).name.as_str()).collect();
    let more = if nodes.len() > NAMED { format!(" and {} more", nodes.len() - NAMED) } else { String::new() };
    format!("{}{more}", named.join(", "))
}

impl Closed {
    fn words(&self) -> String {
        match self {
            Self::Unallocable => "takes no new instances (allocation policy unallocable)".to_owned(),
            Self::Network(uuid) => format!("is not connected to the network {uuid}"),
            Self::Policy(out) => format!("does not allow it: {}", out.words()),
            Self::TooFewNodes(have, need) => format!("has {have} usable node(s) of {need} that are needed"),
        }
    }
}

impl OutOfPolicy {
    fn words(&self) -> String {
        match self {
            Self::Size { what, value, bound } if value < bound => format!("{value} {what}, where its policy wants at least {bound}"),
            Self::Size { what, value, bound } => format!("{value} {what}, where its policy allows {bound}"),
            Self::UnknownSpindles => "its disks do not say how many spindles they need".to_owned(),
            Self::Template(template) => format!("disk template {template} is not among those of its policy"),
        }
    }
}

impl Limit {
    fn title(&self) -> &'static str {
        match self {
            Self::Memory { .. } => "not enough memory",
            Self::SecondaryMemory { .. } => "not enough memory to take it over",
            Self::Reserved { .. } => "N+1: memory kept for a node that dies would not do",
            Self::EventualMemory { .. } => "not enough memory once all instances are up",
            Self::Disk { .. } => "not enough disk space",
            Self::DiskFloor { .. } => "disk space that has to stay free",
            Self::EventualDisk { .. } => "not enough disk space once all instances are there",
            Self::Spindles { .. } => "not enough spindles",
            Self::SpindleUse { .. } => "spindle use over the policy's ratio",
            Self::Cpu { .. } => "virtual CPUs over the policy's ratio",
            Self::Tag(_) => "an instance with the same exclusion tag",
            Self::Policy(_) => "the policy",
            Self::Other(_) => "refused",
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Memory { wanted, free }
            | Self::SecondaryMemory { wanted, free }
            | Self::EventualMemory { wanted, free }
            | Self::Disk { wanted, free }
            | Self::EventualDisk { wanted, free } => format!("wanted {wanted} MiB, free {} MiB", free.max(&0)),
            Self::Reserved { left, reserved } => format!("{} MiB would be left, more than {reserved} MiB have to be", left.max(&0)),
            Self::DiskFloor { left, floor } => format!("{left} MiB would be left of {floor} MiB"),
            Self::Spindles { wanted: Some(wanted), free } => format!("wanted {wanted}, free {}", free.max(&0)),
            Self::Spindles { wanted: None, free } => format!("number not given, free {}", free.max(&0)),
            Self::SpindleUse { used, limit } => format!("{used} would be used, {limit} are allowed"),
            Self::Cpu { vcpus, limit } => format!("{vcpus} would be used, {limit} are allowed"),
            Self::Tag(tag) => tag.clone(),
            Self::Policy(out) => out.words(),
            Self::Other(mode) => mode.to_string(),
        }
    }
}

impl Change {
    fn words(&self, question: &Question<'_>) -> String {
        let cluster = question.cluster;
        let instance = cluster.instance(question.id);
        let node = |id: &NodeId| &cluster.node(*id).name;
        let direction = |new: i64, old: i64| if new < old { "at most" } else { "at least" };
        match self {
            Self::Memory(new) => format!("{} {new} MiB of memory", direction(*new, instance.memory)),
            Self::LargestDisk(new) => {
                let old = instance.disks.iter().map(|disk| disk.size).max().unwrap_or(0);
                format!("{} {new} MiB for its largest disk", direction(*new, old))
            }
            Self::Vcpus(new) => format!("{} {new} virtual CPU(s)", direction(*new, instance.vcpus)),
            Self::WithoutTag(tag) => format!("no exclusion tag {tag}"),
            Self::MoreMemory(id, more) => format!("{more} MiB more of free memory on {}", node(id)),
            Self::MoreDisk(id, more) => format!("{more} MiB more of free disk space on {}", node(id)),
            Self::VcpuRatio(group, ratio) => format!("a vcpu-ratio of {ratio} in group {}", cluster.group(*group).name),
            Self::SpindleRatio(group, ratio) => format!("a spindle-ratio of {ratio} in group {}", cluster.group(*group).name),
            Self::Online(id) => format!("node {} in use again", node(id)),
            Self::Allocable(group) => format!("group {} chosen by name, or allowed to take new instances", cluster.group(*group).name),
            Self::AnyNode => "other nodes than those that were allowed".to_owned(),
            Self::NoCapacityChecks => "the N+1 check switched off".to_owned(),
        }
    }
}

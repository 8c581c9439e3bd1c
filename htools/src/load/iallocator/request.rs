//! What is asked for.

use serde::Deserialize;

use super::ordered::Whole;
use super::{cluster, wire};
use crate::cluster::Cluster;
use crate::evacuate::Mode;
use crate::id::{GroupId, InstanceId, NodeId};
use crate::instance::Instance;
use crate::load::derive::set_instance_tags;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A place for a new instance (`allocate`).
    Allocate(Box<Wanted>),
    /// Places for several new instances (`multi-allocate`).
    MultiAllocate(Vec<Wanted>),
    /// A secondary node for an instance that has none (`allocate-secondary`).
    AllocateSecondary(InstanceId),
    /// Another node for an instance (`relocate`).
    Relocate {
        /// It.
        instance: InstanceId,
        /// How many nodes to change.
        count: i64,
        /// Nodes to leave.
        from: Vec<NodeId>,
    },
    /// Other nodes of the same group for some instances (`node-evacuate`).
    NodeEvacuate {
        /// They.
        instances: Vec<InstanceId>,
        /// Which nodes they leave.
        mode: Mode,
    },
    /// Another group for some instances (`change-group`).
    ChangeGroup {
        /// They.
        instances: Vec<InstanceId>,
        /// Groups that they may go to; none: all that none of them is in.
        targets: Vec<GroupId>,
    },
}

/// A new instance with what is asked for its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// It.
    pub new: New,
    /// Only in the group of this name.
    pub group: Option<String>,
    /// Only on nodes of these names.
    pub restrict_to: Option<Vec<String>>,
}

/// A new instance.
#[derive(Debug, Clone, PartialEq)]
pub struct New {
    /// It, on no node.
    pub instance: Instance,
    /// Nodes that it needs.
    pub count: i64,
}

/// The object of a request.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum Wire<'a> {
    Allocate {
        #[serde(rename = "restrict-to-nodes")]
        restrict_to: Option<Vec<String>>,
        group_name: Option<String>,
        #[serde(flatten, borrow)]
        new: WireNew<'a>,
    },
    MultiAllocate {
        group_name: Option<String>,
        #[serde(borrow)]
        instances: Vec<WireNew<'a>>,
    },
    AllocateSecondary {
        name: String,
    },
    Relocate {
        name: String,
        required_nodes: Whole,
        relocate_from: Vec<String>,
    },
    NodeEvacuate {
        instances: Vec<String>,
        evac_mode: String,
    },
    ChangeGroup {
        instances: Vec<String>,
        target_groups: Vec<String>,
    },
}

#[derive(Debug, Deserialize)]
pub(super) struct WireNew<'a> {
    name: String,
    required_nodes: Whole,
    #[serde(flatten, borrow)]
    instance: wire::Instance<'a>,
}

/// Finds what a request names.
pub(super) fn read(wire: Wire<'_>, cluster: &mut Cluster) -> Result<Request, String> {
    let find = |cluster: &Cluster, name: &String| cluster.find_instance(name).map_err(|error| error.to_string());
    let find_all =
        |cluster: &Cluster, names: &[String]| -> Result<Vec<InstanceId>, String> { names.iter().map(|name| find(cluster, name)).collect() };
    match wire {
        Wire::Allocate { restrict_to, group_name: group, new } => {
            Ok(Request::Allocate(Box::new(Wanted { new: self::new(cluster, &new), group, restrict_to })))
        }
        // The name of the group is read from the request, not from its instances, as in the reference.
        Wire::MultiAllocate { group_name, instances } => {
            let mut wanted = |new: &WireNew<'_>| Wanted { new: self::new(cluster, new), group: group_name.clone(), restrict_to: None };
            Ok(Request::MultiAllocate(instances.iter().map(&mut wanted).collect()))
        }
        Wire::AllocateSecondary { name } => Ok(Request::AllocateSecondary(find(cluster, &name)?)),
        Wire::Relocate { name, required_nodes, relocate_from } => {
            let node = |name: &String| cluster.find_node(name).map_err(|error| error.to_string());
            let from = relocate_from.iter().map(node).collect::<Result<_, _>>()?;
            Ok(Request::Relocate { instance: find(cluster, &name)?, count: required_nodes.0, from })
        }
        Wire::NodeEvacuate { instances, evac_mode } => {
            let mode = Mode::parse(&evac_mode).ok_or_else(|| format!("Invalid evacuation mode '{evac_mode}'"))?;
            Ok(Request::NodeEvacuate { instances: find_all(cluster, &instances)?, mode })
        }
        Wire::ChangeGroup { instances, target_groups } => {
            let group = |name: &String| cluster.find_group(name).map_err(|error| error.to_string());
            let targets = target_groups.iter().map(group).collect::<Result<_, _>>()?;
            Ok(Request::ChangeGroup { instances: find_all(cluster, &instances)?, targets })
        }
    }
}

fn new(cluster: &mut Cluster, wire: &WireNew<'_>) -> New {
    let mut instance = cluster::instance(&wire.name, &wire.instance);
    set_instance_tags(cluster, &[], std::slice::from_mut(&mut instance));
    New { instance, count: wire.required_nodes.0 }
}

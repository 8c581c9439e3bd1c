//! What is broken, and the opcodes that repair it. Only nodes that are marked as offline (or drained) count as broken; nobody looks
//! at hardware here.

use gannet_core::opcode::{InstanceFailover, InstanceRecreateDisks, InstanceReinstall, InstanceReplaceDisks, OpCode, ReplaceDisksMode};
use gannet_core::param::DiskTemplate;

use super::Kind;
use crate::cluster::Cluster;
use crate::instance::{Instance, Mirror};

/// Who chooses nodes.
const ALLOCATOR: &str = "hail";

/// A repair of one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Repair {
    /// What it does.
    pub kind: Kind,
    /// Its job.
    pub opcodes: Vec<OpCode>,
}

/// The repair that an instance needs; `None`: it is in order, or there is no way to repair it.
#[must_use]
pub fn broken(cluster: &Cluster, instance: &Instance) -> Option<Repair> {
    let primary = cluster.node(instance.primary).offline;
    let secondary = instance.secondary.is_some_and(|node| cluster.node(node).offline);
    let name = instance.name.as_str();
    match (instance.template, primary, secondary) {
        (DiskTemplate::Drbd, true, true) | (DiskTemplate::Plain | DiskTemplate::File, true, _) => Some(reinstall(name)),
        (DiskTemplate::Drbd, true, false) => Some(failover(name, None)),
        (DiskTemplate::Drbd, false, true) => Some(fix_storage(name)),
        // Ganeti repairs no other templates. What reaches its disks from every node needs no more than another node.
        (_, true, _) if instance.mirror() == Mirror::External => Some(failover(name, Some(ALLOCATOR))),
        _ => None,
    }
}

fn failover(name: &str, allocator: Option<&str>) -> Repair {
    let opcode = InstanceFailover { iallocator: allocator.map(str::to_owned), ..InstanceFailover::new(name) };
    Repair { kind: Kind::Failover, opcodes: vec![opcode.into()] }
}

fn fix_storage(name: &str) -> Repair {
    let opcode =
        InstanceReplaceDisks { iallocator: Some(ALLOCATOR.to_owned()), ..InstanceReplaceDisks::new(name, ReplaceDisksMode::NewSecondary) };
    Repair { kind: Kind::FixStorage, opcodes: vec![opcode.into()] }
}

fn reinstall(name: &str) -> Repair {
    let disks = InstanceRecreateDisks { iallocator: Some(ALLOCATOR.to_owned()), ..InstanceRecreateDisks::new(name) };
    Repair { kind: Kind::Reinstall, opcodes: vec![disks.into(), InstanceReinstall::new(name).into()] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::text::{Repeated, parse};

    /// The kind of the repair and its opcodes, for an instance of a template on nodes of which these are offline.
    fn repaired(template: &str, offline: [bool; 2]) -> Option<(Kind, Vec<String>)> {
        let two = template == "drbd";
        let [p, s] = offline.map(|offline| if offline { 'Y' } else { 'N' });
        let text = format!(
            "g|u|preferred||\n\nn1|1000|0|900|10000|9000|4|{p}|u\nn2|1000|0|900|10000|9000|4|{s}|u\n\n\
             web1|100|1000|1|running|Y|n1|{}|{template}|\n\n\n",
            if two { "n2" } else { "" }
        );
        let cluster = parse(&text, Repeated::Refuse).unwrap();
        let repair = broken(&cluster, &cluster.instances[0])?;
        Some((repair.kind, repair.opcodes.iter().map(|opcode| opcode.op.id().to_owned()).collect()))
    }

    #[test]
    fn what_each_template_needs() {
        let anew = Some((Kind::Reinstall, vec!["OP_INSTANCE_RECREATE_DISKS".to_owned(), "OP_INSTANCE_REINSTALL".to_owned()]));
        let failover = Some((Kind::Failover, vec!["OP_INSTANCE_FAILOVER".to_owned()]));
        assert_eq!(repaired("drbd", [false, false]), None);
        assert_eq!(repaired("drbd", [true, true]), anew);
        assert_eq!(repaired("drbd", [true, false]), failover);
        assert_eq!(repaired("drbd", [false, true]), Some((Kind::FixStorage, vec!["OP_INSTANCE_REPLACE_DISKS".to_owned()])));
        for template in ["plain", "file"] {
            assert_eq!(repaired(template, [true, false]), anew, "{template}");
            assert_eq!(repaired(template, [false, true]), None, "{template}: its node is fine");
        }
        for template in ["sharedfile", "rbd", "ext", "gluster", "blockdev", "diskless"] {
            assert_eq!(repaired(template, [true, false]), failover, "{template}");
            assert_eq!(repaired(template, [false, true]), None, "{template}");
        }
    }
}

//! Simulated clusters: empty, of equal nodes, from a few numbers.

use gannet_core::param::AllocPolicy;

use super::{Error, number};
use crate::cluster::Cluster;
use crate::group::Group;
use crate::id::GroupId;
use crate::node::Node;
use crate::policy::Policy;

/// The largest number of nodes of one group; a guard against typing errors that would eat all memory.
const MOST_NODES: i64 = 1_000_000;

/// Makes one group of each description: allocation policy, nodes, disk, memory, CPUs, and if need be spindles and exclusive
/// storage. Groups are numbered in the order given here.
///
/// # Errors
/// Which description is wrong, and why.
pub fn parse(descriptions: &[String]) -> Result<Cluster, Error> {
    let mut cluster = Cluster { first_index: 1, ..Cluster::default() };
    for (at, description) in descriptions.iter().enumerate() {
        add_group(&mut cluster, at + 1, description).map_err(Error::new)?;
    }
    Ok(cluster)
}

fn add_group(cluster: &mut Cluster, index: usize, description: &str) -> Result<(), String> {
    let fields: Vec<&str> = if description.is_empty() { Vec::new() } else { description.split(',').collect() };
    if !(5..=7).contains(&fields.len()) {
        return Err(format!(
            "Invalid cluster specification, expected 6 comma-separated sections (allocation policy, node count, disk size, memory \
             size, number of CPUs, spindles) but got {}: '{description}'",
            fields.len()
        ));
    }
    let alloc_policy = alloc_policy(fields[0])?;
    let count = number::count("node count", fields[1])?;
    if count > MOST_NODES {
        return Err(format!("node count: {count} is more than {MOST_NODES}"));
    }
    let disk = number::size("disk size", fields[2])?;
    let memory = number::size("memory size", fields[3])?;
    let cpus = number::count("cpu count", fields[4])?;
    let spindles = fields.get(5).map_or(Ok(1), |text| number::count("spindles", text))?;
    let exclusive_storage = fields.get(6).map_or(Ok(false), |text| truth(text))?;
    let group = GroupId::new(cluster.groups.len());
    cluster.groups.push(Group {
        name: format!("group-{index:02}"),
        uuid: format!("fake-uuid-{index:02}"),
        alloc_policy,
        networks: Vec::new(),
        policy: Policy::default(),
        tags: Vec::new(),
    });
    cluster.nodes.extend((1..=count).map(|number| Node {
        total_memory: crate::state::real(memory),
        free_memory: memory,
        total_disk: crate::state::real(disk),
        free_disk: disk,
        cpus: crate::state::real(cpus),
        node_cpus: 1,
        spindles,
        exclusive_storage,
        master: index == 1 && number == 1,
        ..Node::new(&format!("node-{index:02}-{number:03}"), group)
    }));
    Ok(())
}

fn alloc_policy(text: &str) -> Result<AllocPolicy, String> {
    match text {
        "p" => Ok(AllocPolicy::Preferred),
        "a" => Ok(AllocPolicy::LastResort),
        "u" => Ok(AllocPolicy::Unallocable),
        _ => text.parse().map_err(|_| format!("Cannot parse AllocPolicy abbreviation '{text}'")),
    }
}

fn truth(text: &str) -> Result<bool, String> {
    match text {
        "True" => Ok(true),
        "False" => Ok(false),
        _ => Err(format!("exclusive storage: cannot parse string '{text}'")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_numbered_from_one() {
        let cluster = parse(&["p,2,100g,16g,4".to_owned(), "last_resort,1,1t,8g,2,3,True".to_owned()]).unwrap();
        let names: Vec<&str> = cluster.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["node-01-001", "node-01-002", "node-02-001"]);
        assert!(cluster.nodes[0].master && !cluster.nodes[2].master && cluster.nodes[2].exclusive_storage);
        assert_eq!(cluster.nodes[2].free_spindles, 0);
    }

    #[test]
    fn wrong_descriptions_say_why() {
        for wrong in ["", "p,2", "x,1,1,1,1", "p,-1,1,1,1", "p,1,1q,1,1", "p,1,1,1,1,1,yes", "p,99999999,1,1,1"] {
            assert!(parse(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}

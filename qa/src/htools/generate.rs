//! Clusters from a seed. Each is one that a real cluster could be: sizes add up, and an instance's nodes are in one group
//! (but for the profile that says otherwise).

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::model::{Cluster, Group, Instance, Node, Policy, Spec};

/// What is special in a cluster. Each is a switch, so that profiles can be mixed.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches of a generator")]
pub struct Profile {
    pub nodes: (usize, usize),
    /// Instances for each node, at most.
    pub density: usize,
    pub groups: usize,
    /// Other templates than drbd, too.
    pub mixed: bool,
    /// Nodes of different sizes and speeds.
    pub unequal: bool,
    /// All nodes, and all instances, alike: many exact ties.
    pub identical: bool,
    /// Some nodes are offline.
    pub offline: bool,
    /// Instance tags with exclusion, node tags with migration limits and locations.
    pub tags: bool,
    /// Policies of groups, and several ranges.
    pub policies: bool,
    /// So full that nodes fail N+1.
    pub crowded: bool,
    /// Exclusive storage with spindles.
    pub exclusive: bool,
    /// Some instances are down, some not auto-balanced, some forthcoming.
    pub states: bool,
    /// Memory that no instance accounts for.
    pub missing_memory: bool,
}

/// Makes the cluster.
#[must_use]
pub fn cluster(profile: &Profile, seed: u64) -> Cluster {
    let mut maker = Maker { rng: StdRng::seed_from_u64(seed), profile: *profile };
    maker.cluster()
}

struct Maker {
    rng: StdRng,
    profile: Profile,
}

const MIRRORED: &str = "drbd";
const OTHERS: [&str; 5] = ["plain", "sharedfile", "file", "rbd", "diskless"];

impl Maker {
    fn cluster(&mut self) -> Cluster {
        let count = self.rng.random_range(self.profile.nodes.0..=self.profile.nodes.1);
        let groups = self.groups(count);
        let mut nodes: Vec<Node> = (0..count).map(|index| self.node(index, groups.len())).collect();
        if self.profile.offline {
            for node in nodes.iter_mut().skip(1) {
                if self.rng.random_bool(0.15) {
                    node.state = 'Y';
                }
            }
        }
        nodes[0].state = 'M';
        let wanted = if self.profile.density == 0 { 0 } else { self.rng.random_range(1..=count * self.profile.density) };
        let instances: Vec<Instance> = (0..wanted).filter_map(|index| self.instance(index, &mut nodes)).collect();
        if self.profile.missing_memory {
            for node in &mut nodes {
                let hole = self.rng.random_range(0..=node.free_memory / 8);
                node.free_memory -= hole;
            }
        }
        let tags = self.cluster_tags();
        let policies = self.policies(groups.len());
        Cluster { groups, nodes, instances, tags, policies }
    }

    fn groups(&mut self, nodes: usize) -> Vec<Group> {
        let policies = ["preferred", "preferred", "last_resort", "unallocable"];
        let count = self.profile.groups.clamp(1, nodes);
        (0..count)
            .map(|index| Group {
                name: format!("group{}", index + 1),
                alloc_policy: if index == 0 { "preferred" } else { policies.choose(&mut self.rng).copied().unwrap_or("preferred") },
            })
            .collect()
    }

    fn node(&mut self, index: usize, groups: usize) -> Node {
        let scale = if self.profile.unequal { *[1, 2, 3].choose(&mut self.rng).unwrap_or(&1) } else { 1 };
        // Sizes that no sum of instances' sizes meets exactly: at equality two releases of the reference differ.
        let memory = 16_384 * scale + 1;
        let own_memory = if self.profile.identical { 512 } else { 512 + 64 * self.rng.random_range(0..8) };
        let disk = 512_000 * scale + 1;
        let spindles = if self.profile.exclusive { 8 * scale } else { 1 };
        Node {
            name: format!("node{:03}.example.com", index + 1),
            group: if index < groups { index } else { self.rng.random_range(0..groups) },
            memory,
            own_memory,
            free_memory: memory - own_memory,
            disk,
            free_disk: disk,
            cpus: 8 * scale,
            own_cpus: if self.profile.unequal { self.rng.random_range(0..3) } else { 1 },
            cpu_speed: if self.profile.unequal { f64::from(self.rng.random_range(50..200)) / 100.0 } else { 1.0 },
            state: 'N',
            spindles,
            free_spindles: if self.profile.exclusive { spindles } else { 0 },
            exclusive_storage: self.profile.exclusive,
            tags: self.node_tags(),
        }
    }

    fn node_tags(&mut self) -> Vec<String> {
        let mut tags = Vec::new();
        if self.profile.tags {
            if self.rng.random_bool(0.5) {
                tags.push(format!("version:{}", self.rng.random_range(1..3)));
            }
            if self.rng.random_bool(0.7) {
                tags.push(format!("power:{}", ["a", "b", "c"].choose(&mut self.rng).copied().unwrap_or("a")));
            }
            if self.rng.random_bool(0.3) {
                tags.push("place:near".to_owned());
            }
        }
        tags
    }

    fn cluster_tags(&mut self) -> Vec<String> {
        if !self.profile.tags {
            return Vec::new();
        }
        let all = [
            "htools:iextags:service",
            "htools:nlocation:power",
            "htools:migration:version",
            "htools:allowmigration:version:1::version:2",
            "htools:desiredlocation:place",
        ];
        all.iter().filter(|_| self.rng.random_bool(0.6)).map(|tag| (*tag).to_owned()).collect()
    }

    fn template(&mut self) -> &'static str {
        if self.profile.mixed && self.rng.random_bool(0.5) { OTHERS.choose(&mut self.rng).copied().unwrap_or(MIRRORED) } else { MIRRORED }
    }

    fn instance(&mut self, index: usize, nodes: &mut [Node]) -> Option<Instance> {
        let template = self.template();
        let status = if self.profile.states {
            *["running", "running", "running", "ADMIN_down", "ERROR_down", "ADMIN_offline", "ERROR_up"].choose(&mut self.rng)?
        } else {
            "running"
        };
        let memory = if self.profile.identical { 512 } else { *[256, 512, 1024, 2048].choose(&mut self.rng)? };
        let disk = match template {
            "diskless" => 0,
            _ if self.profile.identical => 10_240,
            _ => *[5_120, 10_240, 20_480, 51_200].choose(&mut self.rng)?,
        };
        let primary = self.rng.random_range(0..nodes.len());
        let secondary = if template == MIRRORED { Some(self.other(nodes, primary)?) } else { None };
        let spindles = if self.profile.exclusive { Some(self.rng.random_range(1..3)) } else { None };
        let instance = Instance {
            name: format!("instance{:04}.example.com", index + 1),
            memory,
            disk,
            vcpus: if self.profile.identical { 1 } else { self.rng.random_range(1..4) },
            status,
            auto_balance: !self.profile.states || self.rng.random_bool(0.85),
            primary,
            secondary,
            template,
            tags: self.instance_tags(),
            spindle_use: if self.profile.mixed { self.rng.random_range(1..3) } else { 1 },
            spindles,
            forthcoming: self.profile.states && self.rng.random_bool(0.1),
        };
        self.book(&instance, nodes).then_some(instance)
    }

    /// Another node of the same group.
    fn other(&mut self, nodes: &[Node], primary: usize) -> Option<usize> {
        let others: Vec<usize> = (0..nodes.len()).filter(|&node| node != primary && nodes[node].group == nodes[primary].group).collect();
        others.choose(&mut self.rng).copied()
    }

    /// Takes the instance's share from its nodes; false, and nothing taken, when it does not fit.
    fn book(&self, instance: &Instance, nodes: &mut [Node]) -> bool {
        let keep = if self.profile.crowded { 64 } else { 4_096 };
        let memory = if instance.uses_memory() { instance.memory } else { 0 };
        let disk = if instance.uses_disk() { instance.disk } else { 0 };
        let spindles = if instance.forthcoming { 0 } else { instance.spindles.unwrap_or(0) };
        let on: Vec<usize> = std::iter::once(instance.primary).chain(instance.secondary).collect();
        let has_room = |node: &Node| node.free_disk > disk + 1_024 && (spindles == 0 || node.free_spindles >= spindles);
        if nodes[instance.primary].free_memory < memory + keep || !on.iter().all(|&node| has_room(&nodes[node])) {
            return false;
        }
        nodes[instance.primary].free_memory -= memory;
        for node in on {
            nodes[node].free_disk -= disk;
            nodes[node].free_spindles -= spindles.min(nodes[node].free_spindles);
        }
        true
    }

    fn instance_tags(&mut self) -> Vec<String> {
        let mut tags = Vec::new();
        if self.profile.tags {
            if self.rng.random_bool(0.5) {
                tags.push(format!("service:{}", self.rng.random_range(1..5)));
            }
            if self.rng.random_bool(0.2) {
                tags.push("place:near".to_owned());
            }
        }
        tags
    }

    fn policies(&mut self, groups: usize) -> Vec<Policy> {
        let templates = vec!["drbd", "plain", "sharedfile", "file", "rbd", "diskless"];
        let standard: Spec = [512, 1, 10_240, 1, 1, 1];
        let least: Spec = [128, 1, 1_024, 1, 1, 1];
        let most: Spec = [8_192, 4, 131_072, 16, 8, 8];
        let of = |group| Policy {
            group,
            standard,
            ranges: vec![(least, most)],
            templates: templates.clone(),
            vcpu_ratio: 4.0,
            spindle_ratio: 32.0,
        };
        let mut all = vec![of(None)];
        if self.profile.policies {
            for group in 0..groups {
                if self.rng.random_bool(0.7) {
                    let mut policy = of(Some(group));
                    policy.vcpu_ratio = *[1.5, 2.0, 8.0].choose(&mut self.rng).unwrap_or(&4.0);
                    policy.spindle_ratio = *[8.0, 16.0].choose(&mut self.rng).unwrap_or(&32.0);
                    if self.rng.random_bool(0.5) {
                        policy.ranges =
                            vec![([1_024, 1, 4_096, 1, 1, 1], [4_096, 2, 65_536, 16, 8, 8]), (least, [1_024, 4, 16_384, 16, 8, 8])];
                    }
                    all.push(policy);
                }
            }
        }
        all
    }
}

/// The profiles that tests draw from, by name.
pub const PROFILES: &[(&str, Profile)] = &[
    ("drbd", Profile { nodes: (2, 7), density: 6, groups: 1, ..BASE }),
    ("identical", Profile { nodes: (3, 7), density: 4, groups: 1, identical: true, ..BASE }),
    ("empty", Profile { nodes: (1, 6), density: 0, groups: 1, identical: true, ..BASE }),
    ("unequal", Profile { nodes: (3, 7), density: 5, groups: 1, unequal: true, ..BASE }),
    ("mixed", Profile { nodes: (3, 7), density: 5, groups: 1, mixed: true, ..BASE }),
    ("offline", Profile { nodes: (4, 8), density: 4, groups: 1, offline: true, mixed: true, ..BASE }),
    ("tags", Profile { nodes: (4, 8), density: 3, groups: 1, tags: true, ..BASE }),
    ("policies", Profile { nodes: (4, 8), density: 4, groups: 2, policies: true, unequal: true, ..BASE }),
    ("crowded", Profile { nodes: (3, 7), density: 12, groups: 1, crowded: true, ..BASE }),
    ("exclusive", Profile { nodes: (3, 6), density: 3, groups: 1, exclusive: true, ..BASE }),
    ("states", Profile { nodes: (3, 7), density: 5, groups: 1, states: true, mixed: true, ..BASE }),
    ("missing", Profile { nodes: (3, 7), density: 5, groups: 1, missing_memory: true, ..BASE }),
    ("groups", Profile { nodes: (6, 12), density: 3, groups: 3, mixed: true, tags: true, ..BASE }),
    (
        "everything",
        Profile {
            nodes: (5, 10),
            density: 5,
            groups: 2,
            mixed: true,
            unequal: true,
            offline: true,
            tags: true,
            policies: true,
            crowded: true,
            states: true,
            missing_memory: true,
            ..BASE
        },
    ),
];

const BASE: Profile = Profile {
    nodes: (1, 1),
    density: 0,
    groups: 1,
    mixed: false,
    unequal: false,
    identical: false,
    offline: false,
    tags: false,
    policies: false,
    crowded: false,
    exclusive: false,
    states: false,
    missing_memory: false,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_cluster() {
        for (name, profile) in PROFILES {
            let write = |seed| super::super::text::write(&cluster(profile, seed));
            assert_eq!(write(7), write(7), "{name}");
            assert_ne!(write(7), write(8), "{name}");
        }
    }

    #[test]
    fn nothing_is_promised_twice() {
        for (name, profile) in PROFILES {
            let made = cluster(profile, 3);
            for (index, node) in made.nodes.iter().enumerate() {
                let on = made.instances.iter().filter(|instance| instance.primary == index && instance.uses_memory());
                let used: u64 = on.map(|instance| instance.memory).sum();
                assert!(used + node.own_memory + node.free_memory <= node.memory, "{name}: {}", node.name);
            }
        }
    }
}

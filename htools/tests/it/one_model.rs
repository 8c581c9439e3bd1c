//! One model of what a cluster can lose: hcheck, hail and the library never disagree about a node, and what hail places keeps to
//! every limit.

use gannet_core::param::DiskTemplate;
use gannet_htools::allocate::{Options, Placement, in_group};
use gannet_htools::evacuable::{self, Scope};
use gannet_htools::instance::Disk;
use gannet_htools::load::Loaded;
use gannet_htools::{Cluster, GroupId, Instance, InstanceId, Limits, NodeId, State, Usage};
use proptest::prelude::*;

use super::random::{loaded, text};

/// A place with what it makes of its nodes.
type Place = ((NodeId, Usage), Option<(NodeId, Usage)>);

/// All places of the new instance that no limit forbids.
fn places(cluster: &Cluster, state: &State, new: &Instance) -> Vec<Place> {
    let online: Vec<NodeId> = cluster.node_ids().filter(|node| !cluster.node(*node).offline).collect();
    let mut found = Vec::new();
    for p in &online {
        let policy = &cluster.group(cluster.node(*p).group).policy;
        let Ok(primary) = state.with_primary(cluster, *p, new, 0, Limits::All) else { continue };
        if policy.check(new, cluster.node(*p).exclusive_storage).is_err() {
            continue;
        }
        if new.template != DiskTemplate::Drbd {
            found.push(((*p, primary), None));
            continue;
        }
        for s in online.iter().filter(|s| *s != p) {
            if let Ok(second) = state.with_secondary(cluster, *s, new, *p, Limits::All) {
                found.push(((*p, primary), Some((*s, second))));
            }
        }
    }
    found
}

/// Whether every node can be lost once the instance, the last of the cluster's, is there.
fn survives(cluster: &Cluster, state: &State, scope: &Scope, (primary, secondary): Place) -> bool {
    let mut after = state.clone();
    after.place(cluster, InstanceId::new(cluster.instances.len() - 1), primary, secondary);
    evacuable::all(cluster, &after, scope)
}

fn check(text: &str, new: Instance, accept_existing: bool) -> Result<bool, TestCaseError> {
    let Loaded { mut cluster, state, .. } = loaded(text);
    let id = InstanceId::new(cluster.instances.len());
    cluster.instances.push(new.clone());
    let options = Options { accept_existing, ..Options::default() };
    let group = GroupId::new(0);
    let scope = options.scope(cluster.nodes_of(group).collect());
    let count = if new.template == DiskTemplate::Drbd { 2 } else { 1 };
    let found = in_group(&cluster, &state, id, group, count, &options).ok().and_then(|(solution, _)| solution.best);
    let good = places(&cluster, &state, &new);
    match found {
        Some(Placement { primary, secondary, .. }) => {
            prop_assert!(survives(&cluster, &state, &scope, (primary, secondary)), "hail leaves a node that cannot be lost");
            let nodes = (primary.0, secondary.map(|(node, _)| node));
            prop_assert!(good.iter().any(|(p, s)| (p.0, s.map(|(node, _)| node)) == nodes), "the place breaks a limit");
        }
        None => {
            let missed = good.iter().find(|place| survives(&cluster, &state, &scope, **place));
            prop_assert!(missed.is_none(), "hail refuses {missed:?}, which leaves every node evacuable");
        }
    }
    Ok(found.is_some())
}

fn new(memory: i64, disk: i64, template: DiskTemplate) -> Instance {
    Instance { memory, vcpus: 1, ..Instance::new("new", template, vec![Disk { size: disk, spindles: None }]) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn hail_places_where_every_node_can_be_lost(
        text in text(),
        memory in 128i64..1500,
        disk in 1024i64..9000,
        template in prop::sample::select(vec![DiskTemplate::Drbd, DiskTemplate::Drbd, DiskTemplate::SharedFile, DiskTemplate::Plain]),
        accept in any::<bool>(),
    ) {
        check(&text, new(memory, disk, template), accept)?;
    }
}

/// Roomy nodes, of which one is nearly full.
fn roomy(seed: u64) -> String {
    let node = |at: u64| format!("n{at}|8192|292|{}|900000|900000|16|N|u|3||N|0|1|1.0\n", 7900 - 700 * ((at * seed) % 7));
    let nodes: String = (0..5).map(node).collect();
    let line = |at: u64| {
        let p = (at * seed) % 5;
        format!("i{at}|{}|1024|1|running|Y|n{p}|n{}|drbd||1|-\n", 256 << (at * seed % 3), (p + 1 + at % 4) % 5)
    };
    format!("g|u|preferred||\n\n{nodes}\n{}\n\n", (0..12).map(line).collect::<String>())
}

#[test]
fn hail_finds_places_on_roomy_clusters() {
    let found = (1..=30).filter(|seed| check(&roomy(*seed), new(1024, 2048, DiskTemplate::Drbd), false).expect("one model")).count();
    assert!(found >= 5, "only {found} of 30");
}

#[cfg(feature = "tools")]
mod tools {
    use gannet_htools::program::{self, Io};
    use gannet_htools::state::N1Rule;

    use super::*;

    /// What hcheck counts.
    fn counted(text: &str, name: &str) -> usize {
        let path = std::env::temp_dir().join(format!("gannet-htools-capacity-{}-{name}", std::process::id()));
        std::fs::write(&path, text).expect("a file can be written");
        let words: Vec<String> = ["--machine-readable", "--no-simulation", "-t"].iter().map(ToString::to_string).collect();
        let words = [words, vec![path.display().to_string()]].concat();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        program::run("hcheck", &words, &mut Io { out: &mut out, err: &mut err, n1_rule: N1Rule::default() });
        std::fs::remove_file(&path).expect("it is there");
        let out = String::from_utf8_lossy(&out).into_owned();
        let value = out.lines().find_map(|line| line.strip_prefix("HCHECK_INIT_GROUP_0_GN1_FAIL=")).expect("it is printed");
        value.parse().expect("it is a number")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn hcheck_counts_the_nodes_that_the_library_names(text in text()) {
            let Loaded { cluster, state, .. } = loaded(&text);
            let failing = evacuable::failing(&cluster, &state, &Scope::group(&cluster, GroupId::new(0)));
            prop_assert_eq!(counted(&text, "random"), failing.len());
        }
    }
}

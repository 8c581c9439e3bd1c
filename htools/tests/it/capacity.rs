//! Counting what fits.

use gannet_core::param::DiskTemplate;
use gannet_htools::allocate::{self, Options, Targets, targets};
use gannet_htools::capacity::{self, Filled, Question, Size, Totals};
use gannet_htools::evacuable::{self, Loss, Scope};
use gannet_htools::{Cluster, FailMode, InstanceId, State};
use proptest::prelude::*;

use crate::random::{loaded, text};

/// Equal nodes, online, with nothing on them.
fn equal(count: usize, memory: i64) -> String {
    let node = |at| format!("node{at}|{memory}|0|{memory}|200000|200000|8|N|u|1||N|0|0|1.0\n");
    format!("default|u|preferred||\n\n{}\n\n\n", (0..count).map(node).collect::<String>())
}

const SIZE: Size = Size { memory: 1000, disk: 2000, vcpus: 1, spindles: 1 };

struct Asked {
    cluster: Cluster,
    state: State,
    targets: Targets,
    options: Options,
    limit: Option<i64>,
}

impl Asked {
    fn new(text: &str, template: DiskTemplate) -> Self {
        let found = loaded(text);
        let options = Options::default();
        let nodes: Vec<_> = found.cluster.node_ids().collect();
        let count = i64::try_from(SIZE.instance(template, 1).required_nodes()).expect("one or two");
        let targets = targets(&found.cluster, &nodes, count, &options, true).expect("one or two");
        Self { cluster: found.cluster, state: found.state, targets, options, limit: None }
    }

    fn question(&self) -> Question<'_> {
        Question { cluster: &self.cluster, state: &self.state, targets: &self.targets, options: &self.options, limit: self.limit }
    }

    fn standard(&self, template: DiskTemplate) -> Filled {
        capacity::standard(&self.question(), &SIZE.instance(template, 1)).expect("there are nodes")
    }
}

#[test]
fn room_for_the_loss_of_a_node_stays_free() {
    let asked = Asked::new(&equal(3, 4001), DiskTemplate::SharedFile);
    let filled = asked.standard(DiskTemplate::SharedFile);
    assert_eq!(filled.count(), 8, "of twelve that fit, four find no room when their node is lost");
    assert!(evacuable::all(&filled.cluster, &filled.state, &Scope::all(&filled.cluster)));
    let careless = Asked { options: Options { capacity: false, ..Options::default() }, ..asked };
    assert_eq!(careless.standard(DiskTemplate::SharedFile).count(), 12);
}

#[test]
fn sizes_shrink_by_what_is_scarce() {
    let asked = Asked::new(&equal(2, 2500), DiskTemplate::Plain);
    let careless = Asked { options: Options { capacity: false, ..Options::default() }, ..asked };
    let large = Size { memory: 2000, ..SIZE };
    let filled = capacity::tiered(&careless.question(), &[large.instance(DiskTemplate::Plain, 1)]).expect("there are nodes");
    let sizes = filled.sizes();
    assert_eq!(sizes.first(), Some(&(large, 2)));
    assert!(sizes[1..].iter().all(|(size, _)| size.memory < 500 && size.disk == SIZE.disk), "{sizes:?}");
    assert!(filled.failures.is_some_and(|failures| failures.get(FailMode::Memory) > 0));
}

#[test]
fn a_limit_ends_it() {
    let asked = Asked::new(&equal(4, 9000), DiskTemplate::Drbd);
    let count =
        |limit| Asked { limit: Some(limit), ..Asked::new(&equal(4, 9000), DiskTemplate::Drbd) }.standard(DiskTemplate::Drbd).count();
    assert_eq!([0, 1, 5].map(count), [0, 1, 5]);
    let none = Asked { limit: Some(0), ..asked };
    let filled = capacity::tiered(&none.question(), &[SIZE.instance(DiskTemplate::Drbd, 1)]).expect("nothing is tried");
    assert_eq!((filled.count(), filled.failures), (0, None));
}

#[test]
fn what_takes_nothing_does_not_divide_by_zero() {
    let asked = Asked { limit: Some(3), ..Asked::new(&equal(2, 9000), DiskTemplate::Diskless) };
    let nothing = Size { memory: 0, disk: 0, vcpus: 0, spindles: 1 };
    let filled = capacity::standard(&asked.question(), &nothing.instance(DiskTemplate::Diskless, 1)).expect("there are nodes");
    assert_eq!(filled.count(), 0, "the policy wants more");
}

#[test]
fn the_loss_of_two_nodes_is_asked_about_at_each_placement() {
    let mut asked = Asked::new(&equal(5, 3001), DiskTemplate::Drbd);
    let single = asked.standard(DiskTemplate::Drbd);
    let nodes: Vec<_> = asked.cluster.node_ids().collect();
    let pairs = nodes.iter().flat_map(|a| nodes.iter().filter(move |b| a < b).map(move |b| vec![*a, *b]));
    asked.options.losses = pairs.map(|nodes| Loss { domain: None, nodes }).collect();
    let double = asked.standard(DiskTemplate::Drbd);
    assert!(double.count() < single.count(), "{} and {}", double.count(), single.count());
    let scope = asked.options.scope(nodes);
    assert!(evacuable::all(&double.cluster, &double.state, &scope));
}

#[test]
fn without_nodes_it_says_so() {
    let asked = Asked::new(&equal(1, 9000), DiskTemplate::Drbd);
    let refusal = capacity::standard(&asked.question(), &SIZE.instance(DiskTemplate::Drbd, 1)).expect_err("one node is too few");
    assert_eq!(refusal.to_string(), "Not enough online nodes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// One more does not fit, no placement is lost, and the numbers of nodes add up.
    #[test]
    fn nothing_more_fits(text in text(), drbd in any::<bool>(), careless in any::<bool>(), memory in 200i64..3000) {
        let template = if drbd { DiskTemplate::Drbd } else { DiskTemplate::SharedFile };
        let mut asked = Asked::new(&text, template);
        asked.options.capacity = !careless;
        let wanted = Size { memory, ..SIZE }.instance(template, 1);
        let Ok(filled) = capacity::standard(&asked.question(), &wanted) else { return Ok(()) };
        let before = Totals::new(&asked.cluster, &asked.state);
        let after = Totals::new(&filled.cluster, &filled.state);
        let count = i64::try_from(filled.count()).expect("few");
        prop_assert_eq!(after.instances, before.instances + filled.count());
        prop_assert_eq!(after.instance_memory, before.instance_memory + count * memory);
        let mut cluster = filled.cluster.clone();
        let id = InstanceId::new(cluster.instances.len());
        cluster.instances.push(wanted);
        let scope = asked.options.scope(cluster.node_ids().collect());
        let solution = allocate::allocate(&cluster, &filled.state, id, &scope, &asked.targets, &asked.options).expect("there are nodes");
        prop_assert!(solution.best.is_none());
        prop_assert_eq!(Some(solution.failures.total()), filled.failures.map(|failures| failures.total()));
    }
}

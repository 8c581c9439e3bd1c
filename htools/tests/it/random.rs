//! Random clusters, as texts, so that they pass the same door as real ones.

use gannet_htools::load::text::Repeated;
use gannet_htools::load::{self, Loaded, Wishes};
use gannet_htools::state::N1Rule;
use proptest::prelude::*;

const TEMPLATES: [&str; 5] = ["drbd", "drbd", "drbd", "sharedfile", "plain"];
const STATUSES: [&str; 5] = ["running", "running", "ADMIN_down", "ADMIN_offline", "ERROR_up"];

/// The fields of a random instance: memory, disk, vCPUs, nodes, template, status, tags, balance, forthcoming.
type Fields = (u32, u32, u32, usize, usize, usize, usize, usize, bool, bool);

fn line(at: usize, nodes: usize, (memory, disk, vcpus, first, second, template, status, tag, balance, forthcoming): Fields) -> String {
    let (primary, template) = (first % nodes, TEMPLATES[template]);
    let secondary = (primary + 1 + second % (nodes - 1)) % nodes;
    let second = if template == "drbd" { format!("node{secondary}") } else { String::new() };
    let yes = |truth: bool| if truth { "Y" } else { "N" };
    let tags = ["", "x:a", "x:a,x:b", "place:1", "x:a,place:2"][tag];
    format!(
        "inst{at}|{memory}|{disk}|{vcpus}|{}|{}|node{primary}|{second}|{template}|{tags}|2|-|{}",
        STATUSES[status],
        yes(balance),
        yes(forthcoming)
    )
}

/// A cluster of 3 to 7 nodes and up to 14 instances, with tags of every kind, as a text.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let fields =
        (1u32..900, 1u32..5000, 1u32..5, 0usize..7, 0usize..6, 0usize..5, 0usize..5, 0usize..5, any::<bool>(), prop::bool::weighted(0.1));
    let node = (2000u32..9000, 20_000u32..90_000, 2u32..9, prop::bool::weighted(0.1), 0usize..3);
    (prop::collection::vec(node, 3..8), prop::collection::vec(fields, 0..15)).prop_map(|(nodes, instances)| {
        let mut text = "g|uuid-g|preferred||\n\n".to_owned();
        for (at, (memory, disk, cpus, offline, place)) in nodes.iter().enumerate() {
            let offline = if *offline { "Y" } else { "N" };
            let ratio = if at % 3 == 1 { ",htools:memory-ratio:1.5" } else { "" };
            let tags = format!("place:{place},v:{place}{ratio}");
            text += &format!("node{at}|{memory}|100|{}|{disk}|{disk}|{cpus}|{offline}|uuid-g|3|{tags}|N|0|1|1.5\n", memory / 2);
        }
        text += "\n";
        for (at, fields) in instances.into_iter().enumerate() {
            text += &(line(at, nodes.len(), fields) + "\n");
        }
        text + "\nhtools:iextags:x\nhtools:nlocation:place\nhtools:desiredlocation:place\nhtools:migration:v\nhtools:allowmigration:v:1::v:2\n"
    })
}

/// Ready for work.
pub(crate) fn loaded(text: &str) -> Loaded {
    let cluster = load::text::parse(text, Repeated::Refuse).expect("the text is well formed");
    let cluster = load::merge(cluster, &Wishes::default()).expect("nothing is asked for");
    load::finish(cluster, 0, N1Rule::default())
}

//! RAPI's answers: four JSON texts, one after the other, with a line of `===` between them.
#![no_main]

use gannet_htools::load::remote::Answers;
use gannet_htools::load::{self, Wishes};
use gannet_htools::state::N1Rule;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut parts = text.split("\n===\n");
    let mut next = || parts.next().unwrap_or_default();
    let (groups, nodes, instances, info) = (next(), next(), next(), next());
    let Ok(cluster) = Answers::from_rapi(groups, nodes, instances, info).and_then(|answers| answers.cluster()) else { return };
    if let Ok(cluster) = load::merge(cluster, &Wishes::default()) {
        drop(load::finish(cluster, 4096, N1Rule::default()));
    }
});

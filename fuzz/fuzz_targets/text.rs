//! Text files: whatever is read can be scored, balanced a little and written again.
#![no_main]

use gannet_htools::balance::{self, Options};
use gannet_htools::load::text::{Repeated, parse};
use gannet_htools::load::{self, Wishes};
use gannet_htools::state::N1Rule;
use gannet_htools::{evacuable, save};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(cluster) = parse(text, Repeated::Refuse) else { return };
    let Ok(cluster) = load::merge(cluster, &Wishes::default()) else { return };
    let mut found = load::finish(cluster, 0, N1Rule::default());
    let nodes = found.cluster.node_ids().collect();
    let options = Options { max_length: 3, ..Options::default() };
    drop(balance::run(&found.cluster, &mut found.state, nodes, &options, f64::NEG_INFINITY));
    drop(evacuable::failing(&found.cluster, &found.state, &evacuable::Scope::all(&found.cluster)));
    let saved = save::text(&found.cluster, &found.state);
    assert!(parse(&saved, Repeated::Refuse).is_ok(), "what is saved cannot be read");
});

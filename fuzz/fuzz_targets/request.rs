//! The iallocator interface: any request is answered or refused.
#![no_main]

use gannet_htools::allocate::Options;
use gannet_htools::load::iallocator::{Input, parse};
use gannet_htools::state::N1Rule;
use gannet_htools::{iallocator, load};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(Input { cluster, request }) = parse(text) else { return };
    let Ok(cluster) = load::merge(cluster, &load::Wishes::default()) else { return };
    let load::Loaded { mut cluster, mut state, .. } = load::finish(cluster, 0, N1Rule::default());
    let found = iallocator::run(&mut cluster, &mut state, &request, &Options::default());
    let shown = found.as_ref().map(|(info, answer)| (info.as_str(), answer)).map_err(|refusal| refusal.0.as_str());
    drop(iallocator::text(&cluster, shown));
});

//! Descriptions of clusters, one a line.
#![no_main]

use gannet_htools::load::simulation::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    drop(parse(&lines));
});

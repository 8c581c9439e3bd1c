//! Command lines of hspace.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::{Cluster, DATA, Line, NODE_FIELDS, offline, some};

/// One question how many instances fit.
#[must_use]
pub fn hspace(cluster: &Cluster, rng: &mut StdRng) -> Line {
    let mut line = Line::new("hspace", &["-t", DATA]);
    // With forthcoming instances the reference takes its own numbers for inconsistent (a known defect).
    let forthcoming = cluster.instances.iter().any(|instance| instance.forthcoming);
    some(rng, &[("--machine-readable", if forthcoming { 0.0 } else { 0.6 })], &mut line);
    hspace_options(rng, &mut line);
    offline(cluster, rng, &mut line);
    line
}

/// The same for clusters of equal nodes.
#[must_use]
pub fn hspace_simulated(rng: &mut StdRng) -> Line {
    let mut line = Line::new("hspace", &[]);
    for _ in 0..rng.random_range(1..=2) {
        let disk = ["200g", "1t"].choose(rng).unwrap_or(&"1t");
        let memory = ["8g", "20g"].choose(rng).unwrap_or(&"8g");
        let policy = ["p", "p", "a", "u"].choose(rng).unwrap_or(&"p");
        let spindles = ["", "", ",4", ",6,True"].choose(rng).unwrap_or(&"");
        line.add(format!("--simulate={policy},{},{disk},{memory},4{spindles}", rng.random_range(2..6)));
    }
    some(rng, &[("--machine-readable", 0.5)], &mut line);
    hspace_options(rng, &mut line);
    line
}

fn hspace_options(rng: &mut StdRng, line: &mut Line) {
    let switches = [
        ("--no-capacity-checks", 0.2),
        ("--accept-existing-errors", 0.4),
        ("--independent-groups", 0.3),
        ("-v", 0.2),
        ("-vv", 0.15),
        ("-vvv", 0.1),
        ("-q", 0.1),
        ("-p", 0.2),
        ("-Ssaved", 0.3),
    ];
    some(rng, &switches, line);
    // Sizes that do not fill a node exactly: there two releases of the reference differ.
    let choices: [(&str, f64, &[&str]); 8] = [
        ("--disk-template=", 0.7, &["drbd", "drbd", "plain", "sharedfile", "file", "rbd", "diskless", "ext"]),
        ("--tiered-alloc=", 0.8, &["20480,4000,4", "102400,2000,2", "51200,8000,2", "250000,3000,8,5", "30000,30000,4"]),
        ("--standard-alloc=", 0.8, &["10240,1000,1", "51200,2000,2", "5000,700,1,2", "400000,500,3"]),
        ("-l", 0.25, &["1", "2", "5", "12", "40"]),
        ("--max-cpu=", 0.15, &["0.5", "1.5", "9"]),
        ("--min-disk=", 0.15, &["0.1", "0.4"]),
        ("--spindle-use=", 0.15, &["1", "4"]),
        ("-p", 0.1, &[NODE_FIELDS]),
    ];
    for (option, chance, values) in choices {
        if let (true, Some(value)) = (rng.random_bool(chance), values.choose(rng)) {
            line.add(format!("{option}{value}"));
        }
    }
}

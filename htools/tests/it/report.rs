//! What hspace writes besides Ganeti's output, and what it does of what-if questions: through the program.

use std::path::Path;

use gannet_htools::program::{self, Io};
use gannet_htools::state::N1Rule;
use serde_json::Value;

/// Exit code, output, talk.
fn hspace(words: &[&str]) -> (u8, String, String) {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = program::run("hspace", &words, &mut Io { out: &mut out, err: &mut err, n1_rule: N1Rule::default() });
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("tools say text");
    (code, text(out), text(err))
}

/// Four nodes with room for 3 instances of 1,000 MiB each; one may be lost.
const FOUR: [&str; 4] =
    ["--simulate=p,4,1t,3001m,16", "--disk-template=sharedfile", "--standard-alloc=1024m,1000m,1", "--tiered-alloc=1024m,1000m,1"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    FOUR.iter().copied().chain(more.iter().copied()).collect()
}

#[test]
fn a_forecast_is_said_and_written() {
    let dir = std::env::temp_dir().join(format!("gannet-hspace-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory");
    let path = |name: &str| dir.join(name).display().to_string();
    let (json, chart) = (format!("--json={}", path("r.json")), format!("--chart={}", path("c.svg")));
    let (code, out, err) = hspace(&with(&["--rate=1.5", &json, &chart]));
    assert_eq!(code, 0, "{err}");
    assert!(out.ends_with("At 1.50 instances of the standard size a day it is full in 6.0 days (9 fit).\n"), "{out}");
    let read = |name: &str| std::fs::read_to_string(Path::new(&path(name))).expect("it was written");
    let report: Value = serde_json::from_str(&read("r.json")).expect("it is JSON");
    assert_eq!((&report["forecast"]["fits"], &report["forecast"]["full_in_days"]), (&9.into(), &6.0.into()));
    assert_eq!(report["tiers"][0]["spec"]["memory_mib"], 1000);
    let svg = read("c.svg");
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>") && svg.matches("<line ").count() == 5 + 2 * 3, "{svg}");
    assert!(svg.contains("Full in 6.0 days at 1.50 instances a day (9 fit)") && svg.contains("0 % → 75 %"), "{svg}");
    std::fs::remove_dir_all(&dir).expect("it is ours");
}

#[test]
fn programs_read_it_too() {
    let (_, out, _) = hspace(&with(&["--rate=3", "--machine-readable"]));
    assert!(out.contains("HTS_RATE=3.00\nHTS_FULL_IN_DAYS=3.00\nHTS_OK=1\n"), "{out}");
    let (_, plain, _) = hspace(&with(&[]));
    assert!(!plain.contains("a day"), "only where it was asked for");
}

#[test]
fn what_if_a_node_is_lost_or_added() {
    let (_, out, err) = hspace(&with(&["--add-nodes=1,node-01-001"]));
    assert!(out.contains("-  12 instances allocated"), "{out}");
    assert_eq!(err, "What if: 1 more node(s) like node-01-001\n");
    let (_, out, err) = hspace(&with(&["--lose=node-01-002"]));
    assert!(out.contains("-   6 instances allocated"), "{out}");
    assert!(err.starts_with("What if: 1 node(s) lost; 0 instance(s) run elsewhere"), "{err}");
}

#[test]
fn wrong_wishes_are_refused() {
    assert_eq!(hspace(&with(&["--rate=0"])).0, 1);
    assert_eq!(hspace(&with(&["--rate=soon"])).0, 1);
    let (code, _, err) = hspace(&with(&["--chart=/nonexistent/c.svg"]));
    assert!(code == 1 && err.contains("/nonexistent/c.svg: No such file"), "{err}");
    let (code, _, err) = hspace(&with(&["--lose=nix"]));
    assert!(code == 1 && err.contains("no node, group or tag of nodes is called 'nix'"), "{err}");
}

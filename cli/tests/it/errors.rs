//! Mistakes on the command line, refusals of the master, exit codes.

use gannet_core::error::{ErrorCode, WireError};
use serde_json::json;

use crate::support::{Master, response};

#[track_caller]
fn check(line: &str, code: i32, told: &str) {
    let output = Master::new().run(line);
    assert_eq!(output.code, code, "{line}: {output:?}");
    assert!(output.err.contains(told), "{line}: {}", output.err);
}

#[test]
fn mistakes_on_the_command_line() {
    check("gnt-instance list --no-headrs", 2, "no such option: --no-headrs (did you mean --no-headers?)");
    check("gnt-instance list -o", 2, "option --output requires a value");
    check("gnt-instance list --units x", 2, "invalid choice: 'x' (choose from h, m, g, t)");
    check("gnt-instance list --no-headers=1", 2, "option --no-headers does not take a value");
    check("gnt-instance shutdown --timeout soon web1", 2, "invalid integer value: 'soon'");
    check("gnt-instance shutdown web1 --timeout=3", 2, "option --timeout=3 must come before the arguments");
    check("gnt-node modify --offline maybe n1", 2, "invalid boolean value: 'maybe'");
    check("gnt-instance migrate", 1, "Command gnt-instance migrate expects 1 argument(s)");
    check("gnt-instance migrate a b", 1, "expects 1 argument(s)");
    check("gnt-cluster queue stop", 1, "'stop' is not one of drain, undrain, info");
    check("gnt-instance strat", 1, "unknown command 'strat' (did you mean 'start'?)");
    check("gnt instanc list", 1, "did you mean 'instance'?");
    check("gnt-instance add -t diskless -s 1g -o os web1", 1, "Diskless instance but disk information passed");
    check("gnt-instance add -t file -o os web1", 1, "No disk information specified");
    check("gnt-instance add -t file --disk 0:size=1x -o os web1", 1, "Invalid disk size for disk 0");
    check("gnt-instance modify web1", 1, "Please give at least one of the parameters.");
    check("gnt-job cancel", 1, "Either a job filter or job IDs must be specified");
    check("gnt-job info x", 1, "Invalid job ID passed: 'x'");
    check("gnt-cluster destroy", 1, "--yes-do-it");
    check("gnt-instance list name=", 1, "Error while parsing query filter");
    check("gnt-instance list --filter a b", 1, "Exactly one argument must be given as a filter");
}

#[test]
fn what_is_not_built_says_so() {
    check("gnt-cluster upgrade --to 3.2", 1, "`gnt-cluster upgrade` is not available in this version of Gannet yet (see docs/status.md)");
    check("gnt-backup export -n n1 web1", 1, "not available in this version of Gannet yet");
    check(
        "gnt-cluster copyfile --use-replication-network /etc/hosts",
        1,
        "`gnt-cluster copyfile --use-replication-network` is not available",
    );
}

#[test]
fn unambiguous_beginnings_of_options_are_enough() {
    let master = Master::new().answer("Query", response(&[("name", "Instance", "text")], json!([["web1"]])));
    assert_eq!(master.run("gnt-instance list --no-h --out name").out, "web1\n");
    let ambiguous = master.run("gnt-instance add --no-");
    assert_eq!(ambiguous.code, 2, "{ambiguous:?}");
}

#[test]
fn refusals_of_the_master() {
    let master = Master::new().refuse("Query", WireError::prereq("Instance 'x' not known", ErrorCode::NoEntity));
    insta::assert_snapshot!(master.run("gnt-instance list x").all());
    let drained = Master::new().refuse("SubmitJob", WireError::new("JobQueueDrainError", "drained"));
    let output = drained.run("gnt-node remove n1");
    assert_eq!((output.code, output.err.as_str()), (1, "Failure: the job queue is marked for drain and doesn't accept new requests\n"));
}

#[test]
fn without_a_master_here() {
    let master = Master::new();
    std::fs::remove_file(master.root().join("luxi")).unwrap();
    let none = master.run("gnt-instance list");
    assert_eq!(none.code, 5, "{none:?}");
    assert_eq!(master.run("gnt-cluster getmaster").code, 5);
    assert_eq!(master.run("gnt-cluster master-failover").code, 5);
    assert_eq!(master.run("gnt-cluster recover --yes-do-it").code, 5);
    std::fs::create_dir_all(master.root().join("var/lib/ganeti")).unwrap();
    std::fs::write(master.root().join("var/lib/ganeti/ssconf_master_node"), "node2.example.com\n").unwrap();
    let other = master.run("gnt-instance list");
    assert_eq!(other.code, 11);
    assert!(other.err.contains("please connect to node 'node2.example.com' and rerun the command"), "{}", other.err);
    assert_eq!(master.run("gnt-cluster getmaster").out, "node2.example.com\n");
    let copyless = master.run("gnt-cluster master-failover");
    assert!(copyless.code == 1 && copyless.err.contains("has no copy of the cluster's state"), "{copyless:?}");
    for command in ["gnt-cluster recover --yes-do-it", "gnt-cluster master-failover --no-voting --yes-do-it"] {
        let copyless = master.run(command);
        assert!(copyless.code == 1 && copyless.err.contains("has no copy of the cluster's state"), "{copyless:?}");
    }
    std::fs::write(master.root().join("var/lib/ganeti/ssconf_master_node"), "node1.example.com\n").unwrap();
    let here = master.run("gnt-instance list");
    assert_eq!(here.code, 1);
    let already = master.run("gnt-cluster master-failover");
    assert!(already.code == 1 && already.err.contains("node1.example.com is already the master"), "{already:?}");
    assert!(here.err.starts_with("Cannot contact the master daemon on ROOT/luxi."), "{}", here.err);
}

//! More memory than there is, by a ratio of nodes, groups or the cluster; and disk space that stays free.

use gannet_htools::load::{Loaded, finish};
use gannet_htools::program::{self, Io};
use gannet_htools::save;
use gannet_htools::state::N1Rule;

use super::random::loaded;

/// Three nodes with 1000 MiB for instances each, of which 300 are missing on the second one; instances take 300 MiB of each.
fn text(cluster_tag: &str, group_tag: &str, node_tag: &str) -> String {
    let node =
        |name: &str, free: u32, kind: &str, tags: &str| format!("{name}|1200|200|{free}|10000|9000|8|{kind}|uuid-g|1|{tags}|N|0|1|1.0\n");
    let instance = |name: &str, p: u32, s: u32| format!("{name}|300|1000|1|running|Y|n{p}|n{s}|drbd||1|-|N\n");
    format!(
        "g|uuid-g|preferred|{group_tag}|\n\n{}{}{}\n{}{}{}\n{cluster_tag}\n",
        node("n1", 700, "M", node_tag),
        node("n2", 400, "N", ""),
        node("n3", 700, "N", ""),
        instance("i1", 1, 2),
        instance("i2", 2, 3),
        instance("i3", 3, 1),
    )
}

fn unallocated(text: &str) -> Vec<i64> {
    let Loaded { cluster, state, .. } = loaded(text);
    cluster.node_ids().map(|id| state.usage(id).unallocated(cluster.node(id))).collect()
}

/// Runs a tool on a text file; gives back its code and what it said on both streams.
fn tool(name: &str, case: &str, text: &str, arguments: &[&str]) -> (u8, String) {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("overcommit-{case}-{name}"));
    std::fs::write(&path, text).expect("the file can be written");
    let mut words = if name == "hail" { Vec::new() } else { vec!["-t".to_owned()] };
    words.push(path.display().to_string());
    words.extend(arguments.iter().map(|word| (*word).to_owned()));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = program::run(name, &words, &mut Io { out: &mut out, err: &mut err, n1_rule: N1Rule::default() });
    std::fs::remove_file(&path).expect("the file is there");
    (code, String::from_utf8_lossy(&[out, err].concat()).into_owned())
}

#[test]
fn the_nearest_ratio_counts() {
    assert_eq!(unallocated(&text("", "", "")), [700, 400, 700]);
    // Of 1000, 700 and 1000 MiB; the missing memory is not there to be promised.
    assert_eq!(unallocated(&text("htools:memory-ratio:1.5", "", "")), [1200, 750, 1200]);
    assert_eq!(unallocated(&text("htools:memory-ratio:1.5", "htools:memory-ratio:2", "")), [1700, 1100, 1700]);
    assert_eq!(unallocated(&text("htools:memory-ratio:1.5", "htools:memory-ratio:2", "htools:memory-ratio:1")), [700, 1100, 1700]);
    // The smallest of one object.
    assert_eq!(unallocated(&text("", "htools:memory-ratio:2,htools:memory-ratio:1.5", "")), [1200, 750, 1200]);
    assert_eq!(unallocated(&text("", "htools:memory-ratio:0.5", "")), [200, 50, 200]);
}

#[test]
fn what_is_no_ratio_is_told_and_changes_nothing() {
    for wrong in ["", "0", "-1", "11", "much", "1.5x", "NaN", "inf"] {
        let found = loaded(&text("", "", &format!("htools:memory-ratio:{wrong}")));
        let expected = format!("node n1: tag htools:memory-ratio:{wrong}: not a ratio from 0.1 to 10");
        assert_eq!(found.warnings, [expected], "{wrong}");
        assert_eq!(found.state.usage[0].unallocated(&found.cluster.nodes[0]), 700, "{wrong}");
        let (code, said) = tool("hbal", "wrong", &text("", "", ""), &[&format!("--memory-ratio={wrong}")]);
        assert_eq!(code, 1, "{wrong}: {said}");
    }
    assert!(loaded(&text("", "", "htools:memory-ratio:1.5")).warnings.is_empty());
}

#[test]
fn it_is_written_as_it_is_and_not_counted_twice() {
    let given = text("", "", "htools:memory-ratio:1.5");
    let Loaded { cluster, state, .. } = loaded(&given);
    let saved = save::text(&cluster, &state);
    assert!(saved.contains("n1|1200|200|700|"), "{saved}");
    let again = finish(cluster.clone(), 0, N1Rule::default());
    assert_eq!((again.cluster, again.state), (cluster, state));
}

/// What a command-line ratio says for nodes without a tag: all tools see the same memory.
#[test]
fn tools_count_it() {
    // Each node could lose its peer only by promising more than it has.
    let full = text("", "", "").replace("|300|1000|", "|600|1000|").replace("|700|", "|400|").replace("n2|1200|200|400", "n2|1200|200|100");
    let (code, said) = tool("hcheck", "full", &full, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("Nodes not N+1 happy: 3"), "{said}");
    let (code, said) = tool("hcheck", "more", &full, &["--memory-ratio=2"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Nodes not N+1 happy: 0"), "{said}");
    let tagged = full.replace("g|uuid-g|preferred||", "g|uuid-g|preferred|htools:memory-ratio:2|");
    assert_eq!(tool("hcheck", "tagged", &tagged, &[]), (code, said));
    let (_, said) = tool("hbal", "full", &full, &[]);
    assert!(said.contains("Initial check done: 3 bad nodes"), "{said}");
    let (_, said) = tool("hbal", "more", &full, &["--memory-ratio=2", "-pname,tmem,umem,fmem"]);
    assert!(said.contains("Initial check done: 0 bad nodes"), "{said}");
    // Twice 1000 and 700 MiB, less 600 for the instance.
    assert!(said.contains(" n1    2200  1400  1400") && said.contains(" n2    1900   800   800"), "{said}");
}

/// A request for an instance of this memory and disk, on two nodes.
fn request(memory: u32, disk: u32, tag: &str) -> String {
    let spec =
        |n: u32| format!(r#"{{"memory-size":{n},"cpu-count":{n},"disk-size":{n},"disk-count":{n},"nic-count":{n},"spindle-use":{n}}}"#);
    let policy = format!(
        r#"{{"minmax":[{{"min":{},"max":{}}}],"std":{},"disk-templates":["plain"],"vcpu-ratio":4.0,"spindle-ratio":32.0}}"#,
        spec(1).replace("\"nic-count\":1", "\"nic-count\":0"),
        spec(1_000_000),
        spec(1)
    );
    let node = format!(
        r#"{{"total_memory":1200,"reserved_memory":200,"free_memory":1000,"total_disk":10000,"free_disk":9000,"total_cpus":8,"reserved_cpus":1,
        "total_spindles":0,"free_spindles":0,"group":"u","offline":false,"drained":false,"master_candidate":true,"vm_capable":true,
        "primary_ip":"192.0.2.1","secondary_ip":"192.0.2.1","tags":[{tag}],"i_pri_memory":0,"i_pri_up_memory":0,
        "ndparams":{{"spindle_count":1,"exclusive_storage":false}}}}"#
    );
    format!(
        r#"{{"version":2,"cluster_name":"c","cluster_tags":[],"enabled_hypervisors":["kvm"],"ipolicy":{policy},
        "nodegroups":{{"u":{{"name":"g","alloc_policy":"preferred","networks":[],"ipolicy":{policy},"tags":[]}}}},
        "nodes":{{"n1":{node}}},"instances":{{}},
        "request":{{"type":"allocate","name":"new","memory":{memory},"disks":[{{"size":{disk},"mode":"w"}}],"disk_space_total":{disk},
        "disk_template":"plain","hypervisor":"kvm","required_nodes":1,"vcpus":1,"spindle_use":1,"os":"o","tags":[],"nics":[]}}}}"#
    )
}

#[test]
fn hail_places_by_it() {
    let alone = ["--no-capacity-checks", "--static-kvm-node-memory=0"];
    let placed = |case: &str, request: &str, more: &[&str]| {
        let (code, said) = tool("hail", case, request, &[&alone, more].concat());
        assert_eq!(code, 0, "{said}");
        said.contains("\"success\":true")
    };
    assert!(placed("small", &request(900, 1000, ""), &[]));
    assert!(!placed("large", &request(1300, 1000, ""), &[]));
    assert!(placed("option", &request(1300, 1000, ""), &["--memory-ratio=1.5"]));
    assert!(placed("tag", &request(1300, 1000, "\"htools:memory-ratio:1.5\""), &[]));
    assert!(!placed("less", &request(900, 1000, "\"htools:memory-ratio:0.5\""), &["--memory-ratio=1.5"]), "the tag counts");
    assert!(placed("disk", &request(900, 8000, ""), &[]));
    assert!(placed("kept", &request(900, 8000, ""), &["--keep-disk=1000"]));
    assert!(!placed("kept-more", &request(900, 8000, ""), &["--keep-disk=1001"]));
}

/// What would help, but takes disk space that has to stay free, is not done.
#[test]
fn hcheck_keeps_disk_space() {
    let crowded = "g|uuid-g|preferred||\n\nn1|1200|200|400|10000|8000|8|M|uuid-g|1||N|0|1|1.0\n\
                   n2|700|200|500|10000|8000|8|N|uuid-g|1||N|0|1|1.0\nn3|1200|200|1000|10000|9000|8|N|uuid-g|1||N|0|1|1.0\n\n\
                   i1|300|1000|1|running|Y|n1|n2|drbd||1|-|N\ni2|300|1000|1|running|Y|n1|n2|drbd||1|-|N\n\n\n";
    let unhappy = |case: &str, more: &[&str]| {
        let arguments = [&["--no-instance-moves", "--no-capacity-checks"], more].concat();
        let (code, said) = tool("hcheck", case, crowded, &arguments);
        assert_eq!(code, 1, "{said}");
        let last = said.lines().rfind(|line| line.contains("Nodes not N+1 happy")).map(str::to_owned);
        last.unwrap_or(said)
    };
    assert_eq!(unhappy("free", &[]), "    Nodes not N+1 happy: 0");
    assert_eq!(unhappy("kept", &["--keep-disk=8000"]), "    Nodes not N+1 happy: 0");
    assert_eq!(unhappy("more", &["--keep-disk=8001"]), "    Nodes not N+1 happy: 1");
}

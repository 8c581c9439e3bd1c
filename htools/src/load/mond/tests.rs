//! Loads that monitoring daemons report.

use super::*;
use crate::load::{Wishes, finish, merge, text};
use crate::state::N1Rule;

const CLUSTER: &str = "g|u|preferred||\n\nn1|1000|0|900|10000|9000|4|N|u|1||N|0|2\nn2|1000|0|900|10000|9000|4|M|u|1||N|0|0\n\n\
                       a|100|1000|1|running|Y|n1||plain|\nb|100|1000|2|running|Y|n1||plain|\nc|100|1000|3|ADMIN_offline|Y|n2||plain|\n\n\n";

fn cluster() -> Cluster {
    let read = text::parse(CLUSTER, text::Repeated::Refuse).expect("it is good");
    merge(read, &Wishes::default()).expect("it is good")
}

fn node(name: &str, total: &str) -> String {
    format!(
        "{{\"node\":\"{name}\",\"reports\":[{{\"name\":\"cpu-avg-load\",\"version\":\"B\",\"format_version\":1,\"timestamp\":1379507272000000000,\
         \"category\":null,\"kind\":0,\"data\":{{\"cpu_number\":4,\"cpus\":[0.5],\"cpu_total\":{total}}}}}]}}"
    )
}

fn loads(text: &str) -> Result<Option<Vec<Loads>>, String> {
    let file = parse_file(text).map_err(|error| error.to_string())?;
    let of = |name: &str| file.find(name, Collector::Nodes.name()).and_then(|report| Collector::Nodes.read(report));
    Ok(["n1", "n2"].into_iter().map(of).collect())
}

#[test]
fn each_virtual_cpu_has_an_equal_part_of_the_nodes_load() {
    let mut cluster = cluster();
    let loads = loads(&format!("[{},{}]", node("n2", "0.25"), node("n1", "1.5"))).unwrap().unwrap();
    apply(&mut cluster, &loads).unwrap();
    // Three virtual CPUs and two of the node's own.
    assert_eq!([cluster.instances[0].load, cluster.instances[1].load], [[0.3, 1.0, 1.0, 1.0], [0.6, 1.0, 1.0, 1.0]]);
    let state = finish(cluster, 0, N1Rule::default()).state;
    assert_eq!(state.usage[0].load, [1.5, 2.0, 2.0, 2.0]);
    assert_eq!(state.usage[1].load, [0.25, 1.0, 1.0, 1.0]);
}

#[test]
fn loads_of_instances_add_up_to_those_of_nodes() {
    let mut cluster = cluster();
    let instances = |pairs: &[(&str, f64)]| Loads::Instances(pairs.iter().map(|(name, load)| ((*name).to_owned(), *load)).collect());
    let missing = apply(&mut cluster, &[instances(&[("b", 1.0)]), instances(&[])]);
    assert_eq!(missing.unwrap_err(), "No CPU information available for [\"a\",\"c\"]");
    assert_eq!(cluster, self::cluster(), "nothing is taken over");
    apply(&mut cluster, &[instances(&[("a", 0.5), ("b", 1.0)]), instances(&[("c", 0.125), ("b", 7.0)])]).unwrap();
    let state = finish(cluster, 0, N1Rule::default()).state;
    assert_eq!([state.usage[0].load[0], state.usage[1].load[0]], [1.5, 0.125], "b is on two nodes, the first one counts");
}

#[test]
fn a_node_that_says_too_little_spoils_it() {
    assert_eq!(loads(&format!("[{}]", node("n1", "1"))), Ok(None));
    for wrong in ["null", "\"1\"", "1e300", "-1e300"] {
        assert_eq!(loads(&format!("[{},{}]", node("n1", "1"), node("n2", wrong))), Ok(None), "{wrong}");
    }
    assert!(loads(&format!("[{},{}]", node("n1", "-1"), node("n2", "1e-3"))).unwrap().is_some());
}

#[test]
fn what_is_no_report_is_refused() {
    let good = format!("[{}]", node("n1", "1"));
    assert!(parse_file(&good).is_ok());
    for (from, to) in [
        ("\"kind\":0", "\"kind\":2"),
        ("\"kind\":0", "\"kind\":0,\"more\":1"),
        ("\"version\":\"B\",", ""),
        ("\"category\":null", "\"category\":\"none\""),
        ("\"format_version\":1", "\"format_version\":\"1\""),
        ("]", ""),
        ("\"node\":\"n1\",", ""),
    ] {
        assert!(good.contains(from));
        assert!(parse_file(&good.replace(from, to)).is_err(), "{from} became {to}");
    }
    for same in [("\"category\":null,", ""), ("\"category\":null", "\"category\":\"storage\""), ("\"kind\":0", "\"kind\":1.0")] {
        assert!(parse_file(&good.replace(same.0, same.1)).is_ok(), "{same:?}");
    }
}

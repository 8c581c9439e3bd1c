//! Every wrong input gets an error that names the line; none gets a panic.

use gannet_htools::load::text::{Repeated, parse};
use proptest::prelude::*;

const GOOD: &str = "g|uuid-g|preferred||\n\nn1|1000|0|900|10000|9000|4|N|uuid-g\nn2|1000|0|900|10000|9000|4|M|uuid-g|1\n\n\
                    i1|100|1000|1|running|Y|n1|n2|drbd||1\n\nhtools:iextags:a\n\n\
                    |128,1,1024,1,1,1|128,1,1024,1,1,1;32768,8,1048576,16,8,12|diskless,drbd|4.0|32.0\n";

#[track_caller]
fn check(from: &str, to: &str, expected: &str) {
    let text = GOOD.replacen(from, to, 1);
    assert_ne!(text, GOOD, "{from} is in the good text");
    let error = parse(&text, Repeated::Refuse).expect_err(expected).to_string();
    assert!(error.contains(expected), "{error} names {expected}");
}

#[test]
fn the_good_text_is_good() {
    let cluster = parse(GOOD, Repeated::Refuse).expect("it is");
    assert_eq!((cluster.nodes.len(), cluster.instances.len(), cluster.tags.len()), (2, 1, 1));
}

#[test]
fn wrong_lines_are_named() {
    check("g|uuid-g|preferred||", "g|uuid-g|preferred", "line 1: Invalid/incomplete group data");
    check("preferred", "liked", "line 1: Invalid allocation policy 'liked'");
    check("n2|", "n1|", "line 4: Duplicate node 'n1'");
    check("n2|", "|", "line 4: A node without a name");
    check("|4|N|uuid-g", "|4|N|uuid-h", "line 3: Unknown group 'uuid-h' for node n1");
    check("n1|1000", "n1|-1000", "line 3: n1: '-1000' is negative");
    check("n1|1000|0", "n1|1000|x", "line 3: n1: cannot parse string 'x'");
    check("n1|1000", "n1|NaN", "line 3: n1: cannot parse string 'NaN'");
    check("n1|1000|0|900", "n1|1000|0|99999999999999999999", "line 3: n1: '99999999999999999999' is out of range");
    check("i1|100|", "i1|100.5|", "line 6: i1: cannot parse string '100.5'");
    check("running", "sleeping", "line 6: Invalid status 'sleeping'");
    check("|Y|n1", "|y|n1", "line 6: Invalid auto_balance value");
    check("|n1|n2|", "|n3|n2|", "line 6: Unknown node 'n3' for instance i1");
    check("|n1|n2|", "|n1|n1|", "line 6: Instance i1 has same primary and secondary node - n1");
    check("drbd||1", "drdb||1", "line 6: Instance i1: invalid disk template 'drdb'");
    check("|128,1,1024,1,1,1|", "|128,1,1024,1,1|", "line 10: Invalid ispec data");
    check("1024,1,1,1;32768", "1024,1,1,1;1,1,1,1,1,1;32768", "line 10: Odd number of min/max specs");
    check("\n\nhtools", "\nhtools", "line 7: Invalid/incomplete instance data");
}

#[test]
fn missing_sections_are_counted() {
    let error = parse("g|u|preferred||\n\nn1|1|1\n", Repeated::Refuse).expect_err("two sections").to_string();
    assert_eq!(error, "Invalid format of the input file: 2 sections instead of 4 or more");
    assert!(parse("", Repeated::Refuse).is_err());
}

#[test]
fn a_node_that_says_nothing_is_offline() {
    let cluster = parse(&GOOD.replace("n1|1000|0|900", "n1|?|?|?"), Repeated::Refuse).expect("question marks are allowed");
    assert!(cluster.nodes[0].offline && cluster.nodes[0].total_memory == 0.0);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(at in 0usize..400, piece in "[-|,;?A-Za-z0-9.\n ]{0,6}", cut in 0usize..6) {
        let at = at.min(GOOD.len());
        let end = (at + cut).min(GOOD.len());
        let text = format!("{}{piece}{}", &GOOD[..at], &GOOD[end..]);
        drop(parse(&text, Repeated::Refuse));
    }
}

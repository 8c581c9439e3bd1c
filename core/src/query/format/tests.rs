use serde_json::{Value, json};

use super::{super::field, *};

const OFF: ResultEntry = ResultEntry::OFFLINE;

fn answer(resource: Resource, fields: &[&str], rows: &[Vec<ResultEntry>]) -> QueryResponse {
    QueryResponse { fields: field::query_fields(resource, fields).fields, data: rows.to_vec() }
}

fn row(values: Value) -> Vec<ResultEntry> {
    values.as_array().unwrap().iter().map(|v| ResultEntry::normal(v.clone())).collect()
}

fn nodes() -> QueryResponse {
    answer(
        Resource::Node,
        &["name", "dtotal", "mfree", "offline", "pinst_list", "pinst_cnt"],
        &[
            row(json!(["node1.example.com", 1_048_576, 800, false, ["web1", "db1"], 2])),
            vec![
                ResultEntry::normal("node10"),
                OFF,
                ResultEntry::NO_DATA,
                ResultEntry::normal(true),
                ResultEntry::normal(json!([])),
                ResultEntry::normal(0),
            ],
        ],
    )
}

#[track_caller]
fn check(resource: Resource, response: &QueryResponse, options: &Options<'_>, outcome: Outcome, expected: &[&str]) {
    assert_eq!(query(resource, response, options), (outcome, expected.iter().map(|l| (*l).to_owned()).collect()));
}

#[test]
fn columns_are_aligned_numbers_on_the_right() {
    check(
        Resource::Node,
        &nodes(),
        &Options::default(),
        Outcome::Incomplete,
        &[
            "Node              DTotal MFree Offline PriInstances Pinst",
            "node1.example.com   1.0T  800M N       web1,db1         2",
            "node10                 *     ? Y                        0",
        ],
    );
}

#[test]
fn verbose_spells_out_what_is_missing() {
    let options = Options { verbose: true, header: false, ..Options::default() };
    check(
        Resource::Node,
        &nodes(),
        &options,
        Outcome::Incomplete,
        &["node1.example.com      1.0T     800M N web1,db1 2", "node10            (offline) (nodata) Y          0"],
    );
}

#[test]
fn a_separator_turns_alignment_and_units_off() {
    let options = Options { separator: Some("|"), ..Options::default() };
    check(
        Resource::Node,
        &nodes(),
        &options,
        Outcome::Incomplete,
        &["Node|DTotal|MFree|Offline|PriInstances|Pinst", "node1.example.com|1048576|800|N|web1,db1|2", "node10|*|?|Y||0"],
    );
    let options = Options { separator: Some(":"), unit: Some(Unit::Gibi), header: false, ..Options::default() };
    check(Resource::Node, &nodes(), &options, Outcome::Incomplete, &["node1.example.com:1024.0:0.8:N:web1,db1:2", "node10:*:?:Y::0"]);
}

#[test]
fn the_last_column_has_no_spaces_after_it() {
    let response = answer(Resource::Instance, &["oper_ram", "name"], &[row(json!([128, "a"])), row(json!([2048, "long-name"]))]);
    check(Resource::Instance, &response, &Options::default(), Outcome::Normal, &["Memory Instance", "  128M a", "  2.0G long-name"]);
}

#[test]
fn unknown_fields_show_even_without_rows() {
    let rows = [vec![ResultEntry::normal("n"), ResultEntry::UNKNOWN]];
    let response = answer(Resource::Node, &["name", "nope"], &rows);
    check(Resource::Node, &response, &Options::default(), Outcome::UnknownField, &["Node nope", "n    ??"]);
    let response = answer(Resource::Node, &["name", "nope", "more"], &[]);
    check(Resource::Node, &response, &Options::default(), Outcome::UnknownField, &["Node nope more"]);
    assert_eq!(unknown_fields_warning(response.unknown_fields()).as_deref(), Some("Warning: Queried for unknown fields nope, more"));
    assert_eq!(unknown_fields_warning(nodes().unknown_fields()), None);
    let response = answer(Resource::Node, &["name"], &[]);
    check(Resource::Node, &response, &Options::default(), Outcome::Normal, &["Node"]);
}

#[track_caller]
fn cell(resource: Resource, field: &str, value: Value, expected: &str) {
    let response = answer(resource, &[field], &[vec![ResultEntry::normal(value)]]);
    let options = Options { header: false, ..Options::default() };
    check(resource, &response, &options, Outcome::Normal, &[expected]);
}

#[test]
fn each_kind_and_each_field_with_a_style_of_its_own() {
    cell(Resource::Instance, "ctime", json!(1_700_000_000.25), "2023-11-14 22:13:20");
    cell(Resource::Instance, "ctime", json!(null), "N/A");
    cell(Resource::Instance, "be/vcpus", json!(4), "4");
    cell(Resource::Node, "ndp/cpu_speed", json!(1.0), "1.0");
    cell(Resource::Instance, "beparams", json!({"vcpus": 1, "auto_balance": true}), "{'auto_balance': True, 'vcpus': 1}");
    cell(Resource::Instance, "nic.ips", json!([null, "192.0.2.1"]), "None,192.0.2.1");
    // Ganeti gives some lists commas and leaves others as they are.
    cell(Resource::Instance, "nic.names", json!([null, "a"]), "[None, 'a']");
    cell(Resource::Group, "tags", json!(["a", "b"]), "['a', 'b']");
    cell(Resource::Group, "ndparams", json!({"ovs": false, "oob_program": ""}), "oob_program=, ovs=False");
    cell(Resource::Group, "ndparams", json!({}), "(empty)");
    cell(
        Resource::Network,
        "group_list",
        json!([["default", "bridged", "br0", ""], ["g2", "openvswitch", "ovs", "7"]]),
        "default (bridged, br0, ), g2 (openvswitch, ovs, 7)",
    );
    cell(Resource::Job, "summary", json!(["INSTANCE_STARTUP(web1)", "TEST_DELAY(5)"]), "INSTANCE_STARTUP(web1),TEST_DELAY(5)");
    cell(Resource::Job, "received_ts", json!([1_700_000_000, 25]), "[1700000000, 25]");
    cell(Resource::Job, "opstart", json!([[1_700_000_000, 25], null]), "['2023-11-14 22:13:20.000025', '?']");
    cell(Resource::Lock, "mode", json!(null), "-");
    cell(Resource::Lock, "mode", json!("shared"), "shared");
    cell(Resource::Lock, "owner", json!([]), "-");
    cell(Resource::Lock, "owner", json!(["job1/2", "job3/4"]), "job1/2,job3/4");
    cell(Resource::Lock, "pending", json!([["exclusive", ["job5", "job6"]], ["shared", [7]]]), "exclusive:job5,job6, shared:7");
}

#[test]
fn widths_count_characters_not_bytes() {
    let response = answer(Resource::Node, &["name", "role"], &[row(json!(["ä", "M"])), row(json!(["bb", "R"]))]);
    check(Resource::Node, &response, &Options { header: false, ..Options::default() }, Outcome::Normal, &["ä  M", "bb R"]);
}

#[test]
fn the_list_of_fields() {
    let response = field::query_fields(Resource::Lock, &["name", "x"]);
    assert_eq!(
        fields(&response, true, None),
        ["Name Type    Title Description", "name Custom  Name  Name of the lock", "x    Unknown x     Unknown field 'x'",]
    );
    assert_eq!(fields(&response, false, Some("|")), ["name|Custom|Name|Name of the lock", "x|Unknown|x|Unknown field 'x'"]);
}

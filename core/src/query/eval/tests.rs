use std::collections::BTreeMap;

use serde_json::json;

use super::*;

/// An instance whose live fields may not have been asked for yet.
struct Instance {
    values: BTreeMap<&'static str, ResultEntry>,
    asked: bool,
}

impl Row for Instance {
    fn field(&self, name: &str) -> Option<ResultEntry> {
        if !self.asked && matches!(name, "status" | "oper_state" | "oper_ram") {
            return None;
        }
        Some(self.values.get(name).cloned().unwrap_or(ResultEntry::NO_DATA))
    }
}

fn instance(asked: bool) -> Instance {
    let values = BTreeMap::from([
        ("name", ResultEntry::normal("web1.example.com")),
        ("pnode", ResultEntry::normal("node1.example.com")),
        ("os", ResultEntry::normal("debian")),
        ("snodes", ResultEntry::normal(json!(["node2.example.com"]))),
        ("be/vcpus", ResultEntry::normal(2)),
        ("ctime", ResultEntry::normal(1000.5)),
        ("admin_up", ResultEntry::normal(true)),
        ("tags", ResultEntry::normal(json!(["prod", "web"]))),
        ("nic.ips", ResultEntry::normal(json!([null, "192.0.2.1"]))),
        ("disk.sizes", ResultEntry::normal(json!([1024, 2048]))),
        ("network_port", ResultEntry::UNAVAIL),
        ("oper_state", ResultEntry::normal(true)),
        ("oper_ram", ResultEntry::OFFLINE),
    ]);
    Instance { values, asked }
}

fn matches(text: &str, asked: bool) -> Result<bool, Error> {
    let filter = Filter::parse(text).unwrap();
    Matcher::new(Resource::Instance, &filter)?.matches(&instance(asked))
}

#[track_caller]
fn check(text: &str, expected: bool) {
    assert_eq!(matches(text, true), Ok(expected), "{text}");
}

#[track_caller]
fn fails(text: &str, message: &str) {
    assert_eq!(matches(text, true).unwrap_err().to_string(), message, "{text}");
}

#[test]
fn comparisons() {
    check("os == 'debian'", true);
    check("os == 'deb'", false);
    check("os != 'ubuntu'", true);
    check("os < 'e'", true);
    check("be/vcpus == 2", true);
    check("be/vcpus >= 3", false);
    check("be/vcpus > -1", true);
    check("be/vcpus <= 2 and be/vcpus < 3", true);
    check("ctime > 1000", true);
    check("ctime == 1000", false);
    check("admin_up", true);
    check("not admin_up", false);
}

#[test]
fn host_names_may_be_short_for_equality_only() {
    check("name == 'web1'", true);
    check("name == 'web1.example'", true);
    check("name == 'web1.ex'", false);
    check("name == 'web'", false);
    check("name == ''", false);
    check("name != 'web1'", false);
    check("pnode == 'node1'", true);
    check("name <= 'web1'", false);
    check("'node2' in snodes", false);
    check("'node2.example.com' in snodes", true);
}

#[test]
fn regular_expressions_and_globs_search() {
    check("name =~ m/example/", true);
    check("name =~ m/^example/", false);
    check("name =~ m/WEB/i", true);
    check("name !~ m/WEB/", true);
    check("name =* 'web*'", true);
    check("name =* '*.example.com'", true);
    check("name =* 'web?.*.com'", true);
    check("name =* 'web*.com'", false);
    check("name !* 'db*'", true);
}

#[test]
fn lists() {
    check("'prod' in tags", true);
    check("'test' in tags", false);
    check("'test' not in tags", true);
    check("2048 in disk.sizes", true);
    check("'192.0.2.1' in nic.ips", true);
    check("'192.0.2.2' in nic.ips", false);
}

#[test]
fn a_missing_value_satisfies_its_condition() {
    check("network_port == 5", true);
    check("network_port == 'x'", true);
    check("not network_port == 5", false);
    check("oper_ram > 100000", true);
}

#[test]
fn wrong_types_and_names_are_errors() {
    fails("nope == 1", "Can't find field named 'nope'");
    fails("admin_up and (os == 'x' or nope)", "Can't find field named 'nope'");
    fails("os", "Unexpected value '\"debian\"' of field 'os' in boolean context");
    fails("os == 5", "Invalid types in comparison, trying to compare \"debian\" (field 'os') with 5");
    fails("be/vcpus == '2'", "Invalid types in comparison, trying to compare 2 (field 'be/vcpus') with \"2\"");
    fails("admin_up == 1", "Invalid types in comparison, trying to compare true (field 'admin_up') with 1");
    fails("be/vcpus =~ m/2/", "Invalid value of field 'be/vcpus' used in regexp matching, expecting string but got '2'");
    fails("'x' in os", "Field 'os' is no list of strings, it is \"debian\"");
    fails("'x' in disk.sizes", "Field 'disk.sizes' is no list of strings, it is [1024,2048]");
    // What is not asked is no error.
    check("os == 'debian' or os", true);
    check("os == 'x' and os", false);
}

#[test]
fn without_live_data_a_row_passes_unless_already_decided() {
    let check = |text: &str, expected: bool| assert_eq!(matches(text, false), Ok(expected), "{text}");
    check("oper_state", true);
    check("not oper_state", true);
    check("os == 'x' and oper_state", false);
    check("os == 'debian' or not oper_state", true);
    // Ganeti does not look any further either.
    check("oper_state and os == 'x'", true);
    assert_eq!(matches("not oper_state", true), Ok(false));
}

#[test]
fn only_filters_on_live_fields_need_live_data() {
    let live = |text: &str| Matcher::new(Resource::Instance, &Filter::parse(text).unwrap()).unwrap().needs_live_data();
    assert!(live("os == 'x' and not oper_state"));
    assert!(!live("os == 'x'"));
}

#[test]
fn times_of_jobs_are_pairs() {
    struct Job;
    impl Row for Job {
        fn field(&self, name: &str) -> Option<ResultEntry> {
            Some(if name == "id" { ResultEntry::normal(7) } else { ResultEntry::normal(json!([1000, 5])) })
        }
    }
    let matches = |text: &str| Matcher::new(Resource::Job, &Filter::parse(text).unwrap()).unwrap().matches(&Job);
    assert_eq!(matches("id == 7 and start_ts >= 1000 and end_ts < 1001"), Ok(true));
    assert_eq!(matches("received_ts > 1000"), Ok(false));
}

#[test]
fn empty_lists_are_neutral() {
    let pass = |filter: Filter| Matcher::new(Resource::Instance, &filter).unwrap().matches(&instance(true)).unwrap();
    assert!(pass(Filter::Empty));
    assert!(pass(Filter::And(vec![])));
    assert!(!pass(Filter::Or(vec![])));
}

#[test]
fn large_numbers() {
    let number = |json: &str| serde_json::from_str::<Number>(json).unwrap();
    assert_eq!(compare_numbers(&number("18446744073709551615"), i64::MAX), Some(Ordering::Greater));
    assert_eq!(compare_numbers(&number("-0.5"), 0), Some(Ordering::Less));
}

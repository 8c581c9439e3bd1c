//! The tables against the contract, both ways.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;

fn contract() -> Value {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../qa/parity/query_fields.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Name to (title, kind), numbered fields written out.
fn contract_fields(resource: &Value) -> BTreeMap<String, (String, String)> {
    let entry = |v: &Value| (v["title"].as_str().unwrap().to_owned(), v["kind"].as_str().unwrap().to_owned());
    let mut fields: BTreeMap<_, _> = resource["fields"].as_object().unwrap().iter().map(|(name, v)| (name.clone(), entry(v))).collect();
    for (name, v) in resource["indexed_fields"].as_object().into_iter().flatten() {
        let last: usize = v["N"].as_str().unwrap().strip_prefix("0..").unwrap().parse().unwrap();
        for n in 0..=last {
            let number = |text: &str| text.strip_suffix('N').unwrap().to_owned() + &n.to_string();
            let (title, kind) = entry(v);
            fields.insert(number(name), (number(&title), kind));
        }
    }
    fields
}

#[test]
fn every_field_of_the_contract_and_no_other() {
    let contract = contract();
    let resources = contract["resources"].as_object().unwrap();
    let names: BTreeSet<_> = resources.keys().map(String::as_str).collect();
    assert_eq!(names, Resource::ALL.iter().map(|r| r.as_str()).collect());
    for resource in Resource::ALL {
        let expected = &resources[resource.as_str()];
        let theirs = || all(resource).into_iter().filter(|f| !is_own(resource, &f.name));
        let ours: BTreeMap<_, _> = theirs().map(|f| (f.name.into_owned(), (f.title.into_owned(), f.kind.as_str().to_owned()))).collect();
        assert_eq!(ours, contract_fields(expected), "{resource}");
        assert_eq!(json!(theirs().count()), expected["count"], "{resource}");
        if !expected["default_fields"].is_null() {
            assert_eq!(json!(default_fields(resource)), expected["default_fields"], "{resource}");
        }
        if !expected["live_fields"].is_null() {
            let live: Vec<_> = all(resource).into_iter().filter(|f| f.source == Source::Live).map(|f| f.name).collect();
            assert_eq!(json!(live), expected["live_fields"], "{resource}");
        }
    }
}

#[test]
fn own_fields_stand_beside_ganetis() {
    let own: Vec<_> = Resource::ALL.into_iter().flat_map(all).map(|f| f.name).filter(|name| is_own(Resource::Node, name)).collect();
    assert_eq!(own, ["store.lag", "store.role", "store.term"]);
    let theirs = &contract()["resources"]["node"]["fields"];
    assert!(own.iter().all(|name| theirs[name.as_ref()].is_null()));
}

#[test]
fn kinds_and_statuses_are_those_of_the_contract() {
    use super::super::ResultStatus;
    let contract = contract();
    for word in contract["kinds"].as_object().unwrap().keys() {
        let kind: FieldKind = serde_json::from_value(json!(word)).unwrap();
        assert_eq!(kind.as_str(), word);
    }
    let statuses = contract["result_statuses"].as_object().unwrap();
    assert_eq!(statuses.len(), ResultStatus::ALL.len());
    for status in ResultStatus::ALL {
        let expected = &statuses[&status.code().to_string()];
        assert_eq!(json!(status.placeholder(true)), expected["verbose"]);
        assert_eq!(json!(status.placeholder(false)), expected["short"]);
    }
    let via_luxi: Vec<_> =
        Resource::ALL.iter().filter(|r| r.is_via_luxi()).map(|r| r.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(json!(via_luxi), contract["resources_via_luxi"]);
}

#[test]
fn find_finds_what_all_lists() {
    for resource in Resource::ALL {
        for field in all(resource) {
            assert_eq!(find(resource, &field.name).as_ref(), Some(&field));
            assert!(!field.doc.is_empty() && !field.doc.contains('\n'), "{}", field.name);
        }
        for name in default_fields(resource) {
            assert!(find(resource, name).is_some(), "{resource} {name}");
        }
        assert!(find(resource, "nothing").is_none());
    }
}

#[test]
fn numbers_end_where_ganetis_end() {
    let exists = |name| find(Resource::Instance, name).is_some();
    assert!(exists("disk.size/15") && !exists("disk.size/16"));
    assert!(exists("nic.mac/7") && !exists("nic.mac/8"));
    assert!(!exists("disk.size/01") && !exists("disk.size/+1") && !exists("disk.size/") && !exists("disk.size"));
    assert!(!exists("hv/migration_port") && !exists("hv/") && exists("hv/acpi"));
    assert!(find(Resource::Node, "disk.size/0").is_none());
}

#[test]
fn older_names_look_like_the_newer_ones() {
    for field in all(Resource::Instance) {
        let newer = find(Resource::Instance, canonical_name(&field.name)).unwrap();
        assert_eq!((newer.title, newer.kind), (field.title, field.kind), "{}", field.name);
    }
    assert_eq!(canonical_name("mac"), "nic.mac/0");
}

#[test]
fn output_option() {
    let default = ["name", "os"];
    assert_eq!(parse_fields(None, &default), ["name", "os"]);
    assert_eq!(parse_fields(Some("a,b"), &default), ["a", "b"]);
    assert_eq!(parse_fields(Some("+a,b"), &default), ["name", "os", "a", "b"]);
    assert_eq!(parse_fields(Some("+"), &default), ["name", "os", ""]);
}

#[test]
fn the_answer_to_query_fields() {
    let answer = query_fields(Resource::Node, &["name", "nope"]);
    assert_eq!(
        serde_json::to_value(&answer).unwrap(),
        json!({"fields": [
            {"name": "name", "title": "Node", "kind": "text", "doc": "Name of the node"},
            {"name": "nope", "title": "nope", "kind": "unknown", "doc": "Unknown field 'nope'"},
        ]})
    );
    let all = query_fields::<&str>(Resource::Instance, &[]);
    assert_eq!(all.fields.len(), 292);
    let place = |name: &str| all.fields.iter().position(|f| f.name == name).unwrap();
    assert!(place("disk.size/9") < place("disk.size/10"));
}

//! The table of resources is the contract's: every URI, every method, its right and its opcode, and no more.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use gannet_rapi::route::{Access, Route, Verb};
use serde_json::Value;

fn contract() -> Value {
    serde_json::from_str(include_str!("../../qa/parity/rapi.json")).unwrap()
}

#[test]
fn every_resource_is_there() {
    let contract = contract();
    let mut methods = 0;
    for (uri, resource) in contract["resources"].as_object().unwrap() {
        let route = Route::all().find(|route| route.uri == uri).unwrap_or_else(|| panic!("no {uri}"));
        for (name, method) in resource["methods"].as_object().unwrap() {
            methods += 1;
            let endpoint = route.endpoint(Verb::parse(name).unwrap()).unwrap_or_else(|| panic!("no {name} {uri}"));
            let access = match &method["access"] {
                Value::String(none) if none == "none" => Access::Public,
                Value::Array(rights) if rights.len() == 1 && rights[0] == "write" => Access::Write,
                Value::Array(rights) if rights.len() == 2 => Access::Read,
                other => panic!("unknown access {other} of {name} {uri}"),
            };
            assert_eq!(endpoint.access, access, "{name} {uri}");
            // the list of operating systems and the reinstallation submit more than one opcode and have code of their own
            if let (Value::String(op_id), false) = (&method["submits"], uri == "/2/os") {
                assert_eq!(endpoint.op_id(), Some(op_id.as_str()), "{name} {uri}");
            }
        }
        assert_eq!(route.endpoints.len(), resource["methods"].as_object().unwrap().len(), "methods of {uri}");
    }
    assert_eq!(methods, contract["counts"]["methods"]);
}

#[test]
fn nothing_else_is_there() {
    let contract = contract();
    let uris: BTreeSet<&str> = Route::all().map(|route| route.uri).collect();
    assert_eq!(uris.len(), Route::all().count(), "a URI twice");
    assert_eq!(uris, contract["resources"].as_object().unwrap().keys().map(String::as_str).collect());
    assert_eq!(uris.len(), contract["counts"]["resources"].as_u64().unwrap() as usize);
}

/// What a pattern stands for is found by it, and by no other.
#[test]
fn each_uri_leads_to_its_resource() {
    for route in Route::all() {
        let path: Vec<&str> = route
            .uri
            .split('/')
            .map(|part| match part {
                "{job_id}" | "{disk_index}" => "17",
                variable if variable.starts_with('{') => "some-name.example_1",
                fixed => fixed,
            })
            .collect();
        let (found, vars) = Route::find(&path.join("/")).unwrap();
        assert_eq!(found.uri, route.uri);
        assert_eq!(vars.len(), route.uri.matches('{').count());
    }
}

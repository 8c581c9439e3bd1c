//! Compares the opcodes with the reference data in `qa/parity/opcodes.json`, in both directions.
//!
//! Types are compared by what they accept: each type of the reference data gives values that must be read and come
//! back unchanged, and values that must be refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::{Common, Error, Op, OpCode, Secrets};

fn reference() -> &'static Value {
    static REFERENCE: LazyLock<Value> = LazyLock::new(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../qa/parity/opcodes.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    });
    &REFERENCE
}

/// Opcodes of the reference data: name to description.
fn opcodes() -> BTreeMap<String, Value> {
    serde_json::from_value(reference()["opcodes"].clone()).unwrap()
}

fn params(opcode: &Value) -> Vec<&Value> {
    opcode["params"].as_array().unwrap().iter().collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Splits `K,V` at the comma that is not inside brackets.
fn halves(types: &str) -> (&str, &str) {
    let mut depth = 0;
    let at = types.find(|c: char| {
        match c {
            '<' | '(' => depth += 1,
            '>' | ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    let at = at.unwrap();
    (&types[..at], &types[at + 1..])
}

fn inside<'a>(kind: &str, open: &str, close: &str, of: &'a str) -> Option<&'a str> {
    of.strip_prefix(kind)?.strip_prefix(open)?.strip_suffix(close)
}

/// Words of a closed set: those written in the type, or those the grammar lists under its name.
fn words(kind: &str) -> Option<Vec<String>> {
    if let Some(words) = inside("enum", "(", ")", kind) {
        return Some(words.split('|').map(str::to_owned).collect());
    }
    let grammar = reference()["type_grammar"][kind].clone();
    serde_json::from_value(grammar).ok()
}

/// Values that the type must accept.
fn good(kind: &str) -> Vec<Value> {
    if let Some(words) = words(kind) {
        return words.into_iter().map(|word| json!(word)).collect();
    }
    if let Some(inner) = inside("maybe", "<", ">", kind) {
        return good(inner).into_iter().chain([Value::Null]).collect();
    }
    if let Some(inner) = inside("list", "<", ">", kind).or(inside("set", "<", ">", kind)) {
        return good(inner).into_iter().map(|value| json!([value])).chain([json!([])]).collect();
    }
    if let Some(inner) = inside("private", "<", ">", kind).or(inside("secret", "<", ">", kind)) {
        return good(inner);
    }
    if let Some(types) = inside("tuple", "<", ">", kind) {
        let (first, second) = halves(types);
        return vec![json!([good(first)[0], good(second)[0]])];
    }
    if let Some(types) = inside("dict", "<", ">", kind) {
        let (key, value) = halves(types);
        let key = text(&good(key)[0]).to_owned();
        return good(value).into_iter().map(|value| json!({ &key: value })).chain([json!({})]).collect();
    }
    match kind {
        "bool" => vec![json!(true), json!(false)],
        "string" => vec![json!("text"), json!("")],
        "nonempty-string" => vec![json!("text")],
        "int" => vec![json!(-1), json!(0), json!(7)],
        "nonneg<int>" => vec![json!(0), json!(7)],
        "positive<int>" => vec![json!(1), json!(7)],
        "int[0..15]" => vec![json!(0), json!(15)],
        "float" => vec![json!(0.5), json!(-2.5)],
        "any" => vec![json!(null), json!(1), json!({"a": [true]})],
        "nonempty-string|list" => vec![json!("node1"), json!([["host", 1811, "magic"]])],
        "ipv4-address" => vec![json!("192.0.2.1")],
        "ipv6-address" => vec![json!("2001:db8::1")],
        "ipv4-network" => vec![json!("192.0.2.0/24")],
        "ipv6-network" => vec![json!("2001:db8::/64")],
        "nic-params" => vec![json!({}), json!({"link": "br0", "ip": null, "vlan": ".1", "network": "net1"})],
        "disk-params" => vec![json!({}), json!({"size": 1024, "vg": "xenvg", "any-key": "x"})],
        "recreate-disks-info" => vec![json!([]), json!([0, 15]), json!([[0, {"spindles": 2}]])],
        "mods<nic-params>" => vec![json!([]), json!([["add", -1, {"mac": "auto"}], ["remove", "eth0", {}]])],
        "mods<disk-params>" => vec![json!([]), json!([["modify", 0, {"mode": "ro"}], ["attach", -1, {}], ["detach", 1, {}]])],
        other => panic!("the test does not know the type {other}"),
    }
}

/// Values that the type must refuse.
fn bad(kind: &str) -> Vec<Value> {
    if words(kind).is_some() {
        return vec![json!("no such word"), json!(""), json!(1), json!(null)];
    }
    if let Some(inner) = inside("maybe", "<", ">", kind) {
        return bad(inner).into_iter().filter(|value| !value.is_null()).collect();
    }
    if let Some(inner) = inside("list", "<", ">", kind).or(inside("set", "<", ">", kind)) {
        return bad(inner).into_iter().map(|value| json!([value])).chain([json!("text"), json!({}), json!(null)]).collect();
    }
    if let Some(inner) = inside("private", "<", ">", kind).or(inside("secret", "<", ">", kind)) {
        return bad(inner);
    }
    if let Some(types) = inside("tuple", "<", ">", kind) {
        let (first, second) = halves(types);
        let with_bad_second = bad(second).into_iter().map(|value| json!([good(first)[0], value]));
        return with_bad_second.chain([json!([]), json!([good(first)[0]]), json!(null)]).collect();
    }
    if let Some(types) = inside("dict", "<", ">", kind) {
        let (key, value) = halves(types);
        let good_key = text(&good(key)[0]).to_owned();
        let bad_keys = if words(key).is_some() { vec![json!({ "no such word": good(value)[0] })] } else { vec![] };
        let bad_values = bad(value).into_iter().map(|value| json!({ &good_key: value }));
        return bad_values.chain(bad_keys).chain([json!([]), json!("text"), json!(null)]).collect();
    }
    match kind {
        "bool" => vec![json!("true"), json!(1), json!(null)],
        "string" => vec![json!(1), json!(false), json!(null)],
        "nonempty-string" => vec![json!(""), json!(1), json!(null)],
        "int" => vec![json!("1"), json!(1.5), json!(true), json!(null)],
        "nonneg<int>" => vec![json!(-1), json!("1"), json!(1.5), json!(true), json!(null)],
        "positive<int>" => vec![json!(0), json!(-1), json!("1"), json!(null)],
        "int[0..15]" => vec![json!(-1), json!(16), json!("0"), json!(null)],
        "float" => vec![json!("1"), json!(true), json!(null)],
        "any" => vec![],
        "nonempty-string|list" => vec![json!(""), json!(1), json!({}), json!(null)],
        "ipv4-address" | "ipv6-address" => vec![json!("host"), json!(""), json!(1), json!("192.0.2.0/24")],
        "ipv4-network" => vec![json!("192.0.2.0"), json!("192.0.2.0/33"), json!(""), json!(null)],
        "ipv6-network" => vec![json!("2001:db8::"), json!("2001:db8::/129"), json!("192.0.2.0/24"), json!(null)],
        "nic-params" => vec![json!({"no-such": "x"}), json!({"link": 1}), json!([]), json!(null)],
        "disk-params" => vec![json!({"size": null}), json!({"vg": ""}), json!({"": 1}), json!([]), json!(null)],
        "recreate-disks-info" => vec![json!([16]), json!([[0, {"size": null}]]), json!({}), json!(null)],
        "mods<nic-params>" | "mods<disk-params>" => vec![json!([["grow", 0, {}]]), json!([{}]), json!([["add"]]), json!(null)],
        other => panic!("the test does not know the type {other}"),
    }
}

/// Values of `kind` for the parameter `name`; where the reference says less than the code requires, the code's.
fn good_for(name: &str, kind: &str) -> Vec<Value> {
    let holds_opcodes = name == "instances" && kind == "list<any>";
    if holds_opcodes { vec![json!([])] } else { good(kind) }
}

/// The smallest valid object of an opcode: required parameters only.
fn smallest(op_id: &str, opcode: &Value) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("OP_ID".to_owned(), json!(op_id));
    for param in params(opcode).iter().filter(|param| param["required"] == true) {
        object.insert(text(&param["name"]).to_owned(), good(text(&param["type"]))[0].clone());
    }
    object
}

fn read(object: &Map<String, Value>) -> Result<OpCode, Error> {
    OpCode::from_json(Value::Object(object.clone()))
}

fn written(opcode: &OpCode) -> Map<String, Value> {
    match serde_json::to_value(opcode).unwrap() {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

#[test]
fn same_opcodes() {
    let expected: Vec<String> = opcodes().into_keys().collect();
    assert_eq!(Op::ALL_IDS, expected);
    let samples: Vec<&str> = Op::samples().iter().map(Op::id).collect();
    assert_eq!(samples, expected);
}

#[test]
fn same_parameters_and_defaults() {
    let common = reference()["common_params"].as_array().unwrap().clone();
    let mut differences = Vec::new();
    for (op_id, opcode) in opcodes() {
        let smallest = smallest(&op_id, &opcode);
        let found = written(&read(&smallest).unwrap());
        let mut expected = smallest;
        for param in params(&opcode).into_iter().chain(&common) {
            expected.entry(text(&param["name"])).or_insert_with(|| param["default"].clone());
        }
        for name in found.keys().chain(expected.keys()).collect::<BTreeSet<_>>() {
            if found.get(name) != expected.get(name) {
                differences.push(format!("{op_id}.{name}: {:?}, expected {:?}", found.get(name), expected.get(name)));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn same_types() {
    let mut differences = Vec::new();
    for (op_id, opcode) in opcodes() {
        let smallest = smallest(&op_id, &opcode);
        for param in params(&opcode) {
            let (name, kind) = (text(&param["name"]), text(&param["type"]));
            for value in good_for(name, kind) {
                let mut object = smallest.clone();
                object.insert(name.to_owned(), value.clone());
                match read(&object) {
                    Ok(opcode) if written(&opcode)[name] == value => {}
                    Ok(opcode) => differences.push(format!("{op_id}.{name}: {value} became {}", written(&opcode)[name])),
                    Err(error) => differences.push(format!("{op_id}.{name} ({kind}): {value}: {error}: {:?}", error.detail())),
                }
            }
            for value in bad(kind) {
                let mut object = smallest.clone();
                object.insert(name.to_owned(), value.clone());
                match read(&object) {
                    Err(Error::Invalid { parameter, .. }) if parameter == name => {}
                    other => differences.push(format!("{op_id}.{name} ({kind}): {value} gave {other:?}")),
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn required_and_unknown_parameters() {
    for (op_id, opcode) in opcodes() {
        let smallest = smallest(&op_id, &opcode);
        for name in smallest.keys().filter(|name| *name != "OP_ID") {
            let mut object = smallest.clone();
            object.remove(name);
            let error = read(&object).unwrap_err();
            assert_eq!(error.to_string(), format!("Required parameter '{op_id}.{name}' missing"));
        }
        let mut object = smallest;
        object.insert("no_such".to_owned(), json!(1));
        let error = read(&object).unwrap_err();
        assert!(matches!(&error, Error::Unknown { parameter, .. } if parameter == "no_such"), "{op_id}: {error}");
    }
}

#[test]
fn same_hooks_and_big_lock() {
    for (op, (op_id, opcode)) in Op::samples().iter().zip(opcodes()) {
        let hooks = op.hooks().map(|(path, kind)| (json!(path), json!(kind)));
        let (path, kind) = (opcode["hooks_path"].clone(), opcode["hooks_type"].clone());
        assert_eq!(hooks.unwrap_or_default(), (path, kind), "{op_id}");
        assert_eq!(op.needs_bgl(), opcode["req_bgl"] == true, "{op_id}");
    }
}

#[test]
fn same_summaries() {
    for (op, (op_id, opcode)) in Op::samples().into_iter().zip(opcodes()) {
        let object = written(&op.clone().into());
        let name = op_id.trim_start_matches("OP_");
        let expected = match opcode["dsc_field"].as_str() {
            None => name.to_owned(),
            Some("duration") => format!("{name}(500000000 ns)"),
            Some(field) => format!("{name}({})", object[field].as_str().unwrap_or("None")),
        };
        assert_eq!(op.summary(), expected);
    }
    let tiny: BTreeSet<String> = Op::samples().iter().map(Op::tiny_summary).collect();
    for expected in ["I_STARTUP", "N_ADD", "G_RENAME", "C_VERIFY", "TAGS_SET", "OS_DIAGNOSE"] {
        assert!(tiny.contains(expected), "{expected}");
    }
}

#[test]
fn samples_come_back_unchanged() {
    for op in Op::samples() {
        let opcode = OpCode::from(op);
        assert_eq!(opcode.secrets(), Secrets::None);
        assert_eq!(read(&written(&opcode)).unwrap(), opcode);
        // What `new` leaves at its default is what reading fills in.
        let reference = &opcodes()[opcode.op.id()];
        let mut object = written(&opcode);
        let required: Vec<&str> =
            params(reference).iter().filter(|param| param["required"] == true).map(|param| text(&param["name"])).collect();
        object.retain(|name, _| name == "OP_ID" || required.contains(&name.as_str()));
        assert_eq!(read(&object).unwrap(), opcode);
    }
}

#[test]
fn common_parameters() {
    let with = |name: &str, value: Value| {
        let object = json!({"OP_ID": "OP_CLUSTER_QUERY", name: value});
        OpCode::from_json(object).map(|opcode| written(&opcode)[name].clone()).map_err(|error| error.to_string())
    };
    let refused = |name: &str| Err(format!("Parameter 'OP_CLUSTER_QUERY.{name}' fails validation"));
    assert_eq!(with("depends", json!([[-1, ["success"]], [7, []]])), Ok(json!([[-1, ["success"]], [7, []]])));
    assert_eq!(with("depends", json!([["7", []]])), Ok(json!([[7, []]])));
    assert_eq!(with("depends", json!([[1, ["running"]]])), refused("depends"));
    assert_eq!(with("reason", json!([["gnt:client", "test", 1_700_000_000_000_000_000_i64]])).unwrap()[0][1], "test");
    assert_eq!(with("reason", Value::Null), Ok(json!([])));
    assert_eq!(with("priority", json!(-10)), Ok(json!(-10)));
    assert_eq!(with("priority", json!(-21)), refused("priority"));
    assert_eq!(with("debug_level", json!(-1)), refused("debug_level"));
    assert_eq!(with("dry_run", json!("yes")), refused("dry_run"));

    let mut names: Vec<String> =
        reference()["common_params"].as_array().unwrap().iter().map(|param| text(&param["name"]).to_owned()).collect();
    names.sort();
    assert_eq!(names, Common::NAMES);
    let queued = OpCode::from_json(json!({"OP_ID": "OP_CLUSTER_QUERY", "priority": 5})).unwrap();
    assert!(queued.check_submit().is_err());
}

#[test]
fn what_is_no_opcode() {
    let error = |value: Value| OpCode::from_json(value).unwrap_err().to_string();
    assert_eq!(error(json!([])), "Invalid data to LoadOpCode (not an object)");
    assert_eq!(error(json!({})), "Invalid data to LoadOpCode, missing OP_ID");
    assert_eq!(error(json!({"OP_ID": "OP_NOTHING"})), "Invalid data to LoadOpCode: OP_ID OP_NOTHING unsupported");
}

#[test]
fn secrets_are_hidden() {
    let create = json!({
        "OP_ID": "OP_INSTANCE_CREATE", "instance_name": "web1", "disks": [], "nics": [], "mode": "create",
        "osparams_private": {"key": "hidden-private"}, "osparams_secret": {"key": "hidden-secret"},
    });
    let nested = json!({"OP_ID": "OP_INSTANCE_MULTI_ALLOC", "instances": [create]});
    for value in [create, nested] {
        let opcode = OpCode::from_json(value).unwrap();
        assert!(!format!("{opcode:?}").contains("hidden-"));
        let stored = opcode.for_storage().unwrap().to_string();
        assert!(stored.contains("hidden-private") && !stored.contains("hidden-secret"), "{stored}");
        assert!(!opcode.for_display().unwrap().to_string().contains("hidden-"));
        assert!(serde_json::to_string(&opcode).unwrap().contains("hidden-secret"));
        assert_eq!(opcode.secrets(), Secrets::Held);
        let read_back = OpCode::from_json(opcode.for_storage().unwrap()).unwrap();
        assert_eq!(read_back.secrets(), Secrets::Lost);
    }
    let wrong = json!({"OP_ID": "OP_TEST_OS_PARAMS", "osparams_secret": "hidden-secret"});
    assert!(!format!("{:?}", OpCode::from_json(wrong)).contains("hidden-"));
}

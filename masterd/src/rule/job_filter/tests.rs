use gannet_core::quantity::Timestamp;

use super::*;

fn rule(predicates: Value, action: Value) -> FilterRule {
    let Value::Array(predicates) = predicates else { panic!("predicates are a list") };
    FilterRule { watermark: JobId(10), priority: 0, predicates, action, reason_trail: vec![], uuid: FilterUuid::from("u1") }
}

/// Job 12: a delay for `gnt:user: maintenance`, then a tag on the cluster.
fn job() -> Job {
    let mut delay = OpCode::from_json(json!({"OP_ID": "OP_TEST_DELAY", "duration": 1.5})).expect("an opcode");
    delay.common.reason = vec![ReasonEntry { source: "gnt:user".into(), reason: "maintenance".into(), timestamp_ns: 7 }];
    let tags = json!({"OP_ID": "OP_TAGS_SET", "kind": "cluster", "name": null, "tags": ["a"]});
    Job::new(JobId(12), vec![delay, OpCode::from_json(tags).expect("an opcode")], Timestamp(0))
}

#[track_caller]
fn applies(predicates: Value, expected: bool) {
    let rule = Rule::read(&rule(predicates.clone(), json!("PAUSE"))).unwrap_or_else(|error| panic!("{predicates}: {error}"));
    assert_eq!(deciding(&[rule], &job()).is_some(), expected, "{predicates}");
}

#[test]
fn predicates() {
    applies(json!([]), true);
    applies(json!([["jobid", [">", "id", "watermark"]]]), true);
    applies(json!([["jobid", ["<=", "id", "watermark"]]]), false);
    applies(json!([["jobid", ["|", ["==", "id", 3], ["=", "id", 12]]]]), true);
    applies(json!([["jobid", ["!=", "id", 12]]]), false);
    applies(json!([["opcode", ["==", "OP_ID", "OP_TAGS_SET"]]]), true);
    applies(json!([["opcode", ["==", "OP_ID", "OP_INSTANCE_CREATE"]]]), false);
    applies(json!([["opcode", ["&", ["==", "OP_ID", "OP_TEST_DELAY"], ["?", "on_master"]]]]), true);
    applies(json!([["opcode", ["&", ["==", "OP_ID", "OP_TEST_DELAY"], ["=[]", "tags", "a"]]]]), false);
    applies(json!([["opcode", ["==", "no_such_field", "x"]]]), false);
    applies(json!([["opcode", ["==", "duration", "a text"]]]), false);
    applies(json!([["opcode", [">", "duration", 1]]]), true);
    applies(json!([["reason", ["=~", "reason", "^maint"]]]), true);
    applies(json!([["reason", ["&", ["==", "source", "gnt:user"], ["<", "timestamp", 7]]]]), false);
    applies(json!([["reason", ["==", "source", "gnt:user"]], ["jobid", ["<", "id", 3]]]), false);
}

#[test]
fn fields_inside_fields() {
    let value = json!({"hvparams": {"acpi": true}, "a.b": 1});
    assert_eq!(nested(&value, "hvparams.acpi"), Some(&json!(true)));
    assert_eq!(nested(&value, "a.b"), Some(&json!(1)));
    assert_eq!(nested(&value, "hvparams.acpi.x"), None);
}

#[test]
fn the_first_rule_that_says_something_decides() {
    let with = |priority: u32, watermark: u64, uuid: &str, action: Value| FilterRule {
        priority,
        watermark: JobId(watermark),
        uuid: FilterUuid::from(uuid),
        ..rule(json!([]), action)
    };
    let rules = [
        with(5, 0, "a", json!("REJECT")),
        with(1, 9, "b", json!("PAUSE")),
        with(1, 8, "d", json!(["RATE_LIMIT", 2])),
        with(1, 8, "c", json!("CONTINUE")),
    ];
    let (compiled, bad) = compile(&rules);
    assert!(bad.is_empty());
    assert_eq!(compiled.iter().map(|rule| rule.uuid.as_str()).collect::<Vec<_>>(), ["c", "d", "b", "a"]);
    assert_eq!(deciding(&compiled, &job()).map(|rule| &rule.action), Some(&Action::RateLimit(2)));
    let (rest, bad) = compile([&rules[0], &rule(json!([["nonsense", null]]), json!("ACCEPT"))]);
    assert_eq!((rest.len(), bad.len()), (1, 1), "one that cannot be read does not hide the others");
}

#[test]
fn what_is_no_rule_is_said() {
    for (predicates, action, word) in [
        (json!([]), json!("STOP"), "no action"),
        (json!([]), json!(["RATE_LIMIT", 0]), "at least 1"),
        (json!([]), json!(["RATE_LIMIT"]), "no action"),
        (json!([]), json!("RATE_LIMIT"), "no action"),
        (json!(["x"]), json!("ACCEPT"), "no predicate"),
        (json!([["job", ["==", "id", 1]]]), json!("ACCEPT"), "no kind"),
        (json!([["jobid", ["==", "status", 1]]]), json!("ACCEPT"), "'status'"),
        (json!([["jobid", ["==", "id", "nine"]]]), json!("ACCEPT"), "watermark"),
        (json!([["jobid", ["?", "id"]]]), json!("ACCEPT"), "only be compared"),
        (json!([["reason", ["==", "text", "x"]]]), json!("ACCEPT"), "'text'"),
        (json!([["opcode", ["~", "OP_ID"]]]), json!("ACCEPT"), "cannot be read"),
    ] {
        let error = Rule::read(&rule(predicates.clone(), action.clone())).expect_err("it is no rule");
        assert!(error.contains(word), "{predicates} {action}: {error}");
    }
}

//! Every command, alias, option and argument of `qa/parity/cli.json` is there, with the same letter, kind and default.

use std::collections::BTreeSet;
use std::path::Path;

use gannet_cli::spec::{COMMON, Kind, Opt, Program};
use serde_json::Value;

fn contract() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../qa/parity/cli.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A name or a list of names.
fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn kind_fits(option: &Opt, wanted: &Value) -> bool {
    let action = wanted["action"].as_str().unwrap_or("store");
    if action.starts_with("store_") {
        return option.kind == Kind::Flag;
    }
    if action.starts_with("callback: prints") {
        return option.kind == Kind::Obsolete;
    }
    let choices = names(&wanted["choices"]);
    if !choices.is_empty() {
        return matches!(option.kind, Kind::Choice(found) if found == choices);
    }
    let kind = match wanted["type"].as_str().unwrap() {
        "string" => Kind::Text,
        "int" => Kind::Int,
        "float" => Kind::Float,
        "unit" => Kind::Unit,
        "bool" => Kind::YesNo,
        "keyval" | "keyprivateval" => Kind::KeyVal,
        "identkeyval" => Kind::IdentKeyVal,
        "multilistidentkeyval" => Kind::Bounds,
        "list" => Kind::List,
        "maybefloat" => Kind::MaybeFloat,
        "json" => Kind::Json,
        "filteraction" => Kind::FilterAction,
        other => panic!("unknown type {other}"),
    };
    option.kind == kind && option.repeats == (action == "append")
}

/// The default of an option with a value, as text. Empty lists and objects are those of options that were not given; `true` is that of
/// a text option in one place, where it cannot be told from a text that was given.
fn default(wanted: &Value) -> Option<String> {
    let is_plain = wanted["action"].is_null() && !wanted["type"].is_null();
    match &wanted["default"] {
        Value::String(text) if is_plain => Some(text.clone()),
        number @ Value::Number(_) if is_plain => Some(number.to_string()),
        _ => None,
    }
}

#[test]
fn every_option_of_every_command_is_there() {
    let contract = contract();
    let (mut commands, mut options) = (0, 0);
    for (program, wanted) in contract["commands"].as_object().unwrap() {
        let found = Program::find(program).unwrap_or_else(|| panic!("{program} is missing"));
        for (name, wanted) in wanted["subcommands"].as_object().unwrap() {
            commands += 1;
            let command = found.command(name).unwrap_or_else(|| panic!("{program} {name} is missing"));
            let aliases: BTreeSet<&str> = names(&wanted["aliases"]).into_iter().collect();
            assert_eq!(command.aliases.iter().copied().collect::<BTreeSet<_>>(), aliases, "{program} {name}");
            assert_eq!(command.env_default, wanted["env_default_args"].as_str(), "{program} {name}");
            let limits = |arg: &Value| (arg["min"].as_u64().unwrap() as usize, arg["max"].as_u64().map(|max| max as usize));
            let wanted_args: Vec<_> = wanted["args"].as_array().unwrap().iter().map(limits).collect();
            assert_eq!(command.args.iter().map(|arg| (arg.min, arg.max)).collect::<Vec<_>>(), wanted_args, "{program} {name}");
            for option in wanted["options"].as_array().unwrap() {
                options += 1;
                let longs = names(&option["long"]);
                let id = longs.first().map_or("n", |long| &long[2..]);
                let found = command.option(id).unwrap_or_else(|| panic!("{program} {name} has no option {id}"));
                let letter = names(&option["short"]).first().and_then(|short| short.chars().nth(1));
                assert_eq!(found.short, letter, "{program} {name} {id}");
                assert_eq!(found.alias, longs.get(1).map(|long| &long[2..]), "{program} {name} {id}");
                assert_eq!(found.default.map(str::to_owned), default(option), "{program} {name} {id}");
                assert!(kind_fits(found, option), "{program} {name} {id}: {:?}", found.kind);
            }
        }
    }
    assert_eq!(commands, contract["counts"]["subcommands"].as_u64().unwrap());
    assert_eq!(options, contract["counts"]["option_uses"].as_u64().unwrap());
    for option in contract["common_options"].as_array().unwrap() {
        let long = option["long"].as_str().unwrap();
        assert!(long == "--help" || COMMON.iter().any(|common| common.typed() == long), "{long}");
    }
}

/// Clap itself checks its commands: letters and names are unique, defaults are valid.
#[test]
fn the_commands_are_consistent() {
    for program in gannet_cli::spec::PROGRAMS {
        gannet_cli::command::program(program).debug_assert();
    }
}

/// Options of a built command that are refused must be options of it.
#[test]
fn missing_options_exist() {
    for program in gannet_cli::spec::PROGRAMS {
        for command in program.commands {
            for option in gannet_cli::built(program, command).iter().flat_map(|built| built.missing()) {
                assert!(command.option(option).is_some(), "{} {} {option}", program.name, command.name);
            }
        }
    }
}

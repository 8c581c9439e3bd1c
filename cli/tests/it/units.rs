//! The systemd units of the tree: each daemon has one, and each line is one that systemd knows and means.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gannet_cli::daemon_util::DAEMONS;

/// Sections of a unit, each with its settings in order.
type Unit = BTreeMap<String, Vec<(String, String)>>;

/// Settings that the units use, so that a misspelled one (which systemd passes over with a warning) is found.
const KNOWN: &[(&str, &[&str])] = &[
    ("Unit", &["Description", "Documentation", "Wants", "After", "StartLimitIntervalSec"]),
    (
        "Service",
        &[
            "Type",
            "ExecStart",
            "ExecReload",
            "Restart",
            "RestartSec",
            "RestartPreventExitStatus",
            "RuntimeDirectory",
            "RuntimeDirectoryPreserve",
            "KillMode",
            "TimeoutStopSec",
            "OOMScoreAdjust",
            "LimitNOFILE",
            "TasksMax",
            "ReadWritePaths",
            "ProtectHome",
            "PrivateTmp",
            "CapabilityBoundingSet",
            "NoNewPrivileges",
            "ProtectSystem",
            "ProtectKernelTunables",
            "ProtectKernelModules",
            "ProtectKernelLogs",
            "ProtectControlGroups",
            "ProtectClock",
            "PrivateDevices",
            "RestrictNamespaces",
            "RestrictRealtime",
            "RestrictSUIDSGID",
            "LockPersonality",
            "MemoryDenyWriteExecute",
            "SystemCallArchitectures",
            "SystemCallFilter",
            "RestrictAddressFamilies",
        ],
    ),
    ("Install", &["WantedBy"]),
];

fn dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../packaging/systemd")
}

fn read(daemon: &str) -> Unit {
    let path = dir().join(format!("{daemon}.service"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut unit = Unit::new();
    let mut section = String::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{daemon}: '{line}' is no setting"));
        let (_, known) = KNOWN.iter().find(|(known, _)| *known == section).unwrap_or_else(|| panic!("{daemon}: section '{section}'"));
        assert!(known.contains(&name), "{daemon}: [{section}] has no {name}");
        assert!(!value.is_empty(), "{daemon}: {name} is empty");
        unit.entry(section.clone()).or_default().push((name.to_owned(), value.to_owned()));
    }
    unit
}

fn values<'u>(unit: &'u Unit, section: &str, name: &str) -> Vec<&'u str> {
    unit[section].iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

#[test]
fn every_daemon_has_its_unit() {
    let files = std::fs::read_dir(dir()).expect("the folder of units").count();
    assert_eq!(files, DAEMONS.len() + 1, "one file for each daemon, and the keeper's");
    for daemon in DAEMONS {
        let unit = read(daemon.name);
        let service = |name| values(&unit, "Service", name);
        assert_eq!(service("ExecStart"), [format!("/usr/local/sbin/{} --foreground", daemon.name)]);
        assert_eq!(service("Type"), ["notify"], "all daemons tell when they are ready");
        assert_eq!(service("Restart"), ["on-failure"]);
        assert_eq!(service("RuntimeDirectoryPreserve"), ["yes"], "the others use /run/ganeti, too");
        assert_eq!(values(&unit, "Install", "WantedBy"), ["multi-user.target"]);
        let after = values(&unit, "Unit", "After").join(" ");
        for other in after.split(' ').filter(|other| other.starts_with("gannet-")) {
            let name = other.trim_end_matches(".service");
            assert!(DAEMONS.iter().any(|daemon| daemon.name == name), "{}: there is no {other}", daemon.name);
        }
    }
}

/// It has to live on when the agent's unit ends with all that is in it, so it is a unit of its own; nothing stops it with others.
#[test]
fn the_keeper_of_the_lease_is_apart_from_the_agent() {
    let keeper = read("gannet-lease-keeper");
    assert_eq!(values(&keeper, "Service", "ExecStart"), ["/usr/local/sbin/gannet-noded lease-keeper --foreground"]);
    assert_eq!(values(&keeper, "Service", "Restart"), ["always"]);
    assert_eq!(values(&keeper, "Service", "OOMScoreAdjust"), ["-1000"]);
    for name in ["BindsTo", "PartOf", "Requires"] {
        assert!(values(&keeper, "Unit", name).is_empty(), "{name}");
    }
    let wants = values(&read("gannet-noded"), "Unit", "Wants").join(" ");
    assert!(wants.contains("gannet-lease-keeper.service"), "{wants}");
}

#[test]
fn the_agent_is_not_sandboxed_and_the_others_are() {
    let confined = |unit: &Unit| {
        ["ProtectSystem", "PrivateDevices", "NoNewPrivileges", "SystemCallFilter", "CapabilityBoundingSet", "RestrictNamespaces"]
            .iter()
            .filter(|name| !values(unit, "Service", name).is_empty())
            .count()
    };
    for daemon in DAEMONS {
        // OS scripts and hooks are children of the agent, and may do anything.
        let expected = if daemon.name == "gannet-noded" { 0 } else { 6 };
        assert_eq!(confined(&read(daemon.name)), expected, "{}", daemon.name);
    }
    // What an operator copies may lie in a home directory or in /tmp.
    let master = read("gannet-masterd");
    assert_eq!(values(&master, "Service", "ProtectHome"), ["read-only"]);
    assert!(values(&master, "Service", "PrivateTmp").is_empty());
}

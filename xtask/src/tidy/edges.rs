//! Which crate may depend on which: the picture in ARCHITECTURE.md, as a table.

use serde_json::Value;

/// Our crates, and what each may depend on (`*`: everything).
const OURS: &[(&str, &[&str])] = &[
    ("gannet-core", &[]),
    ("gannet-proto", &["gannet-core"]),
    ("gannet-confd", &["gannet-core", "gannet-proto", "gannet-daemon"]),
    ("gannet-daemon", &[]),
    ("gannet-htools", &["gannet-core"]),
    ("gannet-masterd", &["gannet-core", "gannet-proto", "gannet-confd", "gannet-daemon", "gannet-htools"]),
    ("gannet-libvirt", &["gannet-core"]),
    ("gannet-noded", &["gannet-core", "gannet-proto", "gannet-daemon", "gannet-libvirt"]),
    ("gannet-rapi", &["gannet-core"]),
    ("gannet-cli", &["gannet-core"]),
    ("gannet-man", &["gannet-core", "gannet-cli", "gannet-htools"]),
    ("gannet-qa", &["*"]),
    ("gannet-sim", &["*"]),
    ("xtask", &["*"]),
];

/// Libraries that only some crates may use, and why.
const THEIRS: &[(&str, &[&str], &str)] = &[
    ("virt", &["gannet-libvirt"], "only the node daemon's libvirt crate links libvirt"),
    ("virt-sys", &["gannet-libvirt"], "only the node daemon's libvirt crate links libvirt"),
    ("rusqlite", &["gannet-confd"], "only confd opens the state database"),
    ("openraft", &["gannet-confd"], "Raft stays behind confd's own trait"),
];

/// Libraries that may not be in the tree at all.
const NEVER: &[(&str, &str)] =
    &[("aws-lc-rs", "rustls uses ring only"), ("aws-lc-sys", "rustls uses ring only"), ("openssl-sys", "TLS is rustls")];

pub(super) fn check(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if let Some((_, why)) = NEVER.iter().find(|(never, _)| *never == name) {
            found.push(format!("Cargo.lock: {name} is in the dependency tree, but {why}"));
        }
        // Members have no source; everything else comes from a registry.
        if !package["source"].is_null() {
            continue;
        }
        let Some((_, allowed)) = OURS.iter().find(|(ours, _)| *ours == name) else {
            found.push(format!("{name}: this crate is not in the table of xtask/src/tidy/edges.rs"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
        // What only tests use ties nothing together.
        let real =
            dependencies.iter().filter(|dependency| dependency["kind"] != "dev").filter_map(|dependency| dependency["name"].as_str());
        found.extend(real.filter_map(|dependency| forbidden(name, allowed, dependency)));
    }
    found
}

fn forbidden(name: &str, allowed: &[&str], dependency: &str) -> Option<String> {
    if allowed == ["*"] {
        return None;
    }
    if OURS.iter().any(|(ours, _)| *ours == dependency) && !allowed.contains(&dependency) {
        return Some(format!("{name}: may not depend on {dependency} (ARCHITECTURE.md)"));
    }
    let (_, users, why) = THEIRS.iter().find(|(theirs, _, _)| *theirs == dependency)?;
    (!users.contains(&name)).then(|| format!("{name}: may not depend on {dependency}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<_> = dependencies.iter().map(|(name, kind)| serde_json::json!({"name": name, "kind": kind})).collect();
        serde_json::json!({"name": name, "source": null, "dependencies": dependencies})
    }

    #[test]
    fn forbidden_edges_are_named() {
        let metadata = serde_json::json!({"packages": [
            member("gannet-core", &[("serde", None)]),
            member("gannet-cli", &[("gannet-core", None), ("gannet-masterd", None)]),
            member("gannet-masterd", &[("rusqlite", None), ("gannet-confd", None)]),
            member("gannet-rapi", &[("gannet-masterd", Some("dev"))]),
            {"name": "aws-lc-rs", "source": "registry", "dependencies": []}]});
        let found = check(&metadata).join("\n");
        assert_eq!(found.lines().count(), 3, "{found}");
        for part in ["gannet-cli: may not depend on gannet-masterd", "gannet-masterd: may not depend on rusqlite", "aws-lc-rs"] {
            assert!(found.contains(part), "{found}");
        }
    }
}

//! How to reach an instance's console, in Ganeti's form (`parity/params.json`: consoles).

use gannet_core::config::{Instance, Node};
use gannet_proto::node::ConsoleInfo;
use serde_json::{Value, json};

/// The console that a node told of. Keys without a value are left out.
#[must_use]
pub fn describe(instance: &Instance, node: &Node, info: &ConsoleInfo) -> Value {
    let name = instance.name.as_str();
    let host = || if info.host.is_empty() { node.primary_ip.as_str() } else { info.host.as_str() };
    match info.kind.as_str() {
        // For those who want it without the master: what reaches the console on the node itself.
        "serial" => json!({
            "instance": name, "kind": "ssh", "host": node.name, "user": "root",
            "command": ["virsh", "--connect", "qemu:///system", "console", name],
        }),
        "vnc" => json!({
            "instance": name, "kind": "vnc", "host": host(), "port": info.port,
            "display": info.display.parse::<u32>().unwrap_or_else(|_| info.port.saturating_sub(5900)),
        }),
        "spice" => json!({"instance": name, "kind": "spice", "host": host(), "port": info.port}),
        _ => {
            let message = if info.message.is_empty() { format!("Instance {name} has no console") } else { info.message.clone() };
            json!({"instance": name, "kind": "msg", "message": message})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::sample;

    #[test]
    fn each_kind_has_the_keys_of_the_contract() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../qa/parity/params.json")).unwrap();
        let contract: Value = serde_json::from_str(&text).unwrap();
        let config = sample::config();
        let instance = config.find_instance("inst1").unwrap();
        let node = config.node(&instance.primary_node).unwrap();
        for (told, kind) in [("serial", "ssh"), ("vnc", "vnc"), ("spice", "spice"), ("none", "msg"), ("file", "msg")] {
            let info = ConsoleInfo { kind: told.into(), port: 11001, ..ConsoleInfo::default() };
            let described = describe(instance, node, &info);
            assert_eq!(described["kind"], kind);
            let required: Vec<String> = serde_json::from_value(contract["consoles"]["required_keys"][kind].clone()).unwrap();
            for key in required {
                assert!(!described[&key].is_null(), "{kind} {key}");
            }
        }
    }
}

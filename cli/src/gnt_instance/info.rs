//! `gnt-instance info`

mod disk;

use gannet_core::query::format::python_str;
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS};
use crate::yaml::{self, Node, map};
use crate::{time, wait};

/// First TCP port of VNC displays.
const VNC_BASE_PORT: u64 = 5900;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let names = context.args.positional().to_vec();
    let roman = context.args.flag("roman");
    match (names.is_empty(), context.args.flag("all")) {
        (true, false) => {
            return Err(Failure::invalid(
                "No instance selected. Please pass in --all if you want to query all instances.\nNote that this can take a long time on a big cluster.",
            ));
        }
        (false, true) => return Err(Failure::invalid("Cannot use --all if you specify instance names.")),
        _ => {}
    }
    let op = context
        .opcode("OP_INSTANCE_QUERY_DATA", json!({"instances": names, "static": context.args.flag("static"), "use_locking": true}))?;
    let result = wait::run(context, op)?;
    let Some(instances) = result.as_object().filter(|instances| !instances.is_empty()) else {
        context.io.line("No instances.");
        return Ok(FAILURE);
    };
    let mut all: Vec<&Value> = instances.values().collect();
    all.sort_by(|a, b| gannet_core::query::nice_cmp(&text(a, "name"), &text(b, "name")));
    let tree = Node::List(all.into_iter().map(|instance| instance_node(instance, roman)).collect());
    context.io.raw(tree.render().as_bytes());
    Ok(SUCCESS)
}

pub(super) fn text(value: &Value, key: &str) -> String {
    value.get(key).map(python_str).unwrap_or_else(|| "None".into())
}

fn instance_node(instance: &Value, roman: bool) -> Node {
    let field = |key: &str| Node::text(text(instance, key));
    let mut state = format!("configured to be {}", text(instance, "config_state"));
    if let Some(run_state) = instance.get("run_state").and_then(Value::as_str) {
        state.push_str(&format!(", actual state is {run_state}"));
    }
    let mut entries = vec![
        ("Instance name".to_owned(), field("name")),
        ("UUID".into(), field("uuid")),
        ("Serial number".into(), number(instance.get("serial_no"), roman)),
        ("Creation time".into(), date(instance.get("ctime"))),
        ("Modification time".into(), date(instance.get("mtime"))),
        ("State".into(), Node::text(state)),
        ("Nodes".into(), nodes(instance)),
        ("Operating system".into(), field("os")),
        ("Operating system parameters".into(), params(instance, "os_instance", "os_actual")),
    ];
    if instance.get("network_port").is_some_and(|port| !port.is_null()) {
        entries.push(("Allocated network port".into(), number(instance.get("network_port"), roman)));
    }
    if instance.get("auto_failover").and_then(Value::as_bool) == Some(true) {
        entries.push(("Automatic failover".into(), Node::text(format!("on, priority {}", text(instance, "auto_failover_priority")))));
    }
    entries.push(("Hypervisor".into(), field("hypervisor")));
    if let Some(console) = vnc(instance) {
        entries.push(("console connection".into(), Node::text(console)));
    }
    let nics = instance.get("nics").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let disks = instance.get("disks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    entries.extend([
        ("Hypervisor parameters".to_owned(), params(instance, "hv_instance", "hv_actual")),
        ("Back-end parameters".into(), params(instance, "be_instance", "be_actual")),
        ("NICs".into(), Node::List(nics.iter().enumerate().map(|(at, nic)| nic_node(at, nic)).collect())),
        ("Disk template".into(), field("disk_template")),
        ("Disks".into(), Node::List(disks.iter().enumerate().map(|(at, disk)| disk::node(at, true, disk)).collect())),
    ]);
    Node::Map(entries)
}

/// A number, on request as the Romans wrote it.
fn number(value: Option<&Value>, roman: bool) -> Node {
    match value {
        Some(value) if roman => Node::text(crate::roman::numeral(value)),
        Some(value) => Node::json(value),
        None => Node::text("None"),
    }
}

fn date(value: Option<&Value>) -> Node {
    Node::text(value.and_then(Value::as_f64).map_or_else(|| "N/A".into(), time::date_time))
}

fn params(instance: &Value, own: &str, actual: &str) -> Node {
    let mut filled = instance.get(actual).cloned().unwrap_or_default();
    // The older name of `maxmem` is shown too.
    if own == "be_instance"
        && let Some(memory) = filled.get("maxmem").cloned()
    {
        filled["memory"] = memory;
    }
    yaml::params(instance.get(own), &filled)
}

fn nodes(instance: &Value) -> Node {
    let group = format!("{} (UUID {})", text(instance, "pnode_group_name"), text(instance, "pnode_group_uuid"));
    let list = |key: &str| instance.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let (names, groups, uuids) = (list("snodes"), list("snodes_group_names"), list("snodes_group_uuids"));
    let at = |list: &[Value], index: usize| list.get(index).map(python_str).unwrap_or_default();
    let secondaries: Vec<String> = (0..names.len())
        .map(|index| format!("{} (group {}, group UUID {})", at(&names, index), at(&groups, index), at(&uuids, index)))
        .collect();
    Node::List(vec![
        map([("primary", Node::text(text(instance, "pnode"))), ("group", Node::text(group))]),
        map([("secondaries", Node::text(secondaries.join(", ")))]),
    ])
}

fn vnc(instance: &Value) -> Option<String> {
    let bind = instance.get("hv_actual")?.get("vnc_bind_address")?.as_str().filter(|bind| !bind.is_empty())?;
    let node = text(instance, "pnode");
    let port = instance.get("network_port")?.as_u64()?;
    let display = port.checked_sub(VNC_BASE_PORT);
    Some(match display {
        Some(display) if bind == "0.0.0.0" => format!("vnc to {node}:{port} (display {display})"),
        Some(display) if bind.parse::<std::net::IpAddr>().is_ok() => format!("vnc to {bind}:{port} (node {node}) (display {display})"),
        _ => format!("vnc to {node}:{bind}"),
    })
}

/// `[name, uuid, ip, mac, mode, link, vlan, network uuid, network info]`
fn nic_node(index: usize, nic: &Value) -> Node {
    let part = |at: usize| Node::text(nic.get(at).map(python_str).unwrap_or_else(|| "None".into()));
    let network = nic.get(8).and_then(|info| info.get("name")).map_or_else(|| part(7), Node::json);
    Node::Map(vec![
        (format!("nic/{index}"), Node::text("")),
        ("MAC".into(), part(3)),
        ("IP".into(), part(2)),
        ("mode".into(), part(4)),
        ("link".into(), part(5)),
        ("vlan".into(), part(6)),
        ("network".into(), network),
        ("UUID".into(), part(1)),
        ("name".into(), part(0)),
    ])
}

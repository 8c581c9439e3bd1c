//! The operations that are interrupted, and how the cluster is made ready for each.

use gannet_qa::inventory::{self, Record};
use serde_json::{Value, json};

use super::lab::Lab;

/// The instance on shared storage.
pub(crate) const SHARED: &str = "web";
/// The instance whose disks are files of its node.
pub(crate) const LOCAL: &str = "db";
/// What the first is called when it is renamed.
const RENAMED: &str = "renamed";
/// The node that instances leave.
pub(crate) const HOME: usize = 1;

/// An operation, by what it needs and what it does.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// Brings the instance into the state that the operation starts from.
    pub(crate) prepare: fn(&Lab<'_>),
    /// The opcode, for the state as it is now.
    pub(crate) opcode: fn(&Lab<'_>) -> Value,
    /// Whether it has happened.
    pub(crate) is_done: fn(&Lab<'_>) -> bool,
}

pub(crate) const CREATE: Operation = Operation {
    name: "create",
    prepare: |lab| absent(lab, SHARED),
    opcode: |lab| create(lab, SHARED, "sharedfile"),
    is_done: |lab| is_up(lab, SHARED),
};

/// All others.
pub(crate) const OTHERS: &[Operation] = &[
    Operation {
        name: "remove",
        prepare: |lab| ready(lab, SHARED, true),
        opcode: |_| json!({"OP_ID": "OP_INSTANCE_REMOVE", "instance_name": SHARED, "ignore_failures": false}),
        is_done: |lab| record(lab, SHARED).is_none(),
    },
    Operation { name: "startup", prepare: |lab| ready(lab, SHARED, false), opcode: |_| startup(SHARED), is_done: |lab| is_up(lab, SHARED) },
    Operation {
        name: "shutdown",
        prepare: |lab| ready(lab, SHARED, true),
        opcode: |_| shutdown(SHARED),
        is_done: |lab| is_down(lab, SHARED),
    },
    Operation {
        name: "migrate",
        prepare: |lab| ready(lab, SHARED, true),
        opcode: |lab| json!({"OP_ID": "OP_INSTANCE_MIGRATE", "instance_name": SHARED, "target_node": lab.node(2).name}),
        is_done: |lab| is_up(lab, SHARED) && is_at(lab, SHARED, 2),
    },
    Operation {
        name: "failover",
        prepare: |lab| ready(lab, SHARED, true),
        opcode: |lab| json!({"OP_ID": "OP_INSTANCE_FAILOVER", "instance_name": SHARED, "target_node": lab.node(2).name}),
        is_done: |lab| is_up(lab, SHARED) && is_at(lab, SHARED, 2),
    },
    Operation {
        name: "grow-disk",
        prepare: |lab| {
            absent(lab, SHARED);
            ready(lab, SHARED, true);
        },
        opcode: |_| json!({"OP_ID": "OP_INSTANCE_GROW_DISK", "instance_name": SHARED, "disk": 0, "amount": 20, "absolute": true}),
        is_done: |lab| record(lab, SHARED).is_some_and(|record| record.disk_sizes == [20]),
    },
    Operation {
        name: "reinstall",
        prepare: |lab| ready(lab, SHARED, false),
        opcode: |_| json!({"OP_ID": "OP_INSTANCE_REINSTALL", "instance_name": SHARED, "os_type": "recording+default"}),
        is_done: |lab| is_down(lab, SHARED),
    },
    Operation {
        name: "rename",
        prepare: |lab| {
            absent(lab, RENAMED);
            ready(lab, SHARED, false);
        },
        opcode: |_| json!({"OP_ID": "OP_INSTANCE_RENAME", "instance_name": SHARED, "new_name": RENAMED}),
        is_done: |lab| is_down(lab, RENAMED) && record(lab, SHARED).is_none(),
    },
    Operation {
        name: "move",
        prepare: |lab| ready(lab, LOCAL, true),
        opcode: |lab| json!({"OP_ID": "OP_INSTANCE_MOVE", "instance_name": LOCAL, "target_node": other(lab, LOCAL)}),
        // To where it was not: `prepare` leaves it where it is.
        is_done: |lab| is_up(lab, LOCAL),
    },
    Operation {
        name: "node evacuate",
        prepare: |lab| {
            absent(lab, LOCAL);
            ready(lab, SHARED, true);
        },
        opcode: |lab| json!({"OP_ID": "OP_NODE_EVACUATE", "node_name": lab.node(HOME).name, "mode": "primary-only", "iallocator": "hail"}),
        is_done: |lab| is_up(lab, SHARED) && !is_at(lab, SHARED, HOME),
    },
    Operation {
        name: "node remove",
        prepare: |lab| {
            [SHARED, LOCAL, RENAMED].iter().for_each(|name| absent(lab, name));
            lab.join(2);
        },
        opcode: |lab| json!({"OP_ID": "OP_NODE_REMOVE", "node_name": lab.node(2).name}),
        is_done: |lab| !lab.is_member(2),
    },
];

fn create(lab: &Lab<'_>, name: &str, template: &str) -> Value {
    json!({"OP_ID": "OP_INSTANCE_CREATE", "mode": "create", "instance_name": name, "disk_template": template, "disks": [{"size": 16}],
        "nics": [], "os_type": "recording+default", "pnode": lab.node(HOME).name, "hypervisor": "fake", "name_check": false,
        "ip_check": false})
}

fn startup(name: &str) -> Value {
    json!({"OP_ID": "OP_INSTANCE_STARTUP", "instance_name": name})
}

fn shutdown(name: &str) -> Value {
    json!({"OP_ID": "OP_INSTANCE_SHUTDOWN", "instance_name": name})
}

pub(crate) fn record(lab: &Lab<'_>, name: &str) -> Option<Record> {
    inventory::records(lab.cluster).remove(name)
}

fn is_up(lab: &Lab<'_>, name: &str) -> bool {
    record(lab, name).is_some_and(|record| record.admin_state == "up")
}

fn is_down(lab: &Lab<'_>, name: &str) -> bool {
    record(lab, name).is_some_and(|record| record.admin_state == "down")
}

fn is_at(lab: &Lab<'_>, name: &str, node: usize) -> bool {
    record(lab, name).is_some_and(|record| record.node == lab.node(node).name)
}

/// A node where the instance is not, and that is not the master.
fn other(lab: &Lab<'_>, name: &str) -> String {
    let node = if is_at(lab, name, HOME) { 2 } else { HOME };
    lab.node(node).name.clone()
}

pub(crate) fn absent(lab: &Lab<'_>, name: &str) {
    if record(lab, name).is_some() {
        lab.must(&json!({"OP_ID": "OP_INSTANCE_REMOVE", "instance_name": name, "ignore_failures": false}));
    }
}

/// The instance is there, up or down, on its home node if it can get there.
fn ready(lab: &Lab<'_>, name: &str, up: bool) {
    let shared = name != LOCAL;
    if record(lab, name).is_none() {
        lab.must(&create(lab, name, if shared { "sharedfile" } else { "file" }));
    }
    if shared && !is_at(lab, name, HOME) {
        let home = &lab.node(HOME).name;
        lab.must(&json!({"OP_ID": "OP_INSTANCE_FAILOVER", "instance_name": name, "target_node": home}));
    }
    if up != is_up(lab, name) {
        lab.must(&if up { startup(name) } else { shutdown(name) });
    }
}

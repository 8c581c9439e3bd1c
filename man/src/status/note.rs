//! Limits of what works, and reasons of what does not: one line each, written by hand.

/// By sub-command (`gnt-node add`), opcode or LUXI method.
const NOTES: &[(&str, &str)] = &[
    ("OP_CLUSTER_SET_PARAMS", "refuses LVM, DRBD, `hv_state`, `disk_state` and the instance communication network"),
    (
        "OP_INSTANCE_CREATE",
        "templates diskless, file, sharedfile; no import, forthcoming instances, address pools (`ip=pool`) or helper machines",
    ),
    ("OP_INSTANCE_MOVE", "copies without compression (`--compress`)"),
    (
        "OP_INSTANCE_SET_PARAMS",
        "templates diskless, file, sharedfile; no address pools (`ip=pool`), no instance communication; a guest that does not give up a disk keeps it",
    ),
    ("OP_INSTANCE_MULTI_ALLOC", "placement by the built-in allocator only"),
    ("OP_NODE_ADD", "refuses `hv_state` and `disk_state`"),
    ("OP_NODE_SET_PARAMS", "refuses `hv_state` and `disk_state`"),
    ("OP_GROUP_ADD", "refuses `hv_state` and `disk_state`"),
    ("OP_GROUP_SET_PARAMS", "refuses `hv_state` and `disk_state`"),
    ("OP_NODE_EVACUATE", "placement by the built-in allocator only"),
    ("OP_NODE_QUERYVOLS", "of file-based storage"),
    ("OP_NODE_QUERY_STORAGE", "of file-based storage"),
    ("OP_TEST_DUMMY", "as in Ganeti, which fails it as an unknown opcode"),
    ("OP_TEST_OS_PARAMS", "tells the names, not the values"),
    ("gnt-backup export", "no exports yet"),
    ("gnt-backup import", "no imports yet"),
    ("gnt-backup list", "nothing makes exports yet, so the list is that of an earlier Ganeti on the node, or empty"),
    ("gnt-cluster epo", "needs `OP_OOB_COMMAND`"),
    ("gnt-cluster init", "hypervisors kvm and fake; templates diskless, file, sharedfile"),
    ("gnt-cluster upgrade", "there is no earlier version to upgrade from"),
    ("gnt-cluster watcher", "the pause holds back the archiving of old jobs; no watcher runs in this version"),
    ("gnt-debug metad", "there is no metadata daemon"),
    ("gnt-debug wconfd", "Ganeti's wconfd has no counterpart: confd and masterd do its work"),
    ("gnt-job cancel", "jobs that wait; `--kill` of a job that works is refused, because what it has begun would be left on nodes"),
    ("gnt-node add", "with a token; `--ssh` runs the node's part over SSH"),
    ("gnt-node list-drbd", "no DRBD yet"),
];

/// The note about `name`.
#[must_use]
pub fn of(name: &str) -> Option<&'static str> {
    NOTES.iter().find(|(known, _)| *known == name).map(|(_, note)| *note)
}

#[cfg(test)]
mod tests {
    use gannet_cli::spec::Program;
    use gannet_core::opcode::Op;

    use super::*;

    #[test]
    fn every_note_is_about_something() {
        for (name, _) in NOTES {
            let command = name.split_once(' ').and_then(|(program, command)| Program::find(program)?.command(command));
            assert!(command.is_some() || Op::ALL_IDS.contains(name), "{name}");
        }
    }
}

//! Which opcodes (or LUXI methods) a sub-command and a RAPI resource need for their work.

/// Sub-commands that need no opcode, or whose opcode their name does not tell.
const NEEDS: &[(&str, &[&str])] = &[
    ("gnt-backup export", &["OP_BACKUP_EXPORT"]),
    ("gnt-backup import", &["OP_INSTANCE_CREATE"]),
    ("gnt-backup remove", &["OP_BACKUP_REMOVE"]),
    ("gnt-cluster activate-master-ip", &["OP_CLUSTER_ACTIVATE_MASTER_IP"]),
    ("gnt-cluster command", &["RunCommand"]),
    ("gnt-cluster copyfile", &["CopyFile"]),
    ("gnt-cluster deactivate-master-ip", &["OP_CLUSTER_DEACTIVATE_MASTER_IP"]),
    ("gnt-cluster destroy", &["OP_CLUSTER_DESTROY"]),
    ("gnt-cluster info", &["QueryClusterInfo"]),
    ("gnt-cluster modify", &["OP_CLUSTER_SET_PARAMS"]),
    ("gnt-cluster queue", &["SetDrainFlag"]),
    ("gnt-cluster redist-conf", &["OP_CLUSTER_REDIST_CONF"]),
    ("gnt-cluster rename", &["OP_CLUSTER_RENAME"]),
    ("gnt-cluster renew-crypto", &["OP_CLUSTER_RENEW_CRYPTO"]),
    ("gnt-cluster repair-disk-sizes", &["OP_CLUSTER_REPAIR_DISK_SIZES"]),
    ("gnt-cluster search-tags", &["OP_TAGS_SEARCH"]),
    ("gnt-cluster verify", &["OP_CLUSTER_VERIFY"]),
    ("gnt-cluster verify-disks", &["OP_CLUSTER_VERIFY_DISKS", "OP_INSTANCE_ACTIVATE_DISKS"]),
    ("gnt-cluster watcher", &["SetWatcherPause"]),
    ("gnt-debug delay", &["OP_TEST_DELAY"]),
    ("gnt-debug iallocator", &["OP_TEST_ALLOCATOR"]),
    ("gnt-debug locks", &["Query"]),
    ("gnt-debug submit-job", &["SubmitJob"]),
    ("gnt-debug test-jobqueue", &["OP_TEST_JQUEUE"]),
    ("gnt-debug test-osparams", &["OP_TEST_OS_PARAMS"]),
    ("gnt-filter add", &["ReplaceFilter"]),
    ("gnt-filter delete", &["DeleteFilter"]),
    ("gnt-filter replace", &["ReplaceFilter"]),
    ("gnt-group add", &["OP_GROUP_ADD"]),
    ("gnt-group assign-nodes", &["OP_GROUP_ASSIGN_NODES"]),
    ("gnt-group evacuate", &["OP_GROUP_EVACUATE"]),
    ("gnt-group modify", &["OP_GROUP_SET_PARAMS"]),
    ("gnt-group remove", &["OP_GROUP_REMOVE"]),
    ("gnt-group rename", &["OP_GROUP_RENAME"]),
    ("gnt-instance activate-disks", &["OP_INSTANCE_ACTIVATE_DISKS"]),
    ("gnt-instance add", &["OP_INSTANCE_CREATE"]),
    ("gnt-instance batch-create", &["OP_INSTANCE_MULTI_ALLOC", "OP_INSTANCE_CREATE"]),
    ("gnt-instance change-group", &["OP_INSTANCE_CHANGE_GROUP"]),
    ("gnt-instance console", &["OP_INSTANCE_CONSOLE"]),
    ("gnt-instance deactivate-disks", &["OP_INSTANCE_DEACTIVATE_DISKS"]),
    ("gnt-instance failover", &["OP_INSTANCE_FAILOVER"]),
    ("gnt-instance grow-disk", &["OP_INSTANCE_GROW_DISK"]),
    ("gnt-instance info", &["OP_INSTANCE_QUERY_DATA"]),
    ("gnt-instance migrate", &["OP_INSTANCE_MIGRATE"]),
    ("gnt-instance modify", &["OP_INSTANCE_SET_PARAMS"]),
    ("gnt-instance move", &["OP_INSTANCE_MOVE"]),
    ("gnt-instance reboot", &["OP_INSTANCE_REBOOT"]),
    ("gnt-instance recreate-disks", &["OP_INSTANCE_RECREATE_DISKS"]),
    ("gnt-instance reinstall", &["OP_INSTANCE_REINSTALL", "OP_OS_DIAGNOSE"]),
    ("gnt-instance remove", &["OP_INSTANCE_REMOVE"]),
    ("gnt-instance rename", &["OP_INSTANCE_RENAME"]),
    ("gnt-instance replace-disks", &["OP_INSTANCE_REPLACE_DISKS"]),
    ("gnt-instance shutdown", &["OP_INSTANCE_SHUTDOWN"]),
    ("gnt-instance startup", &["OP_INSTANCE_STARTUP"]),
    ("gnt-job archive", &["ArchiveJob"]),
    ("gnt-job autoarchive", &["AutoArchiveJobs"]),
    ("gnt-job cancel", &["CancelJob"]),
    ("gnt-job change-priority", &["ChangeJobPriority"]),
    ("gnt-job watch", &["WaitForJobChange"]),
    ("gnt-network add", &["OP_NETWORK_ADD"]),
    ("gnt-network connect", &["OP_NETWORK_CONNECT"]),
    ("gnt-network disconnect", &["OP_NETWORK_DISCONNECT"]),
    ("gnt-network modify", &["OP_NETWORK_SET_PARAMS"]),
    ("gnt-network remove", &["OP_NETWORK_REMOVE"]),
    ("gnt-network rename", &["OP_NETWORK_RENAME"]),
    ("gnt-node add", &["CreateJoinToken", "OP_NODE_ADD"]),
    ("gnt-node evacuate", &["OP_NODE_EVACUATE"]),
    ("gnt-node failover", &["OP_INSTANCE_FAILOVER"]),
    ("gnt-node health", &["OP_OOB_COMMAND"]),
    ("gnt-node list-storage", &["OP_NODE_QUERY_STORAGE"]),
    ("gnt-node migrate", &["OP_NODE_MIGRATE"]),
    ("gnt-node modify", &["OP_NODE_SET_PARAMS"]),
    ("gnt-node modify-storage", &["OP_NODE_MODIFY_STORAGE"]),
    ("gnt-node power", &["OP_OOB_COMMAND"]),
    ("gnt-node powercycle", &["OP_NODE_POWERCYCLE"]),
    ("gnt-node remove", &["OP_NODE_REMOVE"]),
    ("gnt-node repair-storage", &["OP_REPAIR_NODE_STORAGE"]),
    ("gnt-node restricted-command", &["OP_RESTRICTED_COMMAND"]),
    ("gnt-node volumes", &["OP_NODE_QUERYVOLS"]),
    ("gnt-os diagnose", &["OP_OS_DIAGNOSE"]),
    ("gnt-os info", &["OP_OS_DIAGNOSE"]),
    ("gnt-os list", &["OP_OS_DIAGNOSE"]),
    ("gnt-os modify", &["OP_CLUSTER_SET_PARAMS"]),
    ("gnt-storage diagnose", &["OP_EXT_STORAGE_DIAGNOSE"]),
    ("gnt-storage info", &["OP_EXT_STORAGE_DIAGNOSE"]),
];

/// Resources that do more than submit one opcode.
const RESOURCES: &[(&str, &str, &[&str])] = &[
    ("/2/instances/{instance_name}/reinstall", "POST", &["OP_INSTANCE_SHUTDOWN", "OP_INSTANCE_REINSTALL", "OP_INSTANCE_STARTUP"]),
    ("/2/jobs/{job_id}", "DELETE", &["CancelJob"]),
    ("/2/jobs/{job_id}/wait", "GET", &["WaitForJobChange"]),
    ("/2/os", "GET", &["OP_OS_DIAGNOSE"]),
    ("/2/filters", "POST", &["ReplaceFilter"]),
    ("/2/filters/{filter_uuid}", "PUT", &["ReplaceFilter"]),
    ("/2/filters/{filter_uuid}", "DELETE", &["DeleteFilter"]),
];

/// What a sub-command needs; nothing when it only reads.
#[must_use]
pub fn of(program: &str, command: &str) -> &'static [&'static str] {
    match command {
        "add-tags" => &["OP_TAGS_SET"],
        "remove-tags" => &["OP_TAGS_DEL"],
        _ => {
            let name = format!("{program} {command}");
            NEEDS.iter().find(|(known, _)| *known == name).map_or(&[], |(_, needs)| needs)
        }
    }
}

/// What a method of a resource needs besides the opcode that its table entry names.
#[must_use]
pub fn of_resource(uri: &str, verb: &str) -> &'static [&'static str] {
    RESOURCES.iter().find(|(known, method, _)| *known == uri && *method == verb).map_or(&[], |(_, _, needs)| needs)
}

#[cfg(test)]
mod tests {
    use gannet_cli::spec::Program;

    use super::*;

    #[test]
    fn every_entry_is_a_sub_command() {
        for (name, _) in NEEDS {
            let (program, command) = name.split_once(' ').unwrap();
            assert!(Program::find(program).is_some_and(|program| program.command(command).is_some()), "{name}");
        }
    }
}

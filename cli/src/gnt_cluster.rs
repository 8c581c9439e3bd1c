//! `gnt-cluster`: the cluster as a whole.

mod command;
mod copyfile;
mod destroy;
mod info;
mod init;
mod master_failover;
mod modify;
mod node_set;
mod queue;
mod recover;
mod settings;
mod simple;
mod verify;
mod verify_disks;
mod watcher;

use crate::{Built, policy, tags};

pub(crate) use command::print_output;
pub(crate) use node_set::{all_nodes, online_nodes};

/// What carries out the sub-command `name`.
pub(crate) fn built(name: &str) -> Option<Built> {
    Some(match name {
        "activate-master-ip" => Built::new(simple::activate_master_ip),
        "add-tags" => Built::new(tags::add),
        "command" => Built::new(command::run),
        "copyfile" => Built::new(copyfile::run).without(&["use-replication-network"]),
        "deactivate-master-ip" => Built::new(simple::deactivate_master_ip),
        "destroy" => Built::new(destroy::run),
        "getmaster" => Built::new(simple::getmaster),
        "info" => Built::new(info::run),
        "init" => Built::new(init::run),
        "list-tags" => Built::new(tags::list),
        "master-failover" => Built::new(master_failover::run),
        "master-ping" => Built::new(simple::master_ping),
        "modify" => Built::new(modify::run),
        "queue" => Built::new(queue::run),
        "recover" => Built::new(recover::run),
        "redist-conf" => Built::new(simple::redist_conf),
        "remove-tags" => Built::new(tags::remove),
        "rename" => Built::new(simple::rename),
        "repair-disk-sizes" => Built::new(simple::repair_disk_sizes),
        "search-tags" => Built::new(simple::search_tags),
        "show-ispecs-cmd" => Built::new(policy::show_cluster_command),
        "verify" => Built::new(verify::run),
        "verify-disks" => Built::new(verify_disks::run),
        "version" => Built::new(simple::version),
        "watcher" => Built::new(watcher::run),
        _ => return None,
    })
}

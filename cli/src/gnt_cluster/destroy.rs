//! `gnt-cluster destroy`: ends the cluster; this node is then as before `init`.

use std::path::PathBuf;

use gannet_core::paths::Paths;
use serde_json::json;

use crate::context::{Context, Outcome};
use crate::daemon_util::{self, DAEMONS};
use crate::exit::{FAILURE, Failure, SUCCESS};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    if !context.args.flag("yes-do-it") {
        context.io.note(
            "Destroying a cluster is irreversible: no instance or node may be left, and its configuration is lost.\nIf you really want \
             to destroy this cluster, supply the --yes-do-it option.",
        );
        return Ok(FAILURE);
    }
    context.must_be_master()?;
    let op = context.opcode("OP_CLUSTER_DESTROY", json!({}))?;
    wait::run(context, op)?;
    context.disconnect();
    let mut code = SUCCESS;
    for daemon in DAEMONS.iter().rev() {
        if let Err(error) = daemon_util::stop(daemon, context.env) {
            context.io.note(format_args!("cannot stop {}: {error}", daemon.name));
            code = FAILURE;
        }
    }
    for path in leftovers(&context.env.paths())? {
        let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                context.io.note(format_args!("cannot remove {}: {error}", path.display()));
                code = FAILURE;
            }
            _ => {}
        }
    }
    Ok(code)
}

/// Keys, certificates, state, the epoch: every file of the data directory, as in Ganeti, and the store. Logs, RAPI users, exports and
/// the files of disks stay, which are in directories.
fn leftovers(paths: &Paths) -> Result<Vec<PathBuf>, Failure> {
    let dir = paths.data_dir();
    let entries = std::fs::read_dir(&dir).map_err(|error| Failure::io(format!("cannot read {}", dir.display()), error))?;
    let files = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| !path.is_dir());
    Ok(files.chain([paths.confd_dir()]).collect())
}

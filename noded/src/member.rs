//! This node as a master candidate: a member of the group that keeps the state, with the daemons of a master that stand by.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gannet_core::paths::Paths;
use gannet_proto::node::MemberBeginRequest;

use crate::run::{self, Program};

/// Daemons of a master candidate, in the order of their start.
const DAEMONS: [&str; 3] = ["gannet-confd", "gannet-masterd", "gannet-rapi"];
/// Starting or stopping one of them, at most.
const DAEMON_LIMIT: Duration = Duration::from_secs(90);
/// What only master candidates have.
const SECRETS: [&str; 4] = ["ca.key", "master.pem", "rapi.pem", "rapi/users"];
/// The mark of virtual nodes, by which their processes are found.
const MARK: &str = "GANNET_DEMO_NODE";

/// Why this node could not become or cease to be a member.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A program.
    #[error(transparent)]
    Run(#[from] run::Error),
    /// A file.
    #[error("cannot remove {path}", path = path.display())]
    Remove {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Prepares the member and starts its daemons. What an earlier membership left here is removed: it ended when this node was taken
/// out of the group, and the terms that a member counted alone since then would only disturb the others.
///
/// # Errors
/// A daemon does not end or start.
pub(crate) async fn begin(paths: &Paths, node_name: &str, request: &MemberBeginRequest, epoch: u64) -> Result<(), Error> {
    stop(paths, node_name).await?;
    let state = paths.confd_dir();
    gone(fs::remove_dir_all(&state), &state)?;
    let id = request.id.to_string();
    // Members of a group that was lost before this master cannot win the new one.
    let epoch = format!("--epoch={epoch}");
    let prepare = program(paths, node_name, "gannet-confd").args(["prepare", &id, &request.name, &request.address, &epoch]);
    prepare.timeout(DAEMON_LIMIT).output().await?;
    for daemon in DAEMONS {
        daemon_util(paths, node_name, "start", daemon).await?;
    }
    Ok(())
}

/// Stops the daemons and removes what they kept.
///
/// # Errors
/// A daemon does not end, or a file cannot be removed.
pub(crate) async fn end(paths: &Paths, node_name: &str) -> Result<(), Error> {
    stop(paths, node_name).await?;
    let state = paths.confd_dir();
    gone(fs::remove_dir_all(&state), &state)?;
    for name in SECRETS {
        let path = paths.data_dir().join(name);
        gone(fs::remove_file(&path), &path)?;
    }
    Ok(())
}

async fn stop(paths: &Paths, node_name: &str) -> Result<(), Error> {
    for daemon in DAEMONS.iter().rev() {
        daemon_util(paths, node_name, "stop", daemon).await?;
    }
    Ok(())
}

fn gone(removed: io::Result<()>, path: &Path) -> Result<(), Error> {
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::Remove { path: path.to_owned(), source }),
        _ => Ok(()),
    }
}

async fn daemon_util(paths: &Paths, node_name: &str, verb: &str, daemon: &str) -> Result<(), Error> {
    let program = program(paths, node_name, "gnt").args(["daemon-util", verb, daemon]).timeout(DAEMON_LIMIT);
    program.output().await?;
    Ok(())
}

/// One of Gannet's programs, which lie beside this one; else it is looked for as usual.
fn program(paths: &Paths, node_name: &str, name: &str) -> Program {
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(name))).filter(|path| path.exists());
    let mut program = Program::new(beside.unwrap_or_else(|| PathBuf::from(name)));
    if let Some(root) = paths.root() {
        program = program.env("GANETI_ROOTDIR", root).env("GANETI_HOSTNAME", node_name);
    }
    match std::env::var_os(MARK) {
        Some(mark) => program.env(MARK, mark),
        None => program,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::suite::Node;

    #[test]
    fn what_is_gone_already_is_fine() {
        let node = Node::new();
        let path = node.paths.data_dir().join("master.pem");
        gone(fs::remove_file(&path), &path).unwrap();
        fs::create_dir_all(path.join("x")).unwrap();
        assert!(gone(fs::remove_file(&path), &path).is_err());
    }
}

//! The birth of a group, and of a member that will join one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::command::{Command, Expect, Key, Outcome};
use crate::error::Error;
use crate::identity::{DataDir, Identity, failed};
use crate::raft::generation;
use crate::raft::{Consensus, Node, NodeOptions, Transport};

/// A member alone elects itself within an election timeout.
const ELECTION_LIMIT: Duration = Duration::from_secs(30);
/// Bytes of one of the first commands.
const COMMAND_BYTES: usize = 2 << 20;

/// Makes a new group with one member and the first rows, while no confd runs.
/// Nothing else ever makes a group. A bootstrap that died half-way is done
/// again from the start. Returns the epoch.
///
/// # Errors
/// [`Error::Invalid`] when there is a group already, [`Error::Unavailable`]
/// when the directory is in use or cannot be written.
pub async fn bootstrap(dir: &Path, identity: &Identity, rows: Vec<(Key, String)>) -> Result<u64, Error> {
    let data = DataDir::take(dir)?;
    refuse_existing(data.path())?;
    remove_unfinished(data.path())?;
    let options = NodeOptions {
        id: identity.id,
        dir: data.path(),
        // There is nobody to talk to.
        transport: Transport::Plain,
    };
    let node = Node::start(options).await?;
    let filled = fill(&node, identity, rows).await;
    node.shutdown().await;
    let epoch = filled?;
    // Last: only now the directory counts.
    identity.store(data.path())?;
    Ok(epoch)
}

/// Makes this node ready to be added to a group by its leader: it will
/// listen, and wait. `epoch`: of the master that does so; groups of the past cannot win the member.
///
/// # Errors
/// As [`bootstrap`]. Repeating it with the same identity is harmless.
pub fn prepare(dir: &Path, identity: &Identity, epoch: u64) -> Result<(), Error> {
    let data = DataDir::take(dir)?;
    if Identity::load(data.path())?.as_ref() == Some(identity) {
        return Ok(());
    }
    refuse_existing(data.path())?;
    remove_unfinished(data.path())?;
    generation::store_least(data.path(), generation::of(epoch))?;
    identity.store(data.path())
}

fn refuse_existing(dir: &Path) -> Result<(), Error> {
    match Identity::load(dir)? {
        None => Ok(()),
        Some(found) => Err(Error::invalid(format!(
            "{} already belongs to member {} ({}) of a cluster: destroy that cluster or remove \
             the directory first",
            dir.display(),
            found.id,
            found.name
        ))),
    }
}

/// What a bootstrap that died left behind: never acknowledged to anybody.
fn remove_unfinished(dir: &Path) -> Result<(), Error> {
    for database in ["log.db", "state.db"] {
        for suffix in ["", "-wal", "-shm"] {
            let path = dir.join(format!("{database}{suffix}"));
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed("remove", &path, &error)),
            }
        }
    }
    Ok(())
}

async fn fill(node: &Node, identity: &Identity, rows: Vec<(Key, String)>) -> Result<u64, Error> {
    if identity.id == 0 {
        return Err(Error::invalid("a member's id must be above 0"));
    }
    let Identity { name, address, .. } = identity.clone();
    node.initialize(name, address).await?;
    let mut roles = node.role();
    let elected = roles.wait_for(|role| role.is_leader());
    let elected = tokio::time::timeout(ELECTION_LIMIT, elected).await;
    let elected = elected.map_err(|_| Error::Timeout { limit: ELECTION_LIMIT })?;
    let epoch = elected.map_err(Error::unavailable)?.term;
    let (mut command, mut bytes) = (Command::new(epoch), 0);
    for (key, json) in rows {
        bytes += json.len();
        command = command.expect(key.clone(), Expect::Absent).put(key, json);
        if bytes > COMMAND_BYTES {
            write(node, std::mem::replace(&mut command, Command::new(epoch))).await?;
            bytes = 0;
        }
    }
    write(node, command).await?;
    Ok(epoch)
}

async fn write(node: &Node, command: Command) -> Result<(), Error> {
    let (_, outcomes) = node.propose(Arc::new(vec![command])).await?;
    match outcomes.first() {
        Some(Outcome::Applied { .. }) => Ok(()),
        Some(Outcome::Conflict { key, .. }) => Err(Error::invalid(format!("the first rows have {key} twice"))),
        Some(Outcome::Deposed { .. }) | None => Err(Error::unavailable("the new group did not take its first rows")),
    }
}

//! Commands that wait together share one log entry, and so one fsync.
//!
//! While an entry is on its way, commands queue here; the next entry takes
//! them all. Throughput grows with load, and one client alone waits for nobody.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::client::Proposed;
use crate::command::{Command, Outcome};
use crate::error::Error;
use crate::raft::Consensus;
use crate::store::entry::weight;

/// Commands in one entry.
const BATCH_COMMANDS: usize = 1024;
/// Bytes in one entry: a fraction of the largest message.
const BATCH_BYTES: usize = 4 << 20;
/// Bytes of one command. A job with its log is far below.
pub(crate) const COMMAND_BYTES: usize = 16 << 20;
/// Commands that may wait; beyond, callers wait to be let in.
const QUEUE: usize = 8192;
/// After an entry of many commands their clients come back at about the same
/// time: a short entry waits this long for them. Small against an fdatasync.
const REGROUP: Duration = Duration::from_micros(300);
/// How many make it worth waiting.
const REGROUP_FROM: usize = 4;

/// Takes commands. Clones share the queue.
#[derive(Clone)]
pub(crate) struct Proposer {
    queue: mpsc::Sender<Pending>,
    consensus: Arc<dyn Consensus>,
}

struct Pending {
    command: Command,
    done: oneshot::Sender<Result<Proposed, Error>>,
}

/// The disk space that must be free, so that Raft never fails half-way.
#[derive(Debug, Clone)]
pub(crate) struct Reserve {
    pub(crate) dir: PathBuf,
    pub(crate) bytes: u64,
}

impl Reserve {
    /// # Errors
    /// [`Error::Unavailable`] when less is free.
    fn check(&self) -> Result<(), Error> {
        let dir = self.dir.display();
        let found = nix::sys::statvfs::statvfs(&self.dir).map_err(|error| Error::unavailable(format!("cannot look at {dir}: {error}")))?;
        let free = found.blocks_available().saturating_mul(found.fragment_size());
        if free < self.bytes {
            return Err(Error::unavailable(format!(
                "only {} MiB are free in {dir}, confd needs {}: nothing is written until there is space",
                free >> 20,
                self.bytes >> 20
            )));
        }
        Ok(())
    }
}

impl Proposer {
    pub(crate) fn start(consensus: Arc<dyn Consensus>, reserve: Reserve) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(run(consensus.clone(), reserve, waiting));
        Self { queue, consensus }
    }

    /// Waits until the command is applied.
    pub(crate) async fn propose(&self, command: Command) -> Result<Proposed, Error> {
        if weight(&command) > COMMAND_BYTES {
            return Err(Error::invalid(format!("the command has more than {} MiB", COMMAND_BYTES >> 20)));
        }
        // Before it queues up behind an entry that waits for a majority.
        self.consensus.writable()?;
        let (done, answer) = oneshot::channel();
        let stopping = |_| Error::unavailable("confd is stopping");
        let sent = self.queue.send(Pending { command, done }).await;
        sent.map_err(|_| stopping(()))?;
        answer.await.map_err(|_| stopping(()))?
    }
}

async fn run(consensus: Arc<dyn Consensus>, reserve: Reserve, mut waiting: mpsc::Receiver<Pending>) {
    let mut last = 0;
    while let Some(first) = waiting.recv().await {
        let mut batch = Vec::new();
        let mut bytes = 0;
        push(&mut batch, &mut bytes, first);
        drain(&mut batch, &mut bytes, &mut waiting);
        if last >= REGROUP_FROM && batch.len() < last / 2 {
            tokio::time::sleep(REGROUP).await;
            drain(&mut batch, &mut bytes, &mut waiting);
        }
        last = batch.len();
        propose(consensus.as_ref(), &reserve, batch).await;
    }
}

fn push(batch: &mut Vec<Pending>, bytes: &mut usize, pending: Pending) {
    *bytes += weight(&pending.command);
    batch.push(pending);
}

fn drain(batch: &mut Vec<Pending>, bytes: &mut usize, waiting: &mut mpsc::Receiver<Pending>) {
    while batch.len() < BATCH_COMMANDS
        && *bytes < BATCH_BYTES
        && let Ok(pending) = waiting.try_recv()
    {
        push(batch, bytes, pending);
    }
}

async fn propose(consensus: &dyn Consensus, reserve: &Reserve, batch: Vec<Pending>) {
    // Who has gone does not get what it asked for.
    let alive = batch.into_iter().filter(|pending| !pending.done.is_closed());
    let (commands, waiters): (Vec<_>, Vec<_>) = alive.map(|pending| (pending.command, pending.done)).unzip();
    if commands.is_empty() {
        return;
    }
    let result = match reserve.check() {
        Ok(()) => consensus.propose(Arc::new(commands)).await,
        Err(error) => Err(error),
    };
    answer(waiters, result);
}

fn answer(waiters: Vec<oneshot::Sender<Result<Proposed, Error>>>, result: Result<(u64, Vec<Outcome>), Error>) {
    match result {
        Ok((index, outcomes)) => {
            assert_eq!(waiters.len(), outcomes.len(), "one outcome for each command");
            for (waiter, outcome) in waiters.into_iter().zip(outcomes) {
                // Who has gone meanwhile repeats it with the token.
                let _ = waiter.send(Ok(Proposed { index, outcome }));
            }
        }
        Err(error) => {
            for waiter in waiters {
                let _ = waiter.send(Err(error.clone()));
            }
        }
    }
}

//! The one thread (in a simulated world: task) that writes the log, with group commit.
//!
//! Everything that was queued while the last fdatasync ran goes into one
//! transaction, is synced once, and is then acknowledged together. After an
//! error nothing more is written: what is on disk must stay a prefix of what
//! Raft believes.

use std::path::PathBuf;

use gannet_daemon::world::{self, World};
use rusqlite::{Connection, params};
use tokio::sync::mpsc::UnboundedReceiver;

use super::entry::{Entry, Position};
use super::sqlite::{self, Checkpointer};
use super::{Error, Result};

/// A change of the log, in the order of Raft's calls.
pub(super) enum Op {
    Append(Vec<Entry>),
    /// The consensus library's own text.
    Vote(String),
    /// Deletes from this index on.
    Truncate(u64),
    /// Deletes up to and with this entry.
    Purge(Position),
}

/// An operation and who waits for it to be on disk.
pub(super) struct Job {
    pub(super) op: Op,
    pub(super) done: Done,
}

/// Called once, from the writer's thread, when the outcome is certain.
pub(super) type Done = Box<dyn FnOnce(Result<()>) + Send>;

/// More operations than this wait for the next transaction.
const GROUP_LIMIT: usize = 1024;

pub(super) struct Writer {
    pub(super) db: Connection,
    pub(super) path: PathBuf,
    pub(super) checkpointer: Checkpointer,
    /// Why nothing more is written.
    pub(super) broken: Option<String>,
}

impl Writer {
    /// Works until all senders are gone.
    pub(super) fn start(self, jobs: UnboundedReceiver<Job>) -> Result<()> {
        if let Some(world) = world::get() {
            tokio::spawn(self.run_in(world, jobs));
            return Ok(());
        }
        let path = self.path.clone();
        std::thread::Builder::new().name("log".to_owned()).spawn(move || self.run(jobs)).map_err(Error::io(&path))?;
        Ok(())
    }

    fn run(mut self, mut jobs: UnboundedReceiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            let group = drain(first, &mut jobs);
            self.work(group);
        }
    }

    /// What waits while the disk is slow goes into one transaction here, too.
    async fn run_in(mut self, world: &'static dyn World, mut jobs: UnboundedReceiver<Job>) {
        while let Some(first) = jobs.recv().await {
            tokio::time::sleep(world.disk_delay()).await;
            let group = drain(first, &mut jobs);
            self.work(group);
        }
    }

    fn work(&mut self, group: Vec<Job>) {
        if let Some(reason) = &self.broken {
            return fail(group, reason);
        }
        match self.commit(&group) {
            Ok(()) => group.into_iter().for_each(|job| (job.done)(Ok(()))),
            Err(error) => {
                let reason = crate::error_chain(&error);
                tracing::error!(reason, "cannot write the log, refusing all further writes");
                fail(group, &reason);
                self.broken = Some(reason);
            }
        }
    }

    fn commit(&mut self, group: &[Job]) -> Result<()> {
        let bytes = self.transaction(group).map_err(Error::sqlite(&self.path))?;
        self.checkpointer.committed(bytes);
        Ok(())
    }

    /// Returns about how many bytes were written.
    fn transaction(&mut self, group: &[Job]) -> rusqlite::Result<usize> {
        let tx = sqlite::write(&mut self.db)?;
        let mut bytes = 0;
        for job in group {
            bytes += write(&tx, &job.op)?;
        }
        tx.commit()?;
        Ok(bytes)
    }
}

fn drain(first: Job, jobs: &mut UnboundedReceiver<Job>) -> Vec<Job> {
    let mut group = vec![first];
    while group.len() < GROUP_LIMIT {
        match jobs.try_recv() {
            Ok(job) => group.push(job),
            // Empty, or the end.
            Err(_) => break,
        }
    }
    group
}

fn fail(group: Vec<Job>, reason: &str) {
    for job in group {
        (job.done)(Err(Error::Stopped { reason: reason.to_owned() }));
    }
}

fn write(db: &Connection, op: &Op) -> rusqlite::Result<usize> {
    /// Every transaction rewrites whole pages.
    const PAGES: usize = 8192;
    match op {
        Op::Append(entries) => {
            let mut bytes = PAGES;
            for entry in entries {
                bytes += insert(db, entry)?;
            }
            Ok(bytes)
        }
        Op::Vote(text) => set(db, "vote", text),
        Op::Truncate(since) => {
            db.prepare_cached("DELETE FROM log WHERE idx >= ?1")?.execute([since])?;
            Ok(PAGES)
        }
        Op::Purge(upto) => {
            let gone = db.prepare_cached("DELETE FROM log WHERE idx <= ?1")?.execute([upto.index])?;
            set(db, "purged", &format!("{} {}", upto.index, upto.term))?;
            Ok(PAGES + gone * 64)
        }
    }
}

/// Adds an entry, and returns its bytes.
pub(super) fn insert(db: &Connection, entry: &Entry) -> rusqlite::Result<usize> {
    let encoded = entry.encode();
    let mut insert = db.prepare_cached("INSERT INTO log (idx, term, entry) VALUES (?1, ?2, ?3)")?;
    insert.execute(params![entry.at.index, entry.at.term, encoded])?;
    Ok(encoded.len())
}

pub(super) fn set(db: &Connection, name: &str, value: &str) -> rusqlite::Result<usize> {
    db.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?.execute([name, value])?;
    Ok(8192)
}

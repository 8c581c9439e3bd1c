//! Which group a member belongs to. A group that was recovered from one copy is another one than that of the lost majority,
//! though members of both may have the same numbers and addresses. The upper half of a term says which: terms of different
//! groups never mix, and the epoch of the new group's master is above all that the old one can ever reach.

use std::path::{Path, PathBuf};

use tokio::sync::watch;
use tonic::Status;
use tonic::metadata::MetadataValue;

use crate::error::Error;
use crate::identity::{failed, store_text};

/// Bits of a term that count elections.
const ELECTIONS: u32 = 32;
/// Carries the group of the member that refuses, with its refusal.
const HEADER: &str = "gannet-generation";
/// The lowest group of which a member may be, for one that has no terms yet.
const LEAST: &str = "generation";
/// Says that this copy's group was replaced by a later one.
const CUT_OFF: &str = "cut-off";

/// The group of a term.
pub(crate) fn of(term: u64) -> u64 {
    term >> ELECTIONS
}

/// The first term of the group after that of `term`.
pub(crate) fn first_term_after(term: u64) -> u64 {
    (of(term) + 1) << ELECTIONS
}

/// What a member knows of groups.
#[derive(Debug, Clone)]
pub(crate) struct Generation {
    dir: PathBuf,
    least: u64,
    /// The later group by which this one was replaced.
    newer: watch::Sender<Option<u64>>,
}

impl Generation {
    /// # Errors
    /// A file cannot be read, or this copy was cut off.
    pub(crate) fn load(dir: &Path) -> Result<Self, Error> {
        if let Some(newer) = read(&dir.join(CUT_OFF))? {
            return Err(cut_off(dir, newer));
        }
        let least = read(&dir.join(LEAST))?.unwrap_or(0);
        Ok(Self { dir: dir.to_owned(), least, newer: watch::channel(None).0 })
    }

    /// Of a member whose term is this.
    pub(crate) fn own(&self, term: u64) -> u64 {
        of(term).max(self.least)
    }

    /// Another member is in a later group: this one may never act again with what it has.
    pub(crate) fn replaced(&self, newer: u64) {
        tracing::error!(newer, "the cluster was recovered on another node without this one");
        if let Err(error) = store_text(&self.dir, CUT_OFF, &newer.to_string()) {
            // It would find out again after a restart.
            tracing::error!(%error, "cannot note that this copy was cut off");
        }
        self.newer.send_replace(Some(newer));
    }

    /// Learns from a refusal.
    pub(super) fn hear(&self, status: &Status) {
        let told = status.metadata().get(HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(newer) = told {
            self.replaced(newer);
        }
    }

    /// Whether a request of a term may be answered by a member in `own_term`; `empty`: it has nothing yet.
    pub(super) fn admit(&self, term: u64, own_term: u64, empty: bool) -> Result<(), Box<Status>> {
        let (given, own) = (of(term), self.own(own_term));
        if given == own || (given > own && empty) {
            return Ok(());
        }
        let text = format!("the cluster was recovered: this is group {}, not {}", given.max(own), given.min(own));
        let mut status = Status::failed_precondition(text);
        if given < own {
            status.metadata_mut().insert(HEADER, MetadataValue::from(own));
        } else {
            self.replaced(given);
        }
        Err(Box::new(status))
    }

    /// Waits until this member is cut off, and returns the error to end with.
    pub(crate) async fn end(&self) -> Error {
        let mut newer = self.newer.subscribe();
        let found = newer.wait_for(Option::is_some).await.map(|found| found.unwrap_or_default());
        cut_off(&self.dir, found.unwrap_or_default())
    }
}

/// A new member takes part in this group and later ones only.
pub(crate) fn store_least(dir: &Path, generation: u64) -> Result<(), Error> {
    store_text(dir, LEAST, &generation.to_string())
}

fn read(path: &Path) -> Result<Option<u64>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => text.trim().parse().map(Some).map_err(|error| failed("understand", path, &error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, &error)),
    }
}

fn cut_off(dir: &Path, newer: u64) -> Error {
    Error::Unusable {
        reason: format!(
            "the cluster was recovered (group {newer}) from another node's copy, without this one: what is in {} is the past and \
             is not used any more. The master makes a new copy here by itself while this node is a master candidate and not offline \
             (gnt-node modify --offline=no --master-candidate=yes, on the master); what changed here and is not there is lost",
            dir.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(least: u64) -> (tempfile::TempDir, Generation) {
        let dir = tempfile::tempdir().unwrap();
        store_least(dir.path(), least).unwrap();
        let generation = Generation::load(dir.path()).unwrap();
        (dir, generation)
    }

    #[test]
    fn groups_do_not_mix() {
        let (dir, generation) = fresh(0);
        let second = first_term_after(41);
        assert!(second > 1 << 31, "no number of elections gets there");
        assert!(generation.admit(7, 41, false).is_ok());
        // One of the past hears that it is.
        let refused = generation.admit(99, second + 3, false).unwrap_err();
        let (other_dir, other) = fresh(0);
        other.hear(&refused);
        assert!(matches!(Generation::load(other_dir.path()), Err(Error::Unusable { .. })), "also after a restart");
        assert!(Generation::load(dir.path()).is_ok());
        // And one that is of the past itself, when it hears a later one.
        assert!(generation.admit(second, 41, false).is_err());
        assert!(Generation::load(dir.path()).is_err());
    }

    #[test]
    fn a_new_member_cannot_be_won_by_the_past() {
        let (_dir, generation) = fresh(1);
        assert!(generation.admit(41, 0, true).is_err());
        assert!(generation.admit(first_term_after(41), 0, true).is_ok());
        let (_dir, generation) = fresh(0);
        assert!(generation.admit(first_term_after(41), 0, true).is_ok(), "one that has nothing joins any");
    }
}

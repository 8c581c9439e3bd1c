//! The store's state as the library wants it.

use openraft::storage::RaftStateMachine;
use openraft::{ErrorVerb, OptionalSend, RaftSnapshotBuilder};

use super::convert::{applied, snapshot_meta, state, to_store};
use super::types::{Entry, LogId, Outcomes, Snapshot, SnapshotData, SnapshotMeta, StorageError, StoredMembership, Types};
use crate::store;
use crate::store::snapshot::SnapshotFile;
use crate::store::state::State;

#[derive(Clone)]
pub(super) struct StateMachine {
    pub(super) state: State,
    /// Where snapshots are received.
    pub(super) dir: std::path::PathBuf,
}

impl StateMachine {
    /// Runs store work off the runtime's threads.
    async fn run<T: Send + 'static>(
        &self,
        verb: ErrorVerb,
        work: impl FnOnce(&State) -> store::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let handle = self.state.clone();
        match gannet_daemon::work::blocking(move || work(&handle)).await {
            Ok(done) => done.map_err(|error| state(verb, &error)),
            Err(panicked) => Err(state(verb, &panicked)),
        }
    }

    fn local(&self, meta: SnapshotMeta) -> Snapshot {
        let snapshot = Box::new(SnapshotData::Local(self.state.clone()));
        Snapshot { meta, snapshot }
    }
}

impl RaftSnapshotBuilder<Types> for StateMachine {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError> {
        let progress = self.run(ErrorVerb::Write, State::take_snapshot).await?;
        Ok(self.local(snapshot_meta(&progress)?))
    }
}

impl RaftStateMachine<Types> for StateMachine {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        applied(&self.run(ErrorVerb::Read, State::progress).await?)
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Outcomes>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries = entries.into_iter().map(|entry| to_store(&entry));
        let entries: Vec<_> = entries.collect::<Result<_, _>>()?;
        let outcomes = self.run(ErrorVerb::Write, move |state| state.apply(&entries));
        Ok(outcomes.await?.into_iter().map(Outcomes).collect())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<SnapshotData>, StorageError> {
        Ok(Box::new(SnapshotData::File(SnapshotFile::incoming(&self.dir))))
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: Box<SnapshotData>) -> Result<(), StorageError> {
        let progress = self
            .run(ErrorVerb::Write, move |state| match *snapshot {
                SnapshotData::File(file) => state.install(&file),
                SnapshotData::Local(from) => state.install(&from.copy_to_file()?),
            })
            .await?;
        let installed = snapshot_meta(&progress)?;
        // The receiver takes the meta from the copy itself.
        assert_eq!(installed.last_log_id, meta.last_log_id, "another snapshot was installed");
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        let progress = self.run(ErrorVerb::Read, State::snapshot).await?;
        let meta = progress.map(|progress| snapshot_meta(&progress)).transpose()?;
        Ok(meta.map(|meta| self.local(meta)))
    }
}

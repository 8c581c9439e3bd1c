//! Jobs of the store, in the order of their numbers. There may be far more than memory should hold: they are read page by page.

use std::collections::VecDeque;

use gannet_core::error::WireError;
use gannet_core::id::JobId;

use crate::job::JobRow;
use crate::master::Master;

/// Jobs that are read in one go.
const PAGE: u32 = 500;
/// When so many wanted jobs lie within one page, the page is read; otherwise each job alone.
pub(super) const DENSE: usize = 8;

/// The jobs of one kind of rows: finished or archived ones.
pub(super) struct Stored {
    kind: &'static str,
    after: String,
    page: VecDeque<JobRow>,
    is_over: bool,
}

impl Stored {
    pub(super) fn new(kind: &'static str) -> Self {
        Self { kind, after: String::new(), page: VecDeque::new(), is_over: false }
    }

    /// Gives each job whose number is smaller than `id` (all, without one), and leaves that one itself out.
    pub(super) async fn each_before(
        &mut self,
        master: &Master,
        id: Option<JobId>,
        mut each: impl FnMut(&JobRow) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        loop {
            if self.page.is_empty() && !self.is_over {
                self.read(master).await?;
            }
            while let Some(row) = take_before(&mut self.page, id) {
                each(&row)?;
            }
            // The asker has this one from the queue: it was archived meanwhile.
            self.page.pop_front_if(|row| Some(row.job.id) == id);
            if self.is_over || !self.page.is_empty() {
                return Ok(());
            }
        }
    }

    /// The job with this number, if it is here. Ask for growing numbers; `soon` is one that will be asked for after some others.
    pub(super) async fn find(&mut self, master: &Master, id: JobId, soon: Option<JobId>) -> Result<Option<JobRow>, WireError> {
        while take_before(&mut self.page, Some(id)).is_some() {}
        if let Some(row) = self.page.pop_front_if(|row| row.job.id == id) {
            return Ok(Some(row));
        }
        if soon.is_none_or(|soon| soon.0 - id.0 > u64::from(PAGE)) {
            return master.queue().finished(id).await.map_err(|error| WireError::new("GenericError", error.to_string()));
        }
        self.page.clear();
        self.after = crate::job::row_id(JobId(id.0.saturating_sub(1)));
        self.read(master).await?;
        Ok(self.page.pop_front_if(|row| row.job.id == id))
    }

    async fn read(&mut self, master: &Master) -> Result<(), WireError> {
        let page = master.store().client().list(self.kind, &self.after, PAGE).await;
        let page = page.map_err(|error| WireError::new("GenericError", error.to_string()))?;
        // A page may be short; only an empty one is the end.
        match page.last() {
            Some(last) => self.after.clone_from(&last.key.id),
            None => self.is_over = true,
        }
        self.page = page.iter().filter_map(|row| serde_json::from_str(&row.json).ok()).collect();
        Ok(())
    }
}

/// The first row, if its number is smaller than `id`, or if there is none to stop at.
fn take_before(page: &mut VecDeque<JobRow>, id: Option<JobId>) -> Option<JobRow> {
    page.pop_front_if(|row| id.is_none_or(|id| row.job.id < id))
}

#[cfg(test)]
mod tests {
    use gannet_core::job::Job;
    use gannet_core::quantity::Timestamp;

    use super::*;

    fn page(ids: &[u64]) -> VecDeque<JobRow> {
        ids.iter().map(|id| JobRow { job: Job::new(JobId(*id), vec![], Timestamp(0)), journal: None }).collect()
    }

    #[test]
    fn rows_come_up_to_a_number() {
        let mut rows = page(&[1, 3, 5, 9]);
        let ids = |rows: &mut VecDeque<JobRow>, id: Option<u64>| {
            std::iter::from_fn(|| take_before(rows, id.map(JobId))).map(|row| row.job.id.0).collect::<Vec<_>>()
        };
        assert_eq!(ids(&mut rows, Some(1)), [0_u64; 0]);
        assert_eq!(ids(&mut rows, Some(5)), [1, 3]);
        assert_eq!(ids(&mut rows, None), [5, 9]);
    }
}

//! Jobs: the durable queue, the engine that runs opcodes through their phases, and the journal that survives the master.

mod archive;
mod backlog;
mod brief;
mod cell;
mod control;
mod drive;
mod engine;
mod journal;
mod lane;
mod log;
mod queue;
mod recover;
mod scheduler;
mod steps;
mod submit;
mod undo;

pub use archive::serve as archive_old;
pub use brief::{Brief, Entry};
pub(crate) use cell::row_id;
pub use cell::{JobCell, JobRow};
pub use drive::{Finished, OpContext, OpError, drive, jobs_result};
pub use journal::{Journal, StepRecord, StepState};
pub use log::JobLog;
pub use queue::{ARCHIVED_KEY, DRAIN_KEY, Queue};
pub use recover::recover;
pub use steps::Steps;
pub use submit::SubmitError;

//! Jobs: the durable queue, the engine that runs opcodes through their phases, and the journal that survives the master.

mod cell;
mod drive;
mod engine;
mod journal;
mod log;
mod queue;
mod recover;
mod steps;
mod undo;

pub use cell::{JobCell, JobRow};
pub use drive::{Finished, OpContext, OpError, drive, jobs_result};
pub use engine::run;
pub use journal::{Journal, StepRecord, StepState};
pub use log::JobLog;
pub use queue::{ARCHIVED_KEY, DRAIN_KEY, Queue, SubmitError};
pub use recover::recover;
pub use steps::Steps;

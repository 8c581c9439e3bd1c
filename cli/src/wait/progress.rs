//! What a terminal shows while a job runs: a line at the bottom with its state, its last message and the time so far.

use std::time::Duration;

use gannet_core::id::JobId;
use gannet_core::job::JobStatus;
use indicatif::{ProgressBar, ProgressStyle};

/// The line at the bottom; nothing where nobody watches.
#[derive(Debug)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    job: JobId,
    status: JobStatus,
    message: String,
}

impl Progress {
    pub(super) fn new(is_watched: bool, job: JobId) -> Self {
        let bar = is_watched.then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} [{elapsed}] {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, job, status: JobStatus::Queued, message: String::new() }
    }

    pub(super) fn status(&mut self, status: JobStatus) {
        self.status = status;
        self.update();
    }

    pub(super) fn message(&mut self, message: &str) {
        message.trim_start_matches([' ', '*', '-']).lines().next().unwrap_or_default().clone_into(&mut self.message);
        self.update();
    }

    /// Prints with the line out of the way.
    pub(super) fn above(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn update(&self) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("Job {}: {} {}", self.job, self.status, self.message));
        }
    }
}

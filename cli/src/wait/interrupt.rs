//! Ctrl-C while a job is followed: the job goes on, and the operator is told so.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use gannet_core::id::JobId;
use nix::sys::signal::{SigSet, Signal};

static JOB: AtomicU64 = AtomicU64::new(0);
static WATCHER: Once = Once::new();

/// From now on Ctrl-C means to stop looking at `job`.
pub(super) fn watch(job: JobId) {
    JOB.store(job.0, Ordering::Relaxed);
    WATCHER.call_once(|| {
        let mut interrupts = SigSet::empty();
        interrupts.add(Signal::SIGINT);
        // Threads inherit the mask, so only the watcher gets the signal.
        if interrupts.thread_block().is_ok() {
            std::thread::spawn(move || {
                if interrupts.wait().is_ok() {
                    let job = JOB.load(Ordering::Relaxed);
                    eprintln!("\nAborted. Job {job} goes on in the background: `gnt-job watch {job}` follows it, `gnt-job cancel {job}` cancels it.");
                    std::process::exit(i32::from(crate::exit::FAILURE));
                }
            });
        }
    });
}

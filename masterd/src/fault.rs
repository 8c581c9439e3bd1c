//! Places at which a test makes the daemon die. `GANNET_CRASH_AT=N` in the environment ends the process, as `kill -9`
//! would, at the N-th place that it passes (counted from 1, from the start of the process). Without the variable a place
//! costs one relaxed load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static PASSED: AtomicU64 = AtomicU64::new(0);
static CRASH_AT: OnceLock<Option<u64>> = OnceLock::new();

/// A place where a crash is interesting: before and after every effect and every durable write of a job.
pub(crate) fn point(name: &str) {
    let wanted = CRASH_AT.get_or_init(|| std::env::var("GANNET_CRASH_AT").ok().and_then(|text| text.parse().ok()));
    let Some(wanted) = wanted else { return };
    if PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *wanted {
        tracing::error!(name, number = wanted, "GANNET_CRASH_AT: the process ends here");
        std::process::abort();
    }
}

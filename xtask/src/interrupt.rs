//! Ctrl-C while a lab is being started or shown: the lab is ended, as `demo stop` would do it.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal};

use crate::lab::Lab;
use crate::{process, say};

/// What shells say after SIGINT.
const CODE: i32 = 130;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Held by whoever starts a program; after an interruption by nobody but the one who ends the lab.
static SPAWNING: Mutex<()> = Mutex::new(());

thread_local! {
    /// This thread is the one who ends the lab.
    static ENDS: Cell<bool> = const { Cell::new(false) };
}

/// From now on SIGINT and SIGTERM end `lab` and then this process. To be called before this process has other threads.
///
/// # Errors
/// The signals cannot be blocked.
pub fn ends(lab: &Lab) -> Result<()> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    // Programs that are started get an empty mask.
    signals.thread_block().context("cannot block SIGINT")?;
    let dir = lab.dir.clone();
    std::thread::spawn(move || {
        if signals.wait().is_err() {
            return;
        }
        INTERRUPTED.store(true, Ordering::SeqCst);
        let _nobody_else = spawning();
        ENDS.set(true);
        say::line("");
        say::line("Interrupted: ending the cluster.");
        process::descendants(std::process::id().cast_signed()).iter().for_each(process::Identity::kill);
        let ended = Lab::load(&dir).and_then(|lab| lab.map_or(Ok(()), |lab| lab.down()));
        if let Err(error) = ended {
            say::line(format!("error: {error:#}"));
            std::process::exit(1);
        }
        say::line("Stopped: no process, namespace, mount or interface of the cluster is left.");
        std::process::exit(CODE);
    });
    Ok(())
}

/// To be held while a program is started. Never returns when the lab is being ended by another thread.
pub fn spawning() -> Option<MutexGuard<'static, ()>> {
    (!ENDS.get()).then(|| SPAWNING.lock().unwrap_or_else(PoisonError::into_inner))
}

/// To be called before this process ends: when the lab is being ended, that goes first.
pub fn hold() {
    while INTERRUPTED.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

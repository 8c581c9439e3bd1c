//! The wish of an operator to stop.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigSet, Signal};

/// Whether SIGINT came.
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From now on SIGINT and SIGTERM are for a thread that waits for them.
    pub(super) fn watch() -> Result<Self, String> {
        let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
        signals.thread_block().map_err(|error| format!("cannot watch for signals: {error}"))?;
        let asked = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            while let Ok(signal) = signals.wait() {
                if signal == Signal::SIGTERM {
                    say("Double cancel request, exiting now...\n");
                    std::process::exit(2);
                }
                heard.store(true, Ordering::SeqCst);
                say("Cancel request registered, will exit at the end of the current job set...\n");
            }
        });
        Ok(Self(asked))
    }

    pub(super) fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

fn say(text: &str) {
    drop(std::io::stdout().write_all(text.as_bytes()));
}

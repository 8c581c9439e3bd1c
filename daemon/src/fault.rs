//! Places at which a test makes a daemon die, or stand still.
//!
//! `GANNET_FAULT_FILE` in the environment names a file with one line, `kill N [PLACE]` or `stop N [PLACE]`: the N-th place (of
//! that name) that the process passes from then on ends it as `kill -9` would, or stops it (SIGSTOP) until it is sent SIGCONT.
//! The file is counted down on the way, and renamed to `FILE.hit`, with the name of the place in it, when the place is reached. So a test sees how many
//! places an operation has, and a daemon that is started again is not armed any more. Without the variable a place costs one
//! relaxed load.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Names the file.
pub const VARIABLE: &str = "GANNET_FAULT_FILE";

static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
/// One place at a time counts.
static TURN: Mutex<()> = Mutex::new(());

/// A place where a crash is interesting: before and after everything that others can see, or that lasts.
pub fn point(name: &str) {
    let Some(file) = FILE.get_or_init(|| std::env::var_os(VARIABLE).map(PathBuf::from)) else { return };
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(signal) = pass(file, name) {
        tracing::error!(name, signal = signal.as_str(), "GANNET_FAULT_FILE: a fault is wanted here");
        // To itself: there is nobody without the right to do that.
        let _ = kill(Pid::this(), signal);
    }
}

/// Counts one place; the signal that is wanted here, if one is.
fn pass(file: &Path, name: &str) -> Option<Signal> {
    let text = std::fs::read_to_string(file).ok()?;
    let mut words = text.trim().splitn(3, ' ');
    let (verb, number, only) = (words.next()?, words.next()?, words.next());
    let signal = match verb {
        "kill" => Signal::SIGKILL,
        "stop" => Signal::SIGSTOP,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    if only.is_some_and(|only| only != name) {
        return None;
    }
    let wanted = number <= 1;
    let done = if wanted {
        let new = file.with_extension("hit.new");
        std::fs::write(&new, name)
            .and_then(|()| std::fs::remove_file(file))
            .and_then(|()| std::fs::rename(&new, file.with_extension("hit")))
    } else {
        let left = [verb, &(number - 1).to_string()].into_iter().chain(only).collect::<Vec<_>>().join(" ");
        // In its place, and as long as before: a file that was taken away does not come back, and readers see one or the other.
        let open = std::fs::OpenOptions::new().write(true).open(file);
        open.and_then(|open| open.write_all_at(format!("{left:<0$}", text.len()).as_bytes(), 0))
    };
    // Whoever took the file away wants no fault any more.
    (done.is_ok() && wanted).then_some(signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_place_is_counted_down_to() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("fault");
        assert_eq!(pass(&file, "one"), None);
        std::fs::write(&file, "stop 3\n").unwrap();
        assert_eq!(pass(&file, "one"), None);
        assert_eq!(pass(&file, "two"), None);
        assert_eq!(pass(&file, "three"), Some(Signal::SIGSTOP));
        assert_eq!(std::fs::read_to_string(dir.path().join("fault.hit")).unwrap(), "three");
        assert_eq!(pass(&file, "four"), None);
        std::fs::write(&file, "dance 1").unwrap();
        assert_eq!(pass(&file, "five"), None);
        std::fs::write(&file, "kill 2 this one").unwrap();
        assert_eq!(pass(&file, "this one"), None);
        assert_eq!(pass(&file, "that one"), None);
        assert_eq!(pass(&file, "this one"), Some(Signal::SIGKILL));
    }
}

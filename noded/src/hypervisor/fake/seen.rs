//! The records as they were read last, so that listing many guests does not open as many files each time.
//!
//! Every record is renamed into its directory or removed from it, which changes the directory's time. A directory whose
//! time is too young when it is read may change once more without showing it: then nothing is remembered.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::record::Record;
use crate::hypervisor::Error;

/// Times of files are as coarse as the kernel's tick, 10 ms at most; more for safety.
const COARSE: Duration = Duration::from_millis(50);

/// What was read last.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Option<(Stamp, Arc<Vec<Record>>)>>);

/// Device, inode, modification time in seconds and nanoseconds.
type Stamp = (u64, u64, i64, i64);

impl Seen {
    /// All records in the directory.
    pub(super) fn all(&self, directory: &Path) -> Result<Arc<Vec<Record>>, Error> {
        let stamp = stamp(directory);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, records)) = seen.as_ref()
            && Some(*of) == stamp
        {
            return Ok(records.clone());
        }
        let records = Arc::new(Record::all(directory)?);
        *seen = stamp.map(|stamp| (stamp, records.clone()));
        Ok(records)
    }
}

/// `None`: there is no such directory, or its time does not tell enough.
fn stamp(directory: &Path) -> Option<Stamp> {
    let meta = fs::metadata(directory).ok()?;
    let age = SystemTime::now().duration_since(meta.modified().ok()?).ok()?;
    (age > COARSE).then(|| (meta.dev(), meta.ino(), meta.mtime(), meta.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use gannet_proto::node::Instance;

    use super::super::record::Phase;
    use super::*;

    fn record(name: &str) -> Record {
        Record::new(&Instance { name: name.to_owned(), ..Instance::default() }, Phase::Running)
    }

    fn names(seen: &Seen, directory: &Path) -> Vec<String> {
        seen.all(directory).expect("readable").iter().map(|record| record.name.clone()).collect()
    }

    /// As if nothing had happened in the directory for a long time.
    fn age(directory: &Path, seconds: u64) {
        let time = SystemTime::now() - Duration::from_secs(seconds);
        File::open(directory).and_then(|file| file.set_modified(time)).expect("the directory is ours");
    }

    #[test]
    fn changes_show() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let (seen, directory) = (Seen::default(), root.path());
        assert_eq!(names(&seen, &directory.join("none")), [""; 0]);
        for name in ["a", "b"] {
            record(name).write(directory).expect("written");
            assert!(names(&seen, directory).contains(&name.to_owned()), "a young directory is read each time");
        }
        age(directory, 60);
        let first = seen.all(directory).expect("readable");
        assert!(Arc::ptr_eq(&first, &seen.all(directory).expect("readable")), "an old one is not");
        Record::remove(directory, "a").expect("removed");
        assert_eq!(names(&seen, directory), ["b"]);
        age(directory, 30);
        assert_eq!(names(&seen, directory), ["b"]);
    }
}

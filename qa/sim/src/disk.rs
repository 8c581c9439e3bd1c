//! The machines' disks: what was written and not synced is lost with the power, in part and torn; a disk can be full, or broken.
//!
//! The functions of the C library that write to files are replaced (`system.rs`) and tell this module. Only databases lose what
//! they had not synced; other files keep it.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::Rng;
use rand::rngs::StdRng;

/// What is wrong with a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `ENOSPC`.
    Full,
    /// `EIO`.
    Broken,
}

impl Fault {
    pub(crate) fn errno(self) -> i32 {
        match self {
            Self::Full => libc::ENOSPC,
            Self::Broken => libc::EIO,
        }
    }
}

/// A change of a file that is not synced.
enum Change {
    Write { at: u64, new: Vec<u8> },
    Length(u64),
}

/// A change, and how to take it back.
struct Undoable {
    change: Change,
    /// Length of the file before.
    length: u64,
    /// What was where bytes are written or cut off.
    at: u64,
    old: Vec<u8>,
}

/// A file below the simulation's directory.
struct File {
    path: PathBuf,
    machine: Option<usize>,
    is_database: bool,
    /// Since the last sync.
    changes: Vec<Undoable>,
}

#[derive(Default)]
struct Disks {
    dir: Option<PathBuf>,
    files: BTreeMap<u64, File>,
    faults: BTreeMap<usize, Fault>,
    syncs: u64,
    lost: u64,
}

static DISKS: Mutex<Disks> = Mutex::new(Disks { dir: None, files: BTreeMap::new(), faults: BTreeMap::new(), syncs: 0, lost: 0 });

fn disks() -> MutexGuard<'static, Disks> {
    DISKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Files below `dir` are on the machines' disks from now on: `dir/nNUMBER/…`.
pub(crate) fn begin(dir: &Path) {
    disks().dir = Some(dir.to_owned());
}

/// A machine's disk gets a fault, or is well again.
pub(crate) fn set_fault(machine: usize, fault: Option<Fault>) {
    let mut disks = disks();
    match fault {
        Some(fault) => drop(disks.faults.insert(machine, fault)),
        None => drop(disks.faults.remove(&machine)),
    }
}

/// Syncs seen, and changes that a loss of power took away.
pub(crate) fn counts() -> (u64, u64) {
    let disks = disks();
    (disks.syncs, disks.lost)
}

/// A file is about to be written; an error that it gets instead.
pub(crate) fn writes(fd: i32, inode: u64, at: u64, new: &[u8]) -> Option<Fault> {
    change(fd, inode, || Change::Write { at, new: new.to_vec() })
}

/// A file is about to get another length.
pub(crate) fn truncates(fd: i32, inode: u64, length: u64) -> Option<Fault> {
    change(fd, inode, || Change::Length(length))
}

fn change(fd: i32, inode: u64, what: impl FnOnce() -> Change) -> Option<Fault> {
    let mut disks = disks();
    let disks = &mut *disks;
    let dir = disks.dir.as_ref()?;
    // A new file can have the number of one that is gone.
    let path = fs::read_link(format!("/proc/self/fd/{fd}")).unwrap_or_default();
    if disks.files.get(&inode).is_none_or(|known| known.path != path) {
        disks.files.insert(inode, look(path, dir));
    }
    let file = disks.files.get_mut(&inode)?;
    if let Some(fault) = file.machine.and_then(|machine| disks.faults.get(&machine)) {
        return Some(*fault);
    }
    if file.is_database {
        file.changes.push(undoable(&file.path, what()));
    }
    None
}

fn undoable(path: &Path, change: Change) -> Undoable {
    let opened = fs::File::open(path);
    let length = opened.as_ref().ok().and_then(|file| file.metadata().ok()).map_or(0, |meta| meta.len());
    let (at, end) = match &change {
        Change::Write { at, new } => (*at, at + new.len() as u64),
        Change::Length(new) => (*new, length),
    };
    let mut old = vec![0; usize::try_from(end.min(length).saturating_sub(at)).unwrap_or_default()];
    if let Ok(file) = opened {
        // Shorter only if it was shortened meanwhile, which nobody else does.
        let _ = file.read_exact_at(&mut old, at);
    }
    Undoable { change, length, at, old }
}

/// A file was synced; an error that it gets instead.
pub(crate) fn syncs(inode: u64) -> Option<Fault> {
    let mut disks = disks();
    let disks = &mut *disks;
    let file = disks.files.get_mut(&inode)?;
    if let Some(fault) = file.machine.and_then(|machine| disks.faults.get(&machine)) {
        return Some(*fault);
    }
    disks.syncs += 1;
    file.changes.clear();
    None
}

fn look(path: PathBuf, dir: &Path) -> File {
    let below = path.strip_prefix(dir).ok().and_then(|rest| rest.components().next()).map(|first| first.as_os_str().to_owned());
    let machine = below.and_then(|first| first.to_str()?.strip_prefix('n')?.parse().ok());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_database = machine.is_some() && (name.ends_with(".db") || name.ends_with(".db-wal"));
    File { path, machine, is_database, changes: Vec::new() }
}

/// The power of a machine is gone, and with it some of what its databases had not synced. Nobody has the files open any more.
pub(crate) fn power_lost(machine: usize, rng: &mut StdRng) {
    let (dir, files) = {
        let mut disks = disks();
        let all = std::mem::take(&mut disks.files);
        let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, file)| file.machine == Some(machine));
        disks.files = others.into_iter().collect();
        // What follows is done by the disk itself.
        (disks.dir.take(), own)
    };
    for (_, file) in files {
        if file.changes.is_empty() || !file.path.exists() {
            continue;
        }
        let lost = lose(&file, rng);
        match lost {
            Ok(lost) => disks().lost += lost,
            Err(error) => {
                let text = format!("the simulation cannot change {}: {error}", file.path.display());
                crate::state::state().observed.wrong.push(text);
            }
        }
        // An index of the write-ahead log, which is made anew from it.
        let _ = fs::remove_file(file.path.with_extension("db-shm"));
    }
    disks().dir = dir;
}

/// The disk may have taken everything, nothing, or some of it, in any order. How many changes it has not.
fn lose(file: &File, rng: &mut StdRng) -> std::io::Result<u64> {
    let mut content = fs::read(&file.path)?;
    let size = |length: u64| usize::try_from(length).unwrap_or_default();
    for change in file.changes.iter().rev() {
        content.resize(content.len().max(size(change.length)), 0);
        let at = size(change.at);
        content[at..at + change.old.len()].copy_from_slice(&change.old);
        content.truncate(size(change.length));
    }
    let kept = [0.0, 0.5, 1.0][rng.random_range(0..3)];
    let mut lost = 0;
    for Undoable { change, .. } in &file.changes {
        if !rng.random_bool(kept) {
            lost += 1;
            continue;
        }
        match change {
            Change::Length(length) => content.resize(size(*length), 0),
            Change::Write { at, new } => {
                // Torn, sometimes: whole sectors only.
                let taken = if rng.random_bool(0.1) { rng.random_range(0..=new.len()) / 512 * 512 } else { new.len() };
                let at = size(*at);
                content.resize(content.len().max(at + taken), 0);
                content[at..at + taken].copy_from_slice(&new[..taken]);
            }
        }
    }
    let target = OpenOptions::new().write(true).open(&file.path)?;
    target.set_len(content.len() as u64)?;
    target.write_all_at(&content, 0)?;
    Ok(lost)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn what_was_not_synced_is_there_or_not_and_the_rest_always() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("x.db");
        let (old, new) = (vec![b'o'; 4096], vec![b'n'; 2048]);
        let mut ends = std::collections::BTreeSet::new();
        for seed in 0..40 {
            fs::write(&path, &old).expect("written");
            let change = undoable(&path, Change::Write { at: 1024, new: new.clone() });
            fs::OpenOptions::new().write(true).open(&path).and_then(|file| file.write_all_at(&new, 1024)).expect("written");
            let longer = undoable(&path, Change::Length(8192));
            fs::OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(8192)).expect("longer");
            let file = File { path: path.clone(), machine: Some(0), is_database: true, changes: vec![change, longer] };
            lose(&file, &mut StdRng::seed_from_u64(seed)).expect("lost");
            let found = fs::read(&path).expect("there");
            assert!(found[..1024] == old[..1024] && found[3072..4096] == old[3072..], "seed {seed}: what was synced has changed");
            let written = found[1024..3072].iter().filter(|byte| **byte == b'n').count();
            assert_eq!(written % 512, 0, "seed {seed}: sectors are whole");
            ends.insert((written, found.len()));
        }
        let has = |end| ends.contains(&end);
        assert!(has((0, 4096)) && has((2048, 8192)) && has((0, 8192)) && has((2048, 4096)), "{ends:?}");
    }
}

//! Whose file it is: each disk file has a small hidden one beside it, `.NAME.gannet`, with the disk's uuid as JSON.
//!
//! Extended attributes would be neater, but NFS before 4.2, CIFS and most cluster file systems do not keep them, and
//! `sharedfile` lives there. A disk file without an owner file was made by Ganeti or by an operator: it is never taken for a
//! disk that is being created, and never removed. Activating a disk (which only a configured one can be) marks its file,
//! so the disks of a cluster that came from Ganeti get their owners with the first start.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;

#[derive(Serialize, Deserialize)]
struct Owner {
    disk_uuid: String,
}

/// The file that says who owns `disk`.
pub(super) fn path(disk: &Path) -> PathBuf {
    let name = disk.file_name().unwrap_or_default().to_string_lossy();
    disk.with_file_name(format!(".{name}.gannet"))
}

/// The uuid of the disk that owns the file; `None` when nobody has said so.
pub(super) fn read(disk: &Path) -> Result<Option<String>, Error> {
    let path = path(disk);
    match fs::read(&path) {
        Ok(text) => {
            let owner: Owner = serde_json::from_slice(&text)
                .map_err(|error| Error::InTheWay { path, reason: format!("it should say whose disk this is, but is damaged ({error})") })?;
            Ok(Some(owner.disk_uuid))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// Writes the owner, whole or not at all.
pub(super) fn write(disk: &Path, uuid: &str) -> Result<(), Error> {
    remove_unfinished(disk)?;
    let path = path(disk);
    let new = PathBuf::from(format!("{}.{}.new", path.display(), uuid::Uuid::new_v4()));
    let written = (|| {
        let mut file = File::create(&new)?;
        serde_json::to_writer(&mut file, &Owner { disk_uuid: uuid.to_owned() })?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        gannet_daemon::fault::point("an owner file without its name");
        fs::rename(&new, &path)
    })();
    written.map_err(|error| {
        let _ = fs::remove_file(&new); // the write's own error is what counts
        Error::io("write", path)(error)
    })
}

/// Removes the owner file, if there is one.
pub(super) fn remove(disk: &Path) -> Result<(), Error> {
    remove_unfinished(disk)?;
    super::file::remove_if_there(&path(disk))
}

/// Removes what agents that were killed while they wrote an owner file have left of it.
fn remove_unfinished(disk: &Path) -> Result<(), Error> {
    let path = path(disk);
    let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for entry in path.parent().and_then(|dir| fs::read_dir(dir).ok()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let middle = name.to_str().and_then(|name| name.strip_prefix(&own)?.strip_prefix('.')?.strip_suffix(".new"));
        if middle.is_some_and(|middle| uuid::Uuid::try_parse(middle).is_ok()) {
            super::file::remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

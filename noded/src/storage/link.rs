//! Links to the disks of instances in `/run/ganeti/instance-disks`, as Ganeti makes them: `INSTANCE:INDEX`.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use gannet_core::paths::Paths;

use super::Error;

/// The directory of the links.
pub(super) fn dir(paths: &Paths) -> PathBuf {
    paths.run_dir().join("instance-disks")
}

/// Points the link of an instance's disk to `device`.
pub(super) fn make(dir: &Path, instance: &str, index: u32, device: &Path) -> Result<PathBuf, Error> {
    if instance.is_empty() || instance.contains('/') {
        return Err(Error::Invalid(format!("'{instance}' is not the name of an instance")));
    }
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let link = dir.join(format!("{instance}:{index}"));
    if fs::read_link(&link).is_ok_and(|target| target == device) {
        return Ok(link);
    }
    super::file::remove_if_there(&link)?;
    symlink(device, &link).map_err(Error::io("link", &link))?;
    Ok(link)
}

/// Removes all links that point to `device`, under whatever name of an instance.
pub(super) fn remove(dir: &Path, device: &Path) -> Result<(), Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("list", dir)(error)),
    };
    for entry in entries.flatten() {
        let link = entry.path();
        if fs::read_link(&link).is_ok_and(|target| target == device) {
            super::file::remove_if_there(&link)?;
        }
    }
    Ok(())
}

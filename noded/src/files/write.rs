//! Writing a file whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::time::SystemTime;

use super::Error;

/// A file as it shall be.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted<'a> {
    pub(super) content: &'a [u8],
    pub(super) mode: u32,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) mtime: Option<SystemTime>,
}

/// Replaces `path` in one step; the content is on disk when this returns. Nobody else can read it before it has its mode
/// and owner.
pub(super) fn replace(path: &Path, wanted: &Wanted<'_>) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.{}.new", uuid::Uuid::new_v4()));
    let written = fill(&new, wanted).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new); // the write's own error is what counts
    }
    written.map_err(Error::io("write", path))
}

fn fill(new: &Path, wanted: &Wanted<'_>) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(wanted.content)?;
    if wanted.uid.is_some() || wanted.gid.is_some() {
        fchown(&file, wanted.uid, wanted.gid)?;
    }
    file.set_permissions(Permissions::from_mode(wanted.mode & 0o7777))?;
    if let Some(mtime) = wanted.mtime {
        file.set_modified(mtime)?;
    }
    file.sync_all()
}

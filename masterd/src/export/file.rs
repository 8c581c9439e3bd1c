//! Files that appear whole or not at all.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Bytes that are written to the file at a time.
const BUFFER: usize = 64 << 10;

/// Puts `content` at `path` with these permission bits: written beside it, made durable, then renamed.
///
/// # Errors
/// As the operating system says; the old file is then as it was.
pub fn put(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    put_with(path, mode, |file| file.write_all(content))
}

/// As [`put`], with content that `write` writes piece by piece.
///
/// # Errors
/// As [`put`], and those of `write`.
pub fn put_with(path: &Path, mode: u32, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let draft = directory.join(format!(".{name}.new"));
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    let mut buffer = BufWriter::with_capacity(BUFFER, &mut file);
    write(&mut buffer)?;
    buffer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    File::open(directory)?.sync_all()
}

//! Image files: raw ones by the file system alone, qcow2 ones through `qemu-img`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use gannet_core::quantity::Mib;

use super::{Error, blocking};
use crate::run::Program;

/// Creating and resizing an image writes only its tables, also on slow shared storage.
const QEMU_IMG_TIMEOUT: Duration = Duration::from_secs(120);

/// How the content of a disk is laid out in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Raw,
    Qcow2,
}

impl Format {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "" | "raw" => Ok(Self::Raw),
            "qcow2" => Ok(Self::Qcow2),
            other => Err(Error::Invalid(format!("disk format '{other}' is not known; use raw or qcow2"))),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
        }
    }

    /// Makes a new sparse image at `path`, which must not exist.
    pub(super) async fn make(self, path: &Path, size: Mib) -> Result<(), Error> {
        let target = path.to_owned();
        blocking(move || {
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&target);
            let file = file.map_err(Error::io("create", &target))?;
            if self == Self::Raw { file.set_len(size.bytes()).map_err(Error::io("create", &target)) } else { Ok(()) }
        })
        .await?;
        match self {
            Self::Raw => Ok(()),
            Self::Qcow2 => self.qemu_img("create", path, &["create", "-q", "-f", "qcow2"], size).await,
        }
    }

    /// Sets the size that the guest sees.
    pub(super) async fn resize(self, path: &Path, size: Mib) -> Result<(), Error> {
        match self {
            Self::Qcow2 => self.qemu_img("grow", path, &["resize", "-q", "-f", "qcow2"], size).await,
            Self::Raw => {
                let path = path.to_owned();
                blocking(move || {
                    let file = OpenOptions::new().write(true).open(&path).map_err(Error::io("grow", &path))?;
                    file.set_len(size.bytes()).and_then(|()| file.sync_all()).map_err(Error::io("grow", &path))
                })
                .await
            }
        }
    }

    async fn qemu_img(self, action: &'static str, path: &Path, args: &[&str], size: Mib) -> Result<(), Error> {
        let program = Program::new("qemu-img").args(args).arg(path).arg(size.bytes().to_string()).timeout(QEMU_IMG_TIMEOUT);
        match program.output().await {
            Ok(_) => Ok(()),
            Err(crate::run::Error::Exit { stderr, .. }) if stderr.contains("No space left on device") => {
                Err(Error::io(action, path)(io::ErrorKind::StorageFull.into()))
            }
            Err(source) => Err(Error::Program { action, path: path.to_owned(), source }),
        }
    }

    /// Size for the guest, and space really used. The qcow2 header is read without locks, so a running guest is no
    /// hindrance.
    pub(super) fn sizes(self, path: &Path) -> Result<Sizes, Error> {
        let metadata = fs::metadata(path).map_err(Error::io("look at", path))?;
        if !metadata.is_file() {
            return Err(Error::InTheWay { path: path.to_owned(), reason: "it is not a regular file".to_owned() });
        }
        let bytes = match self {
            Self::Raw => metadata.len(),
            Self::Qcow2 => {
                let file = File::open(path).map_err(Error::io("open", path))?;
                qcow2_size(file).map_err(|reason| Error::InTheWay { path: path.to_owned(), reason })?
            }
        };
        Ok(Sizes { bytes, allocated: metadata.blocks().saturating_mul(512), qcow2: self.word() == "qcow2" })
    }
}

/// Sizes of an image, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) bytes: u64,
    pub(super) allocated: u64,
    pub(super) qcow2: bool,
}

impl Sizes {
    /// Sizes of a file whose format nobody has told.
    pub(super) fn guess(path: &Path) -> Result<Self, Error> {
        let is_qcow2 = File::open(path).is_ok_and(|file| qcow2_size(file).is_ok());
        if is_qcow2 { Format::Qcow2 } else { Format::Raw }.sizes(path)
    }
}

/// The virtual size in a qcow2 header (QEMU: docs/interop/qcow2.txt; bytes 0-3 magic, 4-7 version, 24-31 size).
fn qcow2_size(mut file: impl Read) -> Result<u64, String> {
    let mut header = [0_u8; 32];
    file.read_exact(&mut header).map_err(|error| format!("it is not a qcow2 image: {error}"))?;
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if word(0) != 0x5146_49fb || !(2..=3).contains(&word(4)) {
        return Err("it is not a qcow2 image".to_owned());
    }
    Ok(u64::from(word(24)) << 32 | u64::from(word(28)))
}

//! `file` and `sharedfile`: a disk is an image file in a directory per instance.
//!
//! A new image is made under another name (`.NAME.UUID.new`) and then linked to its own name, which fails when that is
//! taken, also by somebody on another node of a shared file system.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use gannet_core::paths::Paths;
use gannet_core::quantity::Mib;
use gannet_daemon::fault;
use gannet_proto::node::{DiskRef, DiskState};

use super::copy::Target;
use super::image::Format;
use super::{Assembled, BlockDevice, Created, Error, InPlace, allowed, blocking, link, owner, space};

/// Ganeti makes them 0750; the last bit lets a guest's process that runs under its own account reach its disk, whose
/// name it must know.
const DIR_MODE: u32 = 0o751;
/// Zeros are written in pieces of this many bytes when wiping.
const WIPE_CHUNK: usize = 1 << 20;

/// A disk in a file.
pub(super) struct FileDisk {
    paths: Paths,
    uuid: String,
    path: PathBuf,
    size: Mib,
    format: Format,
    index: u32,
}

impl FileDisk {
    pub(super) fn new(paths: &Paths, disk: &DiskRef) -> Result<Self, Error> {
        let path = allowed::check(paths, &disk.logical_second, false)?;
        if !is_uuid(&disk.uuid) {
            return Err(Error::Invalid(format!("disk {} has no uuid", path.display())));
        }
        let format = Format::parse(&disk.format)?;
        Ok(Self { paths: paths.clone(), uuid: disk.uuid.clone(), path, size: Mib(disk.size_mib), format, index: disk.index })
    }

    fn links(&self) -> PathBuf {
        link::dir(&self.paths)
    }

    fn temporary(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!(".{name}.{}.new", self.uuid))
    }

    /// Is the disk in its place already? Whatever else is there is an error.
    fn in_place(&self, place: InPlace) -> Result<bool, Error> {
        let in_the_way = |reason: String| Err(Error::InTheWay { path: self.path.clone(), reason });
        match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io("look at", &self.path)(error)),
            Ok(metadata) if !metadata.is_file() => return in_the_way("it is not a regular file".to_owned()),
            Ok(_) => {}
        }
        match owner::read(&self.path)? {
            Some(uuid) if uuid == self.uuid => {}
            Some(uuid) => return in_the_way(format!("it belongs to disk {uuid}")),
            None if place == InPlace::OnlyItself => return in_the_way("it exists and is no disk that this cluster has made".to_owned()),
            None => owner::write(&self.path, &self.uuid)?,
        }
        let sizes = self.format.sizes(&self.path)?;
        if sizes.bytes < self.size.bytes() {
            return in_the_way(format!("it has {}, less than {}", Mib::from_bytes_floor(sizes.bytes), self.size));
        }
        Ok(true)
    }

    async fn try_create(&self, place: InPlace) -> Result<Created, Error> {
        let existed = self.with(move |disk| {
            if disk.in_place(place)? {
                // An agent that was killed may have left its other name.
                remove_if_there(&disk.temporary())?;
                return Ok(true);
            }
            make_dir(disk.path.parent().unwrap_or(&disk.path))?;
            disk.check_space(disk.size)?;
            remove_if_there(&disk.temporary())?; // of an earlier try that was killed
            Ok(false)
        });
        if existed.await? {
            return Ok(Created::Existed);
        }
        self.format.make(&self.temporary(), self.size).await?;
        fault::point("an image without its name");
        self.with(move |disk| disk.publish(&disk.temporary(), place)).await
    }

    /// The image is made sparse, as in Ganeti, so several may promise more than there is; but a disk that is larger than
    /// all that is free now could never be filled.
    fn check_space(&self, needed: Mib) -> Result<(), Error> {
        let dir = self.path.parent().unwrap_or(&self.path);
        let free = space(dir).map_err(Error::io("ask for the space of", dir))?.free;
        if free < needed { Err(Error::NoSpace { path: self.path.clone(), needed, free }) } else { Ok(()) }
    }

    /// Takes the final name, or finds it taken. Undoes the owner file when something foreign came in between.
    fn publish(&self, temporary: &Path, place: InPlace) -> Result<Created, Error> {
        owner::write(&self.path, &self.uuid)?;
        fault::point("an owner without its image");
        match take_name(temporary, &self.path) {
            Ok(()) => {
                fault::point("an image with two names");
                remove_if_there(temporary)?;
                sync_dir(&self.path)?;
                Ok(Created::New)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                owner::remove(&self.path)?;
                if self.in_place(place)? { Ok(Created::Existed) } else { Err(Error::Missing { path: self.path.clone() }) }
            }
            Err(error) => {
                owner::remove(&self.path)?;
                Err(Error::io("create", &self.path)(error))
            }
        }
    }

    /// Whether the file is marked as ours; another disk's file is an error.
    fn is_marked(&self) -> Result<bool, Error> {
        match owner::read(&self.path)? {
            Some(uuid) if uuid != self.uuid => {
                Err(Error::InTheWay { path: self.path.clone(), reason: format!("it belongs to disk {uuid}, not to {}", self.uuid) })
            }
            owner => Ok(owner.is_some()),
        }
    }

    /// For what destroys content: an existing file must be marked as ours.
    fn check_ours(&self) -> Result<(), Error> {
        if fs::symlink_metadata(&self.path).is_err() || self.is_marked()? {
            return Ok(());
        }
        let reason = format!(
            "it is not marked as disk {} of this cluster; start the instance or activate its disks once, or remove it by hand",
            self.uuid
        );
        Err(Error::InTheWay { path: self.path.clone(), reason })
    }

    fn sizes(&self) -> Result<super::image::Sizes, Error> {
        self.format.sizes(&self.path)
    }

    fn shallow(&self) -> Self {
        Self {
            paths: self.paths.clone(),
            uuid: self.uuid.clone(),
            path: self.path.clone(),
            size: self.size,
            format: self.format,
            index: self.index,
        }
    }

    /// Runs `work` on a copy, where it may block.
    async fn with<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
        let disk = self.shallow();
        blocking(move || work(&disk)).await
    }
}

#[async_trait]
impl BlockDevice for FileDisk {
    async fn create(&self, place: InPlace) -> Result<Created, Error> {
        let created = self.try_create(place).await;
        if created.is_err() {
            let _ = self.with(|disk| remove_with_dir(&disk.paths, &disk.temporary())).await; // the first error is what counts
        }
        created
    }

    async fn remove(&self) -> Result<(), Error> {
        self.with(|disk| {
            disk.check_ours()?;
            link::remove(&disk.links(), &disk.path)?;
            remove_if_there(&disk.temporary())?;
            remove_if_there(&disk.path)?;
            fault::point("an owner whose image was removed");
            // Also without a mark: an agent may have been killed while it made one.
            if disk.is_marked().is_ok() {
                owner::remove(&disk.path)?;
            }
            remove_with_dir(&disk.paths, &disk.path)
        })
        .await
    }

    async fn assemble(&self, instance: &str) -> Result<Assembled, Error> {
        let instance = instance.to_owned();
        self.with(move |disk| {
            let marked = disk.is_marked()?;
            disk.sizes()?;
            if !marked {
                owner::write(&disk.path, &disk.uuid)?;
            }
            link::make(&disk.links(), &instance, disk.index, &disk.path)?;
            Ok(Assembled { path: disk.path.to_string_lossy().into_owned(), uri: String::new() })
        })
        .await
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.with(|disk| link::remove(&disk.links(), &disk.path)).await
    }

    async fn grow(&self, size: Mib, dry_run: bool) -> Result<(), Error> {
        let now = self
            .with(move |disk| {
                disk.is_marked()?;
                let now = disk.sizes()?.bytes;
                if now < size.bytes() {
                    disk.check_space(size.saturating_sub(Mib::from_bytes_floor(now)))?;
                }
                Ok(now)
            })
            .await?;
        if dry_run || now >= size.bytes() { Ok(()) } else { self.format.resize(&self.path, size).await }
    }

    async fn rename(&self, new: &DiskRef) -> Result<(), Error> {
        let new = Self::new(&self.paths, new)?;
        if new.uuid != self.uuid {
            return Err(Error::Invalid(format!("disk {} cannot become disk {}: a rename keeps the uuid", self.uuid, new.uuid)));
        }
        self.with(move |old| {
            if old.path == new.path || (!old.path.exists() && new.in_place(InPlace::OnlyItself)?) {
                return Ok(()); // done by an earlier try
            }
            old.is_marked()?;
            old.sizes()?;
            make_dir(new.path.parent().unwrap_or(&new.path))?;
            link::remove(&old.links(), &old.path)?;
            if !new.in_place_same_file(&old.path)? {
                owner::write(&new.path, &new.uuid)?;
                take_name(&old.path, &new.path).map_err(Error::io("rename to", &new.path))?;
            }
            remove_if_there(&old.path)?;
            owner::remove(&old.path)?;
            sync_dir(&new.path)?;
            remove_with_dir(&old.paths, &old.path)
        })
        .await
    }

    async fn info(&self) -> Result<DiskState, Error> {
        self.with(|disk| {
            let state = DiskState { uuid: disk.uuid.clone(), path: disk.path.to_string_lossy().into_owned(), ..DiskState::default() };
            match disk.sizes() {
                Ok(sizes) => Ok(DiskState {
                    exists: true,
                    size_mib: Mib::from_bytes_floor(sizes.bytes).0,
                    allocated_mib: sizes.allocated.div_ceil(1 << 20),
                    ..state
                }),
                Err(Error::Missing { .. }) => Ok(state),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn wipe(&self, offset: Mib, size: Mib) -> Result<(), Error> {
        if self.format != Format::Raw {
            return Err(Error::Invalid(format!("disk {} is qcow2: a new image reads as zeros and is not wiped", self.path.display())));
        }
        self.with(move |disk| {
            disk.check_ours()?;
            if (offset + size).bytes() > disk.sizes()?.bytes {
                return Err(Error::Invalid(format!("{size} from {offset} on reach beyond the end of disk {}", disk.path.display())));
            }
            write_zeros(&disk.path, offset.bytes(), size.bytes()).map_err(Error::io("wipe", &disk.path))
        })
        .await
    }

    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn source(&self) -> Result<fs::File, Error> {
        self.sizes()?;
        fs::File::open(&self.path).map_err(Error::io("open", &self.path))
    }

    fn target(&self) -> Result<Target, Error> {
        self.check_ours()?;
        self.sizes()?;
        let temporary = self.temporary();
        remove_if_there(&temporary)?;
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary);
        let file = file.map_err(Error::io("create", &temporary))?;
        let length = (self.format == Format::Raw).then(|| self.size.bytes());
        Ok(Target::new(file, temporary, self.path.clone(), length))
    }
}

impl FileDisk {
    /// Is my place taken by the very file at `other` (a rename that was interrupted)? Anything else there is an error.
    fn in_place_same_file(&self, other: &Path) -> Result<bool, Error> {
        use std::os::unix::fs::MetadataExt;
        let Ok(there) = fs::symlink_metadata(&self.path) else { return Ok(false) };
        let here = fs::symlink_metadata(other).map_err(Error::io("look at", other))?;
        if (there.dev(), there.ino()) == (here.dev(), here.ino()) {
            return Ok(true);
        }
        Err(Error::InTheWay { path: self.path.clone(), reason: "the new name is taken".to_owned() })
    }
}

fn is_uuid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok()
}

/// Gives the file at `from` the name `to` if that is free; `from` may go on to exist. File systems without hard links
/// cannot do that in one step; there the name is looked at before.
fn take_name(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
            if fs::symlink_metadata(to).is_ok() { Err(io::ErrorKind::AlreadyExists.into()) } else { fs::rename(from, to) }
        }
        other => other,
    }
}

fn write_zeros(path: &Path, offset: u64, size: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let file = fs::OpenOptions::new().write(true).open(path)?;
    let zeros = vec![0_u8; WIPE_CHUNK];
    let mut done = 0;
    while done < size {
        let count = (size - done).min(WIPE_CHUNK as u64);
        // `count` is at most WIPE_CHUNK, so it fits
        file.write_all_at(&zeros[..count as usize], offset + done)?;
        done += count;
    }
    file.sync_all()
}

/// Makes a directory and those above it.
pub(super) fn make_dir(dir: &Path) -> Result<(), Error> {
    fs::DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir).map_err(Error::io("create", dir))
}

/// Removes a file; none is fine.
pub(super) fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Removes a file, and its directory when that is empty then and is not itself one of the allowed directories.
fn remove_with_dir(paths: &Paths, path: &Path) -> Result<(), Error> {
    remove_if_there(path)?;
    let Some(dir) = path.parent() else { return Ok(()) };
    if allowed::check(paths, &dir.to_string_lossy(), false).is_ok() {
        let _ = fs::remove_dir(dir); // fails when other disks of the instance are in it, which is right
    }
    Ok(())
}

fn sync_dir(path: &Path) -> Result<(), Error> {
    let dir = path.parent().unwrap_or(path);
    fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::io("sync", dir))
}

//! Directories of file storage: made, removed when empty, renamed. Ganeti keeps one per instance.

use std::fs;
use std::io;
use std::path::PathBuf;

use gannet_core::paths::Paths;

use super::{Error, allowed, blocking, file};

/// Makes a directory below an allowed one (or an allowed one itself); an existing one is fine.
///
/// # Errors
/// `Forbidden`, or `InTheWay` when something else has that name.
pub async fn create(paths: &Paths, path: &str) -> Result<(), Error> {
    let dir = checked(paths, path)?;
    blocking(move || {
        if dir.exists() && !dir.is_dir() {
            return Err(Error::InTheWay { path: dir, reason: "it is not a directory".to_owned() });
        }
        file::make_dir(&dir)
    })
    .await
}

/// Removes an empty directory; none is fine.
///
/// # Errors
/// `Io` when it is not empty.
pub async fn remove(paths: &Paths, path: &str) -> Result<(), Error> {
    let dir = checked(paths, path)?;
    blocking(move || match fs::remove_dir(&dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove file storage directory", dir)(error)),
        _ => Ok(()),
    })
    .await
}

/// Renames a directory; a rename that has happened is fine.
///
/// # Errors
/// `InTheWay` when both exist, `Missing` when neither does.
pub async fn rename(paths: &Paths, old: &str, new: &str) -> Result<(), Error> {
    let (old, new) = (checked(paths, old)?, checked(paths, new)?);
    blocking(move || match (old.is_dir(), new.exists()) {
        (true, true) if old != new => Err(Error::InTheWay { path: new, reason: format!("{} exists too", old.display()) }),
        (_, true) => Ok(()),
        (false, false) => Err(Error::Missing { path: old }),
        (true, false) => fs::rename(&old, &new).map_err(Error::io("rename", old)),
    })
    .await
}

fn checked(paths: &Paths, path: &str) -> Result<PathBuf, Error> {
    allowed::check(paths, path, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::suite::Node;

    #[tokio::test]
    async fn all_may_be_repeated() {
        let node = Node::new();
        let (old, new) = ("/srv/ganeti/file-storage/web1", "/srv/ganeti/file-storage/web2");
        for _ in 0..2 {
            create(&node.paths, old).await.unwrap();
        }
        for _ in 0..2 {
            rename(&node.paths, old, new).await.unwrap();
        }
        fs::write(node.paths.at(new).join("x"), "").unwrap();
        assert!(matches!(remove(&node.paths, new).await, Err(Error::Io { .. })));
        create(&node.paths, old).await.unwrap();
        assert!(matches!(rename(&node.paths, old, new).await, Err(Error::InTheWay { .. })));
        fs::remove_file(node.paths.at(new).join("x")).unwrap();
        for _ in 0..2 {
            remove(&node.paths, new).await.unwrap();
        }
        assert!(matches!(create(&node.paths, "/opt/x").await, Err(Error::Forbidden(_))));
    }
}

//! What lies in this node's storage.

use std::fs;
use std::path::Path;

use gannet_core::paths::Paths;
use gannet_core::quantity::Mib;
use gannet_proto::node::{StorageItem, StorageSpace, StorageUnit};

use super::image::Sizes;
use super::{Error, blocking, space};

/// Levels of directories that are looked into: Ganeti's `DIR/[SUBDIRECTORY/]INSTANCE/FILE`, and files further up.
const DEPTH: usize = 3;

/// Things in one storage unit: for `file` and `sharedfile`, the files below the directory `key`.
///
/// # Errors
/// `NotBuilt` for other types; `Missing` when the directory does not exist.
pub async fn items(paths: &Paths, unit: &StorageUnit) -> Result<Vec<StorageItem>, Error> {
    if !is_file_type(&unit.r#type) {
        return Err(Error::NotBuilt(unit.r#type.clone()));
    }
    let (dir, unit) = (paths.at(&unit.key), unit.clone());
    blocking(move || {
        let mut found = Vec::new();
        walk(&dir, &dir, &unit, DEPTH, &mut found)?;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    })
    .await
}

/// Total and free space of one storage unit, or why it is not known.
#[must_use]
pub fn unit_space(paths: &Paths, unit: &StorageUnit) -> StorageSpace {
    let reply = StorageSpace { r#type: unit.r#type.clone(), key: unit.key.clone(), ..StorageSpace::default() };
    match unit.r#type.as_str() {
        "diskless" => reply,
        kind if is_file_type(kind) => match space(&paths.at(&unit.key)) {
            Ok(space) => StorageSpace { total_mib: space.total.0, free_mib: space.free.0, ..reply },
            Err(error) => {
                StorageSpace { error: format!("Failed to retrieve file system information about path: {} - {error}", unit.key), ..reply }
            }
        },
        other => StorageSpace { error: Error::NotBuilt(other.to_owned()).to_string(), ..reply },
    }
}

fn is_file_type(kind: &str) -> bool {
    matches!(kind, "file" | "sharedfile")
}

fn walk(base: &Path, dir: &Path, unit: &StorageUnit, depth: usize, found: &mut Vec<StorageItem>) -> Result<(), Error> {
    for entry in fs::read_dir(dir).map_err(Error::io("list", dir))? {
        let entry = entry.map_err(Error::io("list", dir))?;
        let path = entry.path();
        // hidden files are the agent's own: owners, and images that are being made
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 1 => ignore_missing(walk(base, &path, unit, depth - 1, found))?,
            Ok(kind) if kind.is_file() => ignore_missing(item(base, &path, unit).map(|item| found.push(item)))?,
            _ => {}
        }
    }
    Ok(())
}

/// What is removed while we look was not there.
fn ignore_missing(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::Missing { .. }) => Ok(()),
        other => other,
    }
}

fn item(base: &Path, path: &Path, unit: &StorageUnit) -> Result<StorageItem, Error> {
    let sizes = Sizes::guess(path)?;
    let parent = path.parent().and_then(|parent| parent.strip_prefix(base).ok());
    let instance = parent.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let inside = path.strip_prefix(base).unwrap_or(path);
    Ok(StorageItem {
        r#type: unit.r#type.clone(),
        key: unit.key.clone(),
        name: Path::new(&unit.key).join(inside).to_string_lossy().into_owned(),
        size_mib: Mib::from_bytes_floor(sizes.bytes).0,
        used_mib: sizes.allocated.div_ceil(1 << 20),
        instance,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::suite::Node;

    #[tokio::test]
    async fn names_instances_by_layout() {
        let node = Node::new();
        let dir = node.paths.at("/srv/ganeti/file-storage/web1");
        fs::create_dir_all(dir.join("deep/er")).unwrap();
        fs::write(dir.join("x.file.disk0"), vec![1; 3 << 20]).unwrap();
        fs::write(dir.join(".x.file.disk0.gannet"), "{}").unwrap();
        fs::write(dir.join("deep/er/no"), "").unwrap();
        fs::write(dir.with_file_name("loose"), "").unwrap();
        let unit = StorageUnit { r#type: "file".into(), key: "/srv/ganeti/file-storage".into() };
        let items = items(&node.paths, &unit).await.unwrap();
        let rows: Vec<_> = items.iter().map(|item| (item.name.as_str(), item.instance.as_str(), item.size_mib)).collect();
        assert_eq!(rows, [("/srv/ganeti/file-storage/loose", "", 0), ("/srv/ganeti/file-storage/web1/x.file.disk0", "web1", 3)]);
        assert!(unit_space(&node.paths, &unit).total_mib > 0);
        let gone = StorageUnit { key: "/srv/gone".into(), ..unit };
        assert!(!unit_space(&node.paths, &gone).error.is_empty());
        assert!(matches!(super::items(&node.paths, &gone).await, Err(Error::Missing { .. })));
    }
}

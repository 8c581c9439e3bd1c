//! Where file-based disks may lie: Ganeti's list on each node (`/etc/ganeti/file-storage-paths`, which no master can
//! change) and its list of directories that are never taken, whatever the node's list says.

use std::fs;
use std::path::{Component, Path, PathBuf};

use gannet_core::paths::Paths;

use super::Error;

/// Directories of the system itself.
const FORBIDDEN: [&str; 22] = [
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/proc",
    "/root",
    "/sys",
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/sbin",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/lib32",
    "/usr/local/lib64",
    "/usr/local/sbin",
];

/// Checks that `path` is below an allowed directory (or is one, with `itself`) and says where it is on this node.
/// `path` is the node's own path, with or without the virtual root.
///
/// # Errors
/// `Forbidden`, with the reason and what to do.
pub fn check(paths: &Paths, path: &str, itself: bool) -> Result<PathBuf, Error> {
    let shown = virtual_path(paths, Path::new(path));
    refuse_wrong(&shown)?;
    let file = paths.file_storage_paths_file();
    let allowed = list(paths);
    if allowed.is_empty() {
        return Err(Error::Forbidden(format!(
            "No paths are valid or path file '{0}' was not accessible; write the directories that may hold disks to {0}, one a line",
            file.display()
        )));
    }
    let below = |dir: &PathBuf| shown.starts_with(dir) && (itself || shown != *dir);
    if !allowed.iter().any(below) {
        return Err(Error::Forbidden(format!(
            "Path '{}' is not acceptable for file storage: it is not below a directory listed in {}",
            shown.display(),
            file.display()
        )));
    }
    Ok(paths.at(&shown))
}

/// What is wrong with a storage directory of the cluster on this node, in Ganeti's words; `None` when it can be used.
#[must_use]
pub fn problem(paths: &Paths, directory: &str) -> Option<String> {
    let path = match check(paths, directory, true) {
        Ok(path) => path,
        Err(error) => return Some(error.to_string()),
    };
    if !path.is_dir() {
        return Some(format!("Path '{directory}' is not existing or not a directory."));
    }
    (nix::unistd::access(&path, nix::unistd::AccessFlags::W_OK).is_err()).then(|| format!("Path '{directory}' is not writable"))
}

/// Entries of the node's list that Ganeti warns about: relative ones, and the system's own directories.
#[must_use]
pub fn wrong_entries(paths: &Paths) -> Vec<String> {
    lines(paths).filter(|line| refuse_wrong(Path::new(line)).is_err()).collect()
}

/// The directories of the node's list.
fn list(paths: &Paths) -> Vec<PathBuf> {
    lines(paths).map(|line| virtual_path(paths, Path::new(&line))).filter(|dir| dir.is_absolute()).collect()
}

fn lines(paths: &Paths) -> impl Iterator<Item = String> + use<> {
    let text = fs::read_to_string(paths.file_storage_paths_file()).unwrap_or_default();
    let lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    lines.into_iter().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn refuse_wrong(path: &Path) -> Result<(), Error> {
    let wrong = |reason: &str| Err(Error::Forbidden(format!("Path '{}' {reason}", path.display())));
    if !path.is_absolute() {
        return wrong("is not absolute: file storage needs a path that begins with /");
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return wrong("contains '..', which is not allowed for file storage");
    }
    if path.components().count() < 2 || FORBIDDEN.iter().any(|dir| path.starts_with(dir)) {
        return wrong("uses a forbidden prefix");
    }
    Ok(())
}

/// The path as the cluster writes it, without the virtual root and without double slashes.
fn virtual_path(paths: &Paths, path: &Path) -> PathBuf {
    let inside = paths.root().and_then(|root| path.strip_prefix(root).ok()).map(|inside| Path::new("/").join(inside));
    inside.unwrap_or_else(|| path.to_owned()).components().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::suite::Node;

    #[test]
    fn only_listed_directories() {
        let node = Node::new();
        let refused = |path: &str| check(&node.paths, path, false).unwrap_err().to_string();
        assert_eq!(check(&node.paths, "/srv/ganeti/file-storage/a/b", false).unwrap(), node.paths.at("/srv/ganeti/file-storage/a/b"));
        assert!(check(&node.paths, "/srv/ganeti/file-storage", true).is_ok());
        assert!(refused("/srv/ganeti/file-storage").contains("not acceptable"));
        assert!(refused("/srv/ganeti/file-storage-x/a").contains("not acceptable"));
        assert!(refused("/srv/ganeti/file-storage/../../x").contains(".."));
        assert!(refused("srv/a").contains("not absolute"));
        node.allow("/etc\n/\nrel\n# x\n/srv//ok/");
        assert_eq!(wrong_entries(&node.paths), ["/etc", "/", "rel"]);
        assert!(refused("/etc/passwd").contains("forbidden prefix"));
        assert!(check(&node.paths, "/srv/ok/a", false).is_ok());
        std::fs::remove_file(node.paths.file_storage_paths_file()).unwrap();
        assert!(refused("/srv/ok/a").contains("was not accessible"));
    }

    #[test]
    fn problems_of_a_directory() {
        let node = Node::new();
        assert_eq!(problem(&node.paths, "/srv/ganeti/file-storage"), None);
        std::fs::remove_dir(node.paths.at("/srv/ganeti/file-storage")).unwrap();
        assert!(problem(&node.paths, "/srv/ganeti/file-storage").unwrap().contains("not existing"));
        assert!(problem(&node.paths, "/opt").unwrap().contains("not acceptable"));
    }
}

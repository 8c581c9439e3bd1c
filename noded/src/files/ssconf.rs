//! `ssconf_*`: what every node may read of the cluster's configuration without asking, as in Ganeti.

use std::collections::HashMap;
use std::fs;

use gannet_core::paths::Paths;

use super::Error;
use super::write::{Wanted, replace};

/// Ganeti's limit for one file, in bytes.
const MAX_BYTES: usize = 131_072;

/// Writes the files whose content changed; all values are checked before the first is written.
///
/// # Errors
/// For a key that is none, a value that is too long, and when a file cannot be written.
pub fn write(paths: &Paths, values: &HashMap<String, String>) -> Result<(), Error> {
    for (key, value) in values {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')) {
            return Err(Error::Invalid(format!("'{key}' is not the name of an ssconf value")));
        }
        if value.len() >= MAX_BYTES {
            return Err(Error::Invalid(format!("ssconf value {key} has {} bytes, the limit is {MAX_BYTES}", value.len())));
        }
    }
    fs::create_dir_all(paths.data_dir()).map_err(Error::io("create", paths.data_dir()))?;
    for (key, value) in values {
        let content = if value.is_empty() || value.ends_with('\n') { value.clone() } else { format!("{value}\n") };
        let path = paths.ssconf(key);
        if !fs::read(&path).is_ok_and(|old| old == content.as_bytes()) {
            replace(&path, &Wanted { content: content.as_bytes(), mode: 0o444, ..Wanted::default() })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;
    use crate::storage::suite::Node;

    #[test]
    fn values_are_replaced_whole() {
        let node = Node::new();
        let values = |value: &str| HashMap::from([("master_node".to_owned(), value.to_owned())]);
        write(&node.paths, &values("node1")).unwrap();
        let path = node.paths.ssconf("master_node");
        let first = fs::metadata(&path).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), first.permissions().mode() & 0o777), ("node1\n", 0o444));
        write(&node.paths, &values("node1\n")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().ino(), first.ino(), "unchanged content is not written again");
        write(&node.paths, &values("node2")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "node2\n");
    }

    #[test]
    fn nothing_is_written_when_one_is_wrong() {
        let node = Node::new();
        for (key, value) in [("../x", String::new()), ("Upper", String::new()), ("a", "x".repeat(MAX_BYTES))] {
            let values = HashMap::from([("good".to_owned(), "1".to_owned()), (key.to_owned(), value)]);
            assert!(matches!(write(&node.paths, &values), Err(Error::Invalid(_))), "{key}");
            assert!(!node.paths.ssconf("good").exists());
        }
    }
}

//! OS definitions: directories with scripts that fill, rename, export and import an instance's disks. The same as in
//! Ganeti: search path, files, API versions 10, 15 and 20, variants, parameters and environment.

pub mod env;
pub mod script;
pub mod search;
pub mod validate;

use std::io;
use std::path::PathBuf;

/// Why an OS definition cannot be used, or its script failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nowhere in the search path.
    #[error("Directory for OS {0} not found in search path")]
    NotFound(String),
    /// Found, but not as it should be.
    #[error("{0}")]
    Broken(String),
    /// The request does not fit to this OS.
    #[error("{0}")]
    Invalid(String),
    /// A file could not be used.
    #[error("cannot {action} {path}", path = path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// The name of the definition in `NAME[+VARIANT]`.
#[must_use]
pub fn name(os: &str) -> &str {
    os.split_once('+').map_or(os, |(name, _)| name)
}

/// The variant in `NAME[+VARIANT]`.
#[must_use]
pub fn variant(os: &str) -> Option<&str> {
    os.split_once('+').map(|(_, variant)| variant).filter(|variant| !variant.is_empty())
}

/// A node with one OS definition, for tests.
#[cfg(test)]
pub(crate) mod sample {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use gannet_core::paths::Paths;

    /// Writes a script.
    pub(crate) fn script(path: &std::path::Path, text: &str) {
        fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A complete definition of API 20 with the variants `a` and `b` and the parameter `dhcp-name`.
    pub(crate) fn os(paths: &Paths, name: &str, create: &str) -> PathBuf {
        let dir = paths.at("/srv/ganeti/os").join(name);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("ganeti_api_version"), "15\n20\n").unwrap();
        fs::write(dir.join("variants.list"), "# variants\na\n\nb\n").unwrap();
        fs::write(dir.join("parameters.list"), "dhcp-name  How to be called\n").unwrap();
        script(&dir.join("create"), create);
        for other in ["export", "import", "rename", "verify"] {
            script(&dir.join(other), "exit 0");
        }
        dir
    }
}

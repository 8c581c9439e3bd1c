//! Finding OS definitions and reading what they declare.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use gannet_core::paths::Paths;
use gannet_proto::node::OsDefinition;

use super::Error;

/// Versions of the interface that are spoken here.
pub const API_VERSIONS: [u32; 3] = [10, 15, 20];
/// With variants.
const API_VARIANTS: u32 = 15;
/// With parameters and the `verify` script.
const API_PARAMETERS: u32 = 20;

/// An OS definition that is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Os {
    pub name: String,
    pub dir: PathBuf,
    /// Versions that it declares, also such that are not spoken here.
    pub api_versions: Vec<u32>,
    pub variants: Vec<String>,
    /// Name and description, in their order.
    pub parameters: Vec<(String, String)>,
    /// It has `create_untrusted`, which must run inside a helper VM.
    pub has_untrusted: bool,
    /// It has `create`.
    pub has_create: bool,
}

impl Os {
    /// The highest version that both sides speak.
    #[must_use]
    pub fn api_version(&self) -> u32 {
        self.api_versions.iter().copied().filter(|version| API_VERSIONS.contains(version)).max().unwrap_or_default()
    }

    /// Whether it has `verify` and parameters.
    #[must_use]
    pub fn has_parameters(&self) -> bool {
        self.highest() >= API_PARAMETERS
    }

    /// Whether it may have variants.
    #[must_use]
    pub fn may_vary(&self) -> bool {
        self.api_version() >= API_VARIANTS
    }

    fn highest(&self) -> u32 {
        self.api_versions.iter().copied().max().unwrap_or_default()
    }
}

/// The definition called `name`: the first in the search path that has a directory of that name.
///
/// # Errors
/// `NotFound`, or `Broken` in Ganeti's words.
pub fn find(paths: &Paths, name: &str) -> Result<Os, Error> {
    if name.is_empty() || name.starts_with('.') || name.contains('/') {
        return Err(Error::Invalid(format!("'{name}' is not the name of an OS definition")));
    }
    let dirs = paths.os_search_path();
    let dir = dirs.iter().map(|dir| dir.join(name)).find(|dir| dir.is_dir());
    read(name, dir.ok_or_else(|| Error::NotFound(name.to_owned()))?)
}

/// All that looks like a definition, in all directories of the search path, with what is wrong with it.
#[must_use]
pub fn diagnose(paths: &Paths) -> Vec<OsDefinition> {
    let dirs = paths.os_search_path();
    dirs.iter().flat_map(|dir| visible(dir).into_iter().map(|name| definition(&name, dir.join(&name)))).collect()
}

fn visible(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

fn definition(name: &str, dir: PathBuf) -> OsDefinition {
    let path = dir.to_string_lossy().into_owned();
    match read(name, dir) {
        Ok(os) => OsDefinition {
            name: name.to_owned(),
            path,
            valid: true,
            problem: String::new(),
            trusted: !os.has_untrusted,
            has_export: true,
            api_versions: os.api_versions,
            variants: os.variants,
            parameters: os.parameters.into_iter().collect(),
        },
        Err(error) => OsDefinition { name: name.to_owned(), path, problem: error.to_string(), trusted: true, ..OsDefinition::default() },
    }
}

fn read(name: &str, dir: PathBuf) -> Result<Os, Error> {
    let api_versions = api_versions(&dir)?;
    let highest = api_versions.iter().copied().max().unwrap_or_default();
    if !api_versions.iter().any(|version| API_VERSIONS.contains(version)) {
        return Err(Error::Broken(format!(
            "API version mismatch for path '{}': found {api_versions:?}, want {API_VERSIONS:?}.",
            dir.display()
        )));
    }
    for script in ["export", "import", "rename"] {
        check_file(&dir, script, true, true)?;
    }
    let has_create = check_file(&dir, "create", false, true)?;
    let has_untrusted = check_file(&dir, "create_untrusted", false, true)?;
    let mut os = Os { name: name.to_owned(), api_versions, variants: Vec::new(), parameters: Vec::new(), has_untrusted, has_create, dir };
    if highest >= API_PARAMETERS {
        check_file(&os.dir, "verify", true, true)?;
        check_file(&os.dir, "parameters.list", true, false)?;
        os.parameters = text(&os.dir, "parameters.list")?.lines().filter_map(parameter).collect();
    }
    if !has_create && !has_untrusted {
        return Err(Error::Broken(format!("A create script (trusted or untrusted) under path '{}' must exist", os.dir.display())));
    }
    if highest >= API_VARIANTS && check_file(&os.dir, "variants.list", false, false)? {
        let text = text(&os.dir, "variants.list")?;
        os.variants = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
    }
    Ok(os)
}

fn api_versions(dir: &Path) -> Result<Vec<u32>, Error> {
    let file = "ganeti_api_version";
    check_file(dir, file, true, false)?;
    let versions = text(dir, file)?.lines().map(|line| line.trim().parse()).collect::<Result<Vec<u32>, _>>();
    versions
        .map_err(|error| Error::Broken(format!("API version(s) can't be converted to integer: {error} in '{}'", dir.join(file).display())))
}

/// Whether a file is there and as it should be.
fn check_file(dir: &Path, file: &str, required: bool, script: bool) -> Result<bool, Error> {
    let broken = |what: String| Err(Error::Broken(format!("File '{file}' under path '{}' is {what}", dir.display())));
    match fs::metadata(dir.join(file)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => Ok(false),
        Err(error) => broken(format!("missing ({error})")),
        Ok(metadata) if !metadata.is_file() => broken("not a regular file".to_owned()),
        Ok(metadata) if script && metadata.permissions().mode() & 0o100 == 0 => broken("not executable".to_owned()),
        Ok(_) => Ok(true),
    }
}

fn text(dir: &Path, file: &str) -> Result<String, Error> {
    let path = dir.join(file);
    fs::read_to_string(&path).map_err(|source| Error::Io { action: "read", path, source })
}

fn parameter(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let (name, description) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (!name.is_empty()).then(|| (name.to_owned(), description.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::storage::suite::Node;

    #[test]
    fn a_whole_definition() {
        let node = Node::new();
        sample::os(&node.paths, "deb", "exit 0");
        let os = find(&node.paths, "deb").unwrap();
        assert_eq!((os.api_version(), os.variants.as_slice()), (20, ["a".to_owned(), "b".to_owned()].as_slice()));
        assert_eq!(os.parameters, [("dhcp-name".to_owned(), "How to be called".to_owned())]);
        let all = diagnose(&node.paths);
        assert!(all.len() == 1 && all[0].valid && all[0].trusted && all[0].path.ends_with("/srv/ganeti/os/deb"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let node = Node::new();
        let dir = sample::os(&node.paths, "deb", "exit 0");
        let problem = || diagnose(&node.paths)[0].problem.clone();
        fs::set_permissions(dir.join("create"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(problem(), format!("File 'create' under path '{}' is not executable", dir.display()));
        fs::remove_file(dir.join("create")).unwrap();
        assert!(problem().contains("A create script (trusted or untrusted)"));
        sample::script(&dir.join("create_untrusted"), "");
        assert!(!diagnose(&node.paths)[0].trusted);
        fs::remove_file(dir.join("verify")).unwrap();
        assert!(problem().contains("File 'verify'"));
        fs::write(dir.join("ganeti_api_version"), "10\n").unwrap();
        assert_eq!(
            (problem().as_str(), find(&node.paths, "deb").unwrap().variants.len()),
            ("", 0),
            "API 10 needs no verify, knows no variants"
        );
        fs::write(dir.join("ganeti_api_version"), "5\n").unwrap();
        assert!(problem().contains("API version mismatch"));
        fs::write(dir.join("ganeti_api_version"), "x\n").unwrap();
        assert!(problem().contains("can't be converted"));
        assert!(matches!(find(&node.paths, "none"), Err(Error::NotFound(_))));
        assert!(matches!(find(&node.paths, "../os/deb"), Err(Error::Invalid(_))));
    }

    #[test]
    fn the_first_in_the_search_path_counts() {
        let node = Node::new();
        let usr = node.paths.at("/usr/share/ganeti/os/deb");
        fs::create_dir_all(&usr).unwrap();
        assert!(find(&node.paths, "deb").is_err());
        sample::os(&node.paths, "deb", "exit 0");
        assert!(find(&node.paths, "deb").is_ok());
        assert_eq!(diagnose(&node.paths).len(), 2);
    }
}

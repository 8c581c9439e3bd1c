//! Source files: not too long, nothing left half-done.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Lines of one file. Most have far fewer; what grows beyond is to be split by aspect.
const LONGEST: usize = 900;
/// Folders that hold no source of ours.
const SKIPPED: &[&str] = &["target", ".git", "node_modules"];

pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        found.extend(judge(&name, &text));
    }
    found.sort();
    Ok(found)
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn judge(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST {
        found.push(format!("{name}: {lines} lines, {LONGEST} are the limit; split it by aspect"));
    }
    // Put together here so that this file does not find itself.
    for stub in [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("//! place", "holder"), concat!("dbg", "!(")] {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.contains(stub)) {
            found.push(format!("{name}:{}: left over: {}", number + 1, line.trim()));
        }
    }
    // Tests are named after what they test.
    let exempt = name.ends_with("build.rs") || name.ends_with("/tests.rs") || name.contains("/tests/");
    if !text.starts_with("//!") && !exempt {
        found.push(format!("{name}: does not begin by saying what it is for (//!)"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stubs_and_long_files_are_found() {
        assert!(judge("a.rs", "//! A.\nfn a() {}\n").is_empty());
        assert_eq!(judge("a.rs", concat!("//! A.\nfn a() { todo", "!() }\n")).len(), 1);
        assert_eq!(judge("a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(judge("a.rs", &format!("//! A.\n{}", "x\n".repeat(900))).len(), 1);
    }
}

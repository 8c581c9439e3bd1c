//! `cargo xtask tidy`: rules of the tree that no compiler checks.

mod edges;
mod licence;
mod source;

use anyhow::{Result, bail};

use crate::{repo, say};

/// Checks everything and names all that is wrong.
///
/// # Errors
/// The number of findings, after they have been printed.
pub fn run() -> Result<()> {
    let metadata = repo::metadata(true)?;
    let mut found = edges::check(&metadata);
    found.extend(licence::check(&metadata, repo::root())?);
    found.extend(source::check(repo::root())?);
    conclude(&found)
}

/// Only the licences of all dependencies.
pub fn licences() -> Result<()> {
    conclude(&licence::check(&repo::metadata(true)?, repo::root())?)
}

fn conclude(found: &[String]) -> Result<()> {
    found.iter().for_each(say::line);
    if found.is_empty() { Ok(()) } else { bail!("{} findings, listed above", found.len()) }
}

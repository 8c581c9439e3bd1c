//! The recorded contract (`qa/parity/*.json`).

use anyhow::{Context, Result};
use serde_json::Value;

/// One file of the contract, e.g. `hooks`.
///
/// # Errors
/// There is none, or it is no JSON.
pub fn read(name: &str) -> Result<Value> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("parity").join(format!("{name}.json"));
    let text = std::fs::read(&path).with_context(|| format!("no {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))
}

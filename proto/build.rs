//! Compiles every `proto/*.proto` without `protoc`.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let mut files: Vec<PathBuf> = std::fs::read_dir("proto")?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|e| e == "proto"));
    files.sort();
    let descriptors = protox::compile(files, ["proto"])?;
    // Node messages are also the data of journaled steps, as JSON. A field that an older version did not write takes
    // its default; secret OS parameters are never written.
    tonic_prost_build::configure()
        .type_attribute(".gannet.node", "#[derive(serde::Serialize, serde::Deserialize)]")
        .message_attribute(".gannet.node", "#[serde(default)]")
        .field_attribute(".gannet.node.Instance.osparams_secret", "#[serde(skip)]")
        .compile_fds(descriptors)?;
    Ok(())
}

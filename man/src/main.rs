//! `gannet-man DIR` writes all manual pages into a directory; `gannet-man NAME` prints one.
#![forbid(unsafe_code)]

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use gannet_man::page::{self, PAGES};

const USAGE: &str = "Usage: gannet-man DIRECTORY   (write all pages)\n       gannet-man PAGE        (print one, e.g. gnt-instance.8)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [argument] => report(run(argument)),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn report(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gannet-man: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(argument: &str) -> anyhow::Result<()> {
    if argument.starts_with('-') {
        bail!("no option {argument}\n{USAGE}");
    }
    if let Some(page) = PAGES.iter().find(|page| page.file_name() == argument) {
        std::io::stdout().write_all(page::render(page)?.as_bytes())?;
        return Ok(());
    }
    let dir = Path::new(argument);
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    for page in PAGES {
        let path = dir.join(page.file_name());
        std::fs::write(&path, page::render(page)?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

//! The programs that node agents start, as far as the simulation has them: the daemon starter, the preparation of a member, and the
//! tools for the master's address.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use gannet_daemon::world::{Answer, ProgramEnd};
use tokio::sync::oneshot;

use crate::machine::Daemon;
use crate::state::state;

/// Something that only the simulation itself can do, and who waits for it.
pub(crate) struct Wish {
    pub(crate) machine: usize,
    pub(crate) what: Want,
    pub(crate) done: oneshot::Sender<ProgramEnd>,
}

/// What is wished for.
#[derive(Debug, Clone)]
pub(crate) enum Want {
    Start(Daemon),
    Stop(Daemon),
    /// `gannet-confd prepare ID NAME ADDRESS --epoch=N`.
    Prepare(u64, String, String, u64),
}

/// Runs a program on the machine whose turn it is.
pub(crate) fn run(program: &OsString, arguments: &[OsString]) -> Answer<io::Result<ProgramEnd>> {
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let what = match (name.as_str(), words.as_slice()) {
        // Nobody else has the master's address.
        ("ping", _) => return ended(1),
        ("ip" | "arping" | "ndisc6", _) => return ended(0),
        ("gnt", ["daemon-util", verb, daemon]) => match (Daemon::named(daemon), *verb) {
            (Some(daemon), "start") => Want::Start(daemon),
            (Some(daemon), "stop") => Want::Stop(daemon),
            (None, "start" | "stop") if *daemon == "gannet-rapi" => return ended(0),
            _ => return unknown(&name),
        },
        ("gannet-confd", ["prepare", id, name, address, epoch]) => match (id.parse(), epoch.trim_start_matches("--epoch=").parse()) {
            (Ok(id), Ok(epoch)) => Want::Prepare(id, (*name).to_owned(), (*address).to_owned(), epoch),
            _ => return ended(2),
        },
        _ => return unknown(&name),
    };
    let (done, waiting) = oneshot::channel();
    let mut state = state();
    let machine = state.machine();
    state.wishes.push(Wish { machine, what, done });
    // The wish is gone when the machine is; so is the caller.
    Box::pin(async move { waiting.await.map_err(|_| io::ErrorKind::BrokenPipe.into()) })
}

fn ended(status: i32) -> Answer<io::Result<ProgramEnd>> {
    Box::pin(async move { Ok((status, Vec::new())) })
}

fn unknown(name: &str) -> Answer<io::Result<ProgramEnd>> {
    let error = io::Error::new(io::ErrorKind::NotFound, format!("{name} is not in the simulation"));
    Box::pin(async move { Err(error) })
}

//! The handover of a fake guest. At no time is it running on both sides:
//!
//! 1. source → target: the record; the target stores it as incoming and answers `received`
//! 2. the source pauses its own; source → target: `yours`; the target lets its own run and answers `running`
//! 3. the source removes its own
//!
//! Should the line break after 2, the source keeps a paused guest, and whoever settles asks the target first.

use std::path::{Path, PathBuf};

use gannet_daemon::fault;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use super::record::{Phase, Record};
use crate::hypervisor::{Duplex, Error};

/// A record is some hundred bytes; more than this is not one.
const MAX_LINE: u64 = 256 * 1024;
/// How long the target waits for the source to close the tunnel.
const CLOSE_LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// Gives the guest away.
pub(super) async fn send(directory: &Path, record: Record, stream: Box<dyn Duplex>) -> Result<(), Error> {
    let name = record.name.clone();
    let mut stream = BufReader::new(stream);
    let incoming = Record { phase: Phase::Incoming, ..record.clone() };
    let text = serde_json::to_string(&incoming).map_err(|error| Error::Failed(error.to_string()))?;
    say(&mut stream, &text).await?;
    expect(&mut stream, "received").await?;
    fault::point("the target has the guest's memory");
    Record { phase: Phase::Paused, ..record }.write(directory)?;
    fault::point("the guest stands still at the source");
    say(&mut stream, "yours").await?;
    expect(&mut stream, "running").await?;
    fault::point("the guest runs at the target");
    Record::remove(directory, &name)
}

/// Takes a guest over; a failure is told to the source and logged here.
pub(super) async fn receive(directory: PathBuf, name: String, stream: tokio::io::DuplexStream) {
    let mut stream = BufReader::new(stream);
    if let Err(error) = take(&directory, &name, &mut stream).await {
        tracing::warn!(instance = name, %error, "a migration to this node failed");
        let _line_is_gone = say(&mut stream, &format!("error: {error}")).await;
    }
}

async fn take(directory: &Path, name: &str, stream: &mut BufReader<tokio::io::DuplexStream>) -> Result<(), Error> {
    let text = line(stream).await?;
    let record: Record = serde_json::from_str(&text).map_err(|error| Error::Invalid(format!("the guest's record: {error}")))?;
    if record.name != name || record.phase != Phase::Incoming {
        return Err(Error::Invalid(format!("the ticket was for instance {name}")));
    }
    let phase = record.phase;
    record.write(directory)?;
    fault::point("a guest that has arrived");
    say(stream, "received").await?;
    expect(stream, "yours").await?;
    // it may have been dropped meanwhile by somebody who settled
    match Record::read(directory, name)? {
        Some(record) if record.phase == phase => Record { phase: Phase::Running, ..record }.write(directory)?,
        _ => return Err(Error::Failed(format!("the incoming instance {name} was dropped"))),
    }
    fault::point("a guest that was let go");
    say(stream, "running").await?;
    // Whoever closes first may cut off what is still on its way through the tunnel: that is for the source to do, after it
    // has read the word.
    let closed = tokio::io::AsyncReadExt::read_u8(stream);
    let _closed_or_late = tokio::time::timeout(CLOSE_LIMIT, closed).await;
    Ok(())
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, line: &str) -> Result<(), Error> {
    let text = format!("{line}\n");
    stream.write_all(text.as_bytes()).await.map_err(|error| Error::Failed(format!("the tunnel broke: {error}")))?;
    stream.flush().await.map_err(|error| Error::Failed(format!("the tunnel broke: {error}")))
}

async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Result<String, Error> {
    let mut text = String::new();
    let mut limited = tokio::io::AsyncReadExt::take(&mut *stream, MAX_LINE);
    limited.read_line(&mut text).await.map_err(|error| Error::Failed(format!("the tunnel broke: {error}")))?;
    match text.strip_suffix('\n') {
        Some(line) => Ok(line.to_owned()),
        None => Err(Error::Failed("the tunnel broke: the other node closed it".to_owned())),
    }
}

async fn expect<S: AsyncRead + Unpin>(stream: &mut BufReader<S>, word: &str) -> Result<(), Error> {
    let answer = line(stream).await?;
    if answer == word { Ok(()) } else { Err(Error::Failed(format!("the other node answered: {answer}"))) }
}

//! A log entry and its bytes.

use std::sync::Arc;

use gannet_proto::state as pb;
use prost::Message;

use crate::command::Command;
use crate::error::Error;

/// A place in the log. Ordered by index first; the term only tells apart
/// entries that different leaders put at one index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Position {
    pub(crate) index: u64,
    pub(crate) term: u64,
}

/// What an entry carries. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payload {
    Blank,
    Batch(Arc<Vec<Command>>),
    /// The consensus library's own text.
    Membership(Arc<str>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) at: Position,
    pub(crate) payload: Payload,
}

impl Entry {
    pub(crate) fn encode(&self) -> Vec<u8> {
        self.to_wire().encode_to_vec()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let entry = pb::LogEntry::decode(bytes).map_err(Error::invalid)?;
        Self::from_wire(entry)
    }

    pub(crate) fn to_wire(&self) -> pb::LogEntry {
        use pb::log_entry::Payload as P;
        let payload = match &self.payload {
            Payload::Blank => P::Blank(true),
            Payload::Membership(text) => P::Membership(text.to_string()),
            Payload::Batch(commands) => P::Batch(pb::Batch { commands: commands.iter().cloned().map(Into::into).collect() }),
        };
        pb::LogEntry { index: self.at.index, term: self.at.term, payload: Some(payload) }
    }

    pub(crate) fn from_wire(entry: pb::LogEntry) -> Result<Self, Error> {
        use pb::log_entry::Payload as P;
        let payload = match entry.payload {
            Some(P::Blank(_)) => Payload::Blank,
            Some(P::Membership(text)) => Payload::Membership(text.into()),
            Some(P::Batch(batch)) => {
                let commands = batch.commands.into_iter().map(Command::try_from);
                Payload::Batch(Arc::new(commands.collect::<Result<_, _>>()?))
            }
            None => return Err(Error::invalid("log entry of an unknown type")),
        };
        let at = Position { index: entry.index, term: entry.term };
        Ok(Self { at, payload })
    }

    /// Bytes on the wire, nearly.
    pub(crate) fn weight(&self) -> usize {
        const FRAME: usize = 32;
        match &self.payload {
            Payload::Blank => FRAME,
            Payload::Membership(text) => FRAME + text.len(),
            Payload::Batch(commands) => FRAME + commands.iter().map(weight).sum::<usize>(),
        }
    }
}

/// Bytes of a command on the wire, nearly.
pub(crate) fn weight(command: &Command) -> usize {
    use crate::command::Write;
    const FRAME: usize = 32;
    let writes = command.writes.iter().map(|write| match write {
        Write::Put { key, json } => FRAME + key.id.len() + json.len(),
        Write::Delete { key } => FRAME + key.id.len(),
        Write::Move { from, to } => FRAME + from.id.len() + to.id.len(),
    });
    FRAME + command.conditions.len() * 2 * FRAME + writes.sum::<usize>()
}

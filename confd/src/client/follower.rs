//! A stream of the state and its changes.

use gannet_proto::state::{self as pb, follow_event::Event as Wire};
use tonic::Streaming;

use crate::command::{Change, Row};
use crate::error::Error;
use crate::wire_status;

/// What a follower sees: `Rows`*, `Synced`, `Change`*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Some of the initial rows.
    Rows(Vec<Row>),
    /// All initial rows were given: the state at this index.
    Synced {
        /// The log index.
        index: u64,
    },
    /// What the next entry did. Indexes follow each other without a gap,
    /// beginning after that of `Synced`.
    Change(Change),
}

/// A place in the stream of changes. Dropping it ends the stream.
#[derive(Debug)]
pub struct Follower {
    stream: Streaming<pb::FollowEvent>,
    /// The last index given; none before `Synced`.
    last: Option<u64>,
}

impl Follower {
    pub(super) fn new(stream: Streaming<pb::FollowEvent>) -> Self {
        Self { stream, last: None }
    }

    /// The next event.
    ///
    /// # Errors
    /// [`Error::Lagged`] when this side was too slow, [`Error::Unavailable`]
    /// when confd went away: in both cases follow again from the start.
    pub async fn next(&mut self) -> Result<Event, Error> {
        let event = match self.stream.message().await {
            Ok(Some(event)) => event.event,
            Ok(None) => return Err(Error::unavailable("confd ended the stream")),
            Err(status) => return Err(wire_status::decode(&status)),
        };
        match event {
            Some(Wire::Rows(rows)) => {
                let rows = rows.rows.into_iter().map(Row::try_from);
                Ok(Event::Rows(rows.collect::<Result<_, _>>()?))
            }
            Some(Wire::Synced(index)) => {
                self.last = Some(index);
                Ok(Event::Synced { index })
            }
            Some(Wire::Change(change)) => self.in_order(Change::try_from(change)?),
            None => Err(Error::invalid("confd sent an event without content")),
        }
    }

    /// The whole initial state: rows and their index. Call it first, once.
    ///
    /// # Errors
    /// As [`Follower::next`].
    pub async fn dump(&mut self) -> Result<(Vec<Row>, u64), Error> {
        let mut all = Vec::new();
        loop {
            match self.next().await? {
                Event::Rows(rows) => all.extend(rows),
                Event::Synced { index } => return Ok((all, index)),
                Event::Change(_) => return Err(Error::invalid("the initial rows are over")),
            }
        }
    }

    fn in_order(&mut self, change: Change) -> Result<Event, Error> {
        let expected = self.last.map(|last| last + 1);
        if expected != Some(change.index) {
            return Err(Error::unavailable(format!("confd sent change {} where {expected:?} was due", change.index)));
        }
        self.last = Some(change.index);
        Ok(Event::Change(change))
    }
}

//! The thread that holds the connection on which events arrive, and opens it again when it breaks.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use virt::connect::Connect;

use crate::connection::list_all;
use crate::event::Event;
use crate::worker::{Call, open};
use crate::{Error, ffi};

/// Pauses between attempts to reconnect: at first short (a restarted daemon is back within a second), then longer.
const RETRY: [Duration; 4] = [Duration::from_millis(100), Duration::from_millis(400), Duration::from_secs(1), Duration::from_secs(3)];
/// How often the connection is looked at should its close callback be missed.
const LOOK: Duration = Duration::from_secs(5);

pub(crate) enum Signal {
    Closed,
    Stop,
}

/// Is the daemon reachable? If not: why.
pub(crate) type Link = Result<(), String>;

pub(crate) struct Watcher {
    pub(crate) uri: String,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) link: watch::Sender<Link>,
    pub(crate) signals: Receiver<Signal>,
    pub(crate) signal: Sender<Signal>,
}

impl Watcher {
    pub(crate) fn run(self) {
        let mut failures = 0;
        loop {
            match self.connect() {
                Ok((conn, registered)) => {
                    failures = 0;
                    let stop = self.hold(&conn);
                    ffi::unsubscribe(&conn, registered);
                    drop(conn);
                    let _previous = self.link.send_replace(Err("the connection was lost".to_owned()));
                    let _nobody_listens = self.events.send(Event::Disconnected);
                    if stop {
                        return;
                    }
                    tracing::warn!(uri = self.uri, "the connection to libvirt was lost");
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(%error, "no connection to libvirt; trying again");
                    }
                    let _previous = self.link.send_replace(Err(error.to_string()));
                }
            }
            let pause = RETRY[failures.min(RETRY.len() - 1)];
            failures += 1;
            if self.stopped_within(pause) {
                return;
            }
        }
    }

    /// Opens, registers, lists: in this order, so that nothing happens unseen between the list and the first event.
    fn connect(&self) -> Result<(Connect, ffi::Registered), Error> {
        let conn = open(&self.uri)?;
        let call = Call { conn: &conn, name: "subscribe", domain: "" };
        let registered = call.check(ffi::subscribe(&conn, &self.events, &self.signal))?;
        let domains = match list_all(&Call { name: "list", ..call }) {
            Ok(domains) => domains,
            Err(error) => {
                ffi::unsubscribe(&conn, registered);
                return Err(error);
            }
        };
        tracing::info!(uri = self.uri, domains = domains.len(), "connected to libvirt");
        let _previous = self.link.send_replace(Ok(()));
        let _nobody_listens = self.events.send(Event::Connected(domains.into()));
        Ok((conn, registered))
    }

    /// Returns when the connection is gone, with true when nobody needs it any more.
    fn hold(&self, conn: &Connect) -> bool {
        loop {
            match self.signals.recv_timeout(LOOK) {
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
                Ok(Signal::Closed) => return false,
                Err(RecvTimeoutError::Timeout) => {
                    if !conn.is_alive().unwrap_or(false) {
                        return false;
                    }
                }
            }
        }
    }

    fn stopped_within(&self, pause: Duration) -> bool {
        // a late `Closed` of the old connection only makes the next attempt come sooner
        matches!(self.signals.recv_timeout(pause), Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected))
    }
}

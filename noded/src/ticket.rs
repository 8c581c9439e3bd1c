//! Tickets: a node may call another one only for a purpose that the master had prepared there, once, and soon.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gannet_proto::node::DiskRef;
use rand::RngCore;
use sha2::{Digest, Sha256};

/// How long a ticket may lie unused: the master uses it in the next step of the same job.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// What a ticket allows.
#[derive(Debug, Clone, PartialEq)]
pub enum Purpose {
    /// A tunnel to the hypervisor's socket, for the migration of this instance to here.
    Migration {
        /// Name of the instance.
        instance: String,
        /// Its hypervisor.
        hypervisor: String,
    },
    /// Writing the content of this disk here.
    DiskReceive {
        /// The disk as it is known on this node.
        disk: Box<DiskRef>,
    },
}

impl Purpose {
    fn word(&self) -> &'static str {
        match self {
            Self::Migration { .. } => "a migration",
            Self::DiskReceive { .. } => "receiving a disk",
        }
    }
}

/// Why a ticket was not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Never made here, used already, or forgotten by a restart of the agent.
    #[error("the ticket is not valid: it was used already, withdrawn, or never made on this node")]
    Unknown,
    /// Too old.
    #[error("the ticket expired: it was not used within {} seconds", LIFETIME.as_secs())]
    Expired,
    /// Made for something else.
    #[error("the ticket was made for {0}")]
    OtherPurpose(&'static str),
    /// Made for another caller.
    #[error("the ticket was made for node {0}, not for the caller")]
    OtherNode(String),
}

#[derive(Debug)]
struct Entry {
    purpose: Purpose,
    source_node: String,
    expires: Instant,
}

/// The tickets made by this process. Only digests of their texts are kept.
#[derive(Debug, Default)]
pub struct Tickets {
    entries: Mutex<HashMap<[u8; 32], Entry>>,
}

impl Tickets {
    /// Makes a ticket that `source_node` may use once.
    #[must_use]
    pub fn mint(&self, purpose: Purpose, source_node: &str) -> String {
        self.mint_at(purpose, source_node, Instant::now())
    }

    fn mint_at(&self, purpose: Purpose, source_node: &str, now: Instant) -> String {
        let mut secret = [0_u8; 32];
        rand::rng().fill_bytes(&mut secret);
        let text = URL_SAFE_NO_PAD.encode(secret);
        let entry = Entry { purpose, source_node: source_node.to_owned(), expires: now + LIFETIME };
        let mut entries = self.lock();
        entries.retain(|_, old| old.expires > now);
        entries.insert(digest(&text), entry);
        text
    }

    /// Uses up a ticket. `callers` are the names in the caller's certificate; `fits` says if the purpose is the one
    /// that this call serves. A ticket that is refused stays as it is: only its owner can use it up.
    ///
    /// # Errors
    /// When there is no such ticket, or it is for something or somebody else.
    pub fn redeem(&self, text: &str, callers: &[String], fits: impl Fn(&Purpose) -> bool) -> Result<Purpose, Error> {
        self.redeem_at(text, callers, fits, Instant::now())
    }

    fn redeem_at(&self, text: &str, callers: &[String], fits: impl Fn(&Purpose) -> bool, now: Instant) -> Result<Purpose, Error> {
        let key = digest(text);
        let mut entries = self.lock();
        let entry = entries.get(&key).ok_or(Error::Unknown)?;
        if entry.expires <= now {
            entries.remove(&key);
            return Err(Error::Expired);
        }
        if !callers.iter().any(|caller| caller.eq_ignore_ascii_case(&entry.source_node)) {
            return Err(Error::OtherNode(entry.source_node.clone()));
        }
        if !fits(&entry.purpose) {
            return Err(Error::OtherPurpose(entry.purpose.word()));
        }
        Ok(entries.remove(&key).ok_or(Error::Unknown)?.purpose)
    }

    /// Withdraws all tickets whose purpose is `gone`.
    pub fn withdraw(&self, gone: impl Fn(&Purpose) -> bool) {
        self.lock().retain(|_, entry| !gone(&entry.purpose));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Entry>> {
        // every change is a single insert or remove, so a panic elsewhere leaves the map whole
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration() -> Purpose {
        Purpose::Migration { instance: "web1".to_owned(), hypervisor: "fake".to_owned() }
    }

    fn node(name: &str) -> Vec<String> {
        vec![name.to_owned()]
    }

    #[test]
    fn a_ticket_works_once() {
        let tickets = Tickets::default();
        let text = tickets.mint(migration(), "node1");
        assert_eq!(tickets.redeem(&text, &node("node1"), |_| true), Ok(migration()));
        assert_eq!(tickets.redeem(&text, &node("node1"), |_| true), Err(Error::Unknown));
    }

    #[test]
    fn a_ticket_is_bound_to_node_and_purpose() {
        let tickets = Tickets::default();
        let text = tickets.mint(migration(), "node1");
        assert_eq!(tickets.redeem(&text, &node("node2"), |_| true), Err(Error::OtherNode("node1".to_owned())));
        assert_eq!(tickets.redeem(&text, &node("node1"), |_| false), Err(Error::OtherPurpose("a migration")));
        assert!(tickets.redeem(&text, &node("node1"), |_| true).is_ok());
    }

    #[test]
    fn a_ticket_expires() {
        let tickets = Tickets::default();
        let start = Instant::now();
        let text = tickets.mint_at(migration(), "node1", start);
        let late = start + LIFETIME;
        assert_eq!(tickets.redeem_at(&text, &node("node1"), |_| true, late), Err(Error::Expired));
        assert_eq!(tickets.redeem_at(&text, &node("node1"), |_| true, start), Err(Error::Unknown));
    }

    #[test]
    fn withdrawn_tickets_are_gone() {
        let tickets = Tickets::default();
        let text = tickets.mint(migration(), "node1");
        tickets.withdraw(|purpose| matches!(purpose, Purpose::Migration { instance, .. } if instance == "web1"));
        assert_eq!(tickets.redeem(&text, &node("node1"), |_| true), Err(Error::Unknown));
    }
}

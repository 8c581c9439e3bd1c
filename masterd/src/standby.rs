//! A master daemon that is not the master: what it answers.
//!
//! ```text
//!   a query of the configuration   the master says how new a copy must be; answered from this node's own copy
//!   jobs, locks, all that changes  passed on to the master (relay.rs)
//!   no master can be reached       queries from the copy, marked as old; all else is refused, saying why and what to do
//! ```
//!
//! When the master goes away in the middle of a question that changes nothing, the next master is asked. Whether something that
//! changes was done, nobody knows then: the client's connection breaks, as it would have done on the master.

mod copy;
mod upstream;
mod view;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gannet_confd::client::Client;
use gannet_core::error::{ErrorCode, STATE_UNAVAILABLE, WireError};
use gannet_core::id::Epoch;
use gannet_core::luxi::{Method, Origin, decode_response, take_origin};
use gannet_core::paths::Paths;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::luxi::{Frame, frame_of, passed_on, refusal};
use crate::master::Master;
use upstream::Upstream;
use view::View;

pub(crate) use upstream::Upstream as Connection;

/// A master that cannot be reached is waited for so long, from its loss on: another one takes over in this time.
const PATIENCE: Duration = Duration::from_secs(8);
/// Between two tries to reach it.
const RETRY: Duration = Duration::from_millis(50);
/// From the question how new a copy must be to one that is.
const INDEX_LIMIT: Duration = Duration::from_secs(5);

const ASK_INDEX: &[u8] = br#"{"method":"ReadIndex","args":[]}"#;

/// The daemon before it becomes active.
pub(crate) struct Standby {
    paths: Paths,
    view: watch::Sender<View>,
    clients: watch::Sender<Option<Client>>,
    copy: watch::Sender<Option<Arc<Master>>>,
    /// Since when no master could be reached, and when that was last tried.
    failing: Mutex<Option<(Instant, Instant)>>,
}

/// What becomes of a question.
pub(crate) enum Reply {
    /// An answer.
    Frame(Frame),
    /// This node leads now, and the active daemon answers.
    Leads,
    /// The connection to the master broke while it was changing something: so does the client's, as it would on the master.
    Unknown,
}

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the copy.
    Here,
    /// By the master; from the copy when there is none.
    There,
    /// By the master only; asking twice does no harm.
    ThereOnly,
    /// By the master only, and once.
    Once,
}

/// Why a try gave no answer.
#[derive(Debug)]
enum Trouble {
    /// The question did not get there.
    NotAsked(String),
    /// The connection broke after that.
    Broke(String),
    /// The master itself cannot be sure of anything.
    NoMajority(String),
}

impl Standby {
    pub(crate) fn new(paths: Paths) -> Arc<Self> {
        let (view, clients, copy) = (watch::Sender::new(View::new()), watch::Sender::new(None), watch::Sender::new(None));
        Arc::new(Self { paths, view, clients, copy, failing: Mutex::default() })
    }

    /// Stands by until this node leads.
    pub(crate) async fn until_leading(&self) -> (Client, Epoch) {
        tokio::select! {
            found = view::until_leading(&self.paths, &self.view, &self.clients) => found,
            () = copy::keep(&self.paths, self.clients.subscribe(), &self.copy) => std::future::pending().await,
        }
    }

    /// Answers. `connection` is kept between questions of one client.
    pub(crate) async fn answer(&self, connection: &mut Option<Connection>, method: Method, args: &Value, message: &[u8]) -> Reply {
        let way = way(method, args);
        if method == Method::CopyFile {
            let text = format!("{} copies the files of the master: run it on {}", method.as_str(), self.master_name());
            return Reply::Frame(refusal(&WireError::prereq(text, ErrorCode::State), Some(&self.origin(None))));
        }
        let mut views = self.view.subscribe();
        loop {
            let view = views.borrow_and_update().clone();
            if view.leads {
                return Reply::Leads;
            }
            let attempt = async {
                match way {
                    Way::Here => self.read_here(connection, &view, (method, args, message)).await,
                    Way::There | Way::ThereOnly | Way::Once => self.pass_on(connection, &view, way, message).await,
                }
            };
            let outcome = tokio::select! {
                outcome = attempt => outcome,
                () = another_lead(&mut views, &view) => {
                    let text = "the lead went to another node".to_owned();
                    Err(if way == Way::Once { Trouble::Broke(text) } else { Trouble::NotAsked(text) })
                }
            };
            let trouble = match outcome {
                Ok(frame) => {
                    *self.failing() = None;
                    return Reply::Frame(frame);
                }
                Err(trouble) => trouble,
            };
            *connection = None;
            let reason = match trouble {
                Trouble::Broke(reason) if way == Way::Once => {
                    tracing::warn!(method = method.as_str(), reason, "the master went away; whether it has done this is not known");
                    return Reply::Unknown;
                }
                Trouble::NoMajority(reason) => return Reply::Frame(self.without_master(way, method, args, reason).await),
                Trouble::Broke(reason) | Trouble::NotAsked(reason) => reason,
            };
            if self.has_given_up(&view) {
                return Reply::Frame(self.without_master(way, method, args, reason).await);
            }
            let _either = tokio::time::timeout(RETRY, views.changed()).await;
        }
    }

    /// Brings the copy to where the master is, and reads it.
    async fn read_here(
        &self,
        connection: &mut Option<Connection>,
        view: &View,
        (method, args, message): (Method, &Value, &[u8]),
    ) -> Result<Frame, Trouble> {
        let copy = self.copy.borrow().clone();
        let Some(copy) = copy else { return self.pass_on(connection, view, Way::Here, message).await };
        let ask = async {
            let upstream = self.connected(connection, view, Way::Here).await?;
            let mut answer = upstream.ask(ASK_INDEX).await.map_err(|error| Trouble::Broke(error.to_string()))?;
            let _same = take_origin(&mut answer);
            let index = decode_response(&answer).map_err(|error| Trouble::NoMajority(error.to_string()))?;
            let index = index.as_u64().ok_or_else(|| Trouble::NoMajority(format!("the master's log index is {index}")))?;
            copy.store().wait_for(index).await.map_err(|error| Trouble::NotAsked(error.to_string()))
        };
        let late =
            |_| Trouble::NotAsked(format!("the master did not answer, or this copy did not follow, within {} s", INDEX_LIMIT.as_secs()));
        tokio::time::timeout(INDEX_LIMIT, ask).await.map_err(late)??;
        Ok(frame_of(crate::luxi::call(&copy, method, args.clone()).await, Some(&self.origin(None))))
    }

    async fn pass_on(&self, connection: &mut Option<Connection>, view: &View, way: Way, message: &[u8]) -> Result<Frame, Trouble> {
        let upstream = self.connected(connection, view, way).await?;
        let mut answer = upstream.ask(message).await.map_err(|error| Trouble::Broke(error.to_string()))?;
        // What the master itself says of its answer stays.
        let said = take_origin(&mut answer).map_err(|error| Trouble::Broke(error.to_string()))?;
        Ok(passed_on(answer, &self.origin(said.and_then(|origin| origin.old))))
    }

    /// A connection to the master. What is asked once gets a new one: on another, it might be asked of a master that is gone.
    async fn connected<'c>(&self, connection: &'c mut Option<Connection>, view: &View, way: Way) -> Result<&'c mut Upstream, Trouble> {
        let Some(leader) = &view.leader else { return Err(Trouble::NotAsked("no master candidate leads".to_owned())) };
        let kept = connection.take().filter(|kept| way != Way::Once && kept.leads_to(leader));
        let upstream = match kept {
            Some(kept) => kept,
            None => {
                let tls = crate::relay::client(&self.paths).map_err(|error| Trouble::NotAsked(error.to_string()))?;
                let connected = Upstream::connect(leader, Arc::new(tls)).await;
                connected.map_err(|error| Trouble::NotAsked(format!("{} does not answer: {error}", leader.name)))?
            }
        };
        Ok(connection.insert(upstream))
    }

    /// The answer when no master can be reached.
    async fn without_master(&self, way: Way, method: Method, args: &Value, reason: String) -> Frame {
        let copy = self.copy.borrow().clone();
        if let (Way::Here | Way::There, Some(copy)) = (way, copy) {
            let read = if is_about_jobs(method, args) { copy::read_jobs(&copy).await } else { Ok(()) };
            if let Err(error) = read {
                return refusal(&self.unavailable(&format!("{reason}; {error}")), Some(&self.origin(None)));
            }
            let old = format!("no master can be reached ({reason}); this is the copy of node {}, which may be old", self.own_name());
            return frame_of(crate::luxi::call(&copy, method, args.clone()).await, Some(&self.origin(Some(old))));
        }
        refusal(&self.unavailable(&reason), Some(&self.origin(None)))
    }

    fn unavailable(&self, reason: &str) -> WireError {
        let text = format!(
            "Node {} is not the master, and no master can be reached ({reason}). Nothing can be changed until a majority of the voting \
             master candidates is back; if they are gone for good, see `gnt-cluster recover`",
            self.own_name()
        );
        WireError::new(STATE_UNAVAILABLE, text)
    }

    fn has_given_up(&self, view: &View) -> bool {
        let now = Instant::now();
        let mut failing = self.failing();
        // An old failure says nothing of a new one.
        let since = failing.filter(|(_, last)| now.duration_since(*last) < PATIENCE).map_or(now, |(since, _)| since);
        *failing = Some((since, now));
        let since = view.leaderless.map_or(since, |leaderless| leaderless.min(since));
        now.duration_since(since) > PATIENCE
    }

    fn failing(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Instant)>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn origin(&self, old: Option<String>) -> Origin {
        let view = self.view.borrow();
        Origin { node: view.own.clone(), master: view.leader.as_ref().map(|leader| leader.name.clone()), old }
    }

    fn own_name(&self) -> String {
        self.view.borrow().own.clone()
    }

    fn master_name(&self) -> String {
        self.view.borrow().leader.as_ref().map_or_else(|| "the master, which is not known now".to_owned(), |leader| leader.name.clone())
    }
}

/// Resolves when somebody else leads than in `view`, or in another term.
async fn another_lead(views: &mut watch::Receiver<View>, view: &View) {
    let changed = |now: &View| now.leads || now.leader != view.leader;
    if views.wait_for(changed).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn is_about_jobs(method: Method, args: &Value) -> bool {
    method == Method::QueryJobs || (method == Method::Query && args.get(0).and_then(Value::as_str) == Some("job"))
}

fn way(method: Method, args: &Value) -> Way {
    let fields_of_members = || {
        let names = [args.get(1), args.get(2)].into_iter().flatten().map(Value::to_string);
        names.into_iter().any(|text| text.contains("\"store."))
    };
    match method {
        Method::Query if matches!(args.get(0).and_then(Value::as_str), Some("lock")) => Way::ThereOnly,
        _ if is_about_jobs(method, args) => Way::There,
        // How far others are, only the leader knows.
        Method::Query | Method::QueryNodes | Method::QueryObjects if fields_of_members() => Way::There,
        Method::StoreStatus => Way::There,
        Method::WaitForJobChange | Method::JoinStatus | Method::ReadIndex => Way::ThereOnly,
        method if method.is_read() => Way::Here,
        _ => Way::Once,
    }
}

#[cfg(test)]
mod tests;

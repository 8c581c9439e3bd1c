//! One question for many askers: identical reads that are under way at the same time share an answer.
//!
//! Nothing is cached. Who joins gets an answer to a question that was asked after his request came, so that a client
//! that saw its job end reads what the job did. Therefore nobody joins a question that is already with the master:
//! later askers gather for the next one, which starts when a running one ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::body::Body;
use crate::error::ApiError;
use crate::luxi::Pool;
use crate::query::Query;

/// The same question at a time: a second one keeps the master busy while the first one's answer is being written.
const MAX_RUNNING: usize = 2;

type Answer = Result<Body, ApiError>;

/// Questions under way.
#[derive(Debug, Clone)]
pub(crate) struct Flights {
    pool: Arc<Pool>,
    under_way: Arc<Mutex<HashMap<Arc<str>, Flight>>>,
}

#[derive(Debug, Default)]
struct Flight {
    running: usize,
    gathering: Vec<oneshot::Sender<Answer>>,
}

impl Flights {
    pub(crate) fn new(pool: Arc<Pool>) -> Self {
        Self { pool, under_way: Arc::default() }
    }

    /// The answer to `query`. It goes on when the asker goes away, as others may wait for it.
    pub(crate) async fn ask(&self, query: Query) -> Answer {
        let key: Arc<str> = query.key().into();
        let (sender, answer) = oneshot::channel();
        let start = {
            let mut under_way = self.lock();
            let flight = under_way.entry(key.clone()).or_default();
            flight.gathering.push(sender);
            flight.take_off()
        };
        if let Some(askers) = start {
            tokio::spawn(self.clone().fly(key, query, askers));
        }
        answer.await.unwrap_or_else(|_| Err(ApiError::internal("the query was given up")))
    }

    async fn fly(self, key: Arc<str>, query: Query, mut askers: Vec<oneshot::Sender<Answer>>) {
        loop {
            let mut landing = Landing { flights: &self, key: &key, landed: false };
            let answer = query.clone().run(self.pool.clone()).await;
            let next = landing.land();
            for asker in askers {
                // an asker may have gone away
                let _ = asker.send(answer.clone());
            }
            match next {
                Some(gathered) => askers = gathered,
                None => return,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Flight>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// Those who take off now, if one may start.
    fn take_off(&mut self) -> Option<Vec<oneshot::Sender<Answer>>> {
        if self.running == MAX_RUNNING || self.gathering.is_empty() {
            return None;
        }
        self.running += 1;
        Some(std::mem::take(&mut self.gathering))
    }
}

/// Gives the place free, also when the query panics.
struct Landing<'a> {
    flights: &'a Flights,
    key: &'a Arc<str>,
    landed: bool,
}

impl Landing<'_> {
    fn land(&mut self) -> Option<Vec<oneshot::Sender<Answer>>> {
        self.landed = true;
        let mut under_way = self.flights.lock();
        let flight = under_way.get_mut(self.key)?;
        flight.running -= 1;
        let next = flight.take_off();
        if flight.running == 0 {
            under_way.remove(self.key);
        }
        next
    }
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        if !self.landed {
            let mut under_way = self.flights.lock();
            if let Some(flight) = under_way.get_mut(self.key) {
                flight.running -= 1;
                // those who gathered are told by their closed channels
                flight.gathering.clear();
                if flight.running == 0 {
                    under_way.remove(self.key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gannet_core::luxi::{Method, encode_success};
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;
    use tokio::sync::{Semaphore, mpsc};

    use crate::shape::Shape;

    fn question() -> Query {
        Query::Luxi { method: Method::QueryClusterInfo, args: json!([]), shape: Shape::AsIs }
    }

    /// A master that answers 1, 2, 3…, each when `allowed` has a permit; it reports each question that came.
    async fn master(listener: UnixListener, allowed: Arc<Semaphore>, came: mpsc::UnboundedSender<()>) {
        let count = Arc::new(std::sync::atomic::AtomicU64::new(0));
        while let Ok((mut stream, _)) = listener.accept().await {
            let (allowed, came, count) = (allowed.clone(), came.clone(), count.clone());
            tokio::spawn(async move {
                while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
                    let number = 1 + count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    came.send(()).unwrap();
                    allowed.acquire().await.unwrap().forget();
                    stream.write_all(&encode_success(&json!(number))).await.unwrap();
                }
            });
        }
    }

    #[tokio::test]
    async fn later_askers_share_a_question_that_is_asked_after_they_came() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("luxi");
        let allowed = Arc::new(Semaphore::new(0));
        let (came, mut questions) = mpsc::unbounded_channel();
        tokio::spawn(master(UnixListener::bind(&socket).unwrap(), allowed.clone(), came));
        let flights = Flights::new(Arc::new(Pool::new(socket, 20)));
        let ask = || {
            let flights = flights.clone();
            tokio::spawn(async move { String::from_utf8(flights.ask(question()).await.unwrap().bytes.to_vec()).unwrap() })
        };
        let mut early = Vec::new();
        for _ in 0..MAX_RUNNING {
            early.push(ask());
            questions.recv().await.unwrap();
        }
        let late: Vec<_> = (0..8).map(|_| ask()).collect();
        let gathered = || flights.lock().values().map(|flight| flight.gathering.len()).sum::<usize>();
        while gathered() < late.len() {
            tokio::task::yield_now().await;
        }
        allowed.add_permits(3);
        let mut answers = Vec::new();
        for asker in early {
            answers.push(asker.await.unwrap());
        }
        answers.sort_unstable();
        assert_eq!(answers, ["1\n", "2\n"]);
        for asker in late {
            assert_eq!(asker.await.unwrap(), "3\n");
        }
        while !flights.lock().is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

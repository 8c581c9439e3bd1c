//! The network between the machines: streams of bytes with delays, that can be cut in one or both directions.
//!
//! As with TCP, what is sent into a cut link arrives when it is whole again; a process that ends closes its connections, a machine that
//! loses its power says nothing, and answers with a reset when it is back.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gannet_daemon::net::Duplex;
use gannet_daemon::world::{Answer, Incoming};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::state::{Facts, Life, State, state};

/// Bytes on their way in one direction, at most: the windows of both kernels.
const WINDOW: usize = 1 << 20;
/// A connection that finds nobody tries again this often, as the kernel does.
const SYN_RETRY: Duration = Duration::from_secs(1);
/// Usual time of one way, in microseconds.
const DELAY_US: (u64, u64) = (50, 400);
/// One message in so many is late, by up to [`LATE_US`].
const LATE_ONE_IN: u64 = 200;
const LATE_US: u64 = 60_000;

/// All links, connections and listeners.
pub(crate) struct Network {
    /// `cut[from][to]`: nothing arrives.
    cut: Vec<Vec<bool>>,
    connections: BTreeMap<u64, Connection>,
    listeners: BTreeMap<SocketAddr, Listening>,
    next: u64,
}

struct Listening {
    life: Life,
    accept: UnboundedSender<(Box<dyn Duplex>, SocketAddr)>,
}

struct Connection {
    ends: [End; 2],
    /// `ways[n]`: towards end `n`.
    ways: [Way; 2],
}

struct End {
    life: Life,
    gone: bool,
}

#[derive(Default)]
struct Way {
    flying: VecDeque<(u64, Vec<u8>)>,
    arrived: VecDeque<u8>,
    bytes: usize,
    /// The last byte is followed by the end, which comes at this time.
    ends_at: Option<u64>,
    ended: bool,
    reset: bool,
    last_at: u64,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Network {
    pub(crate) fn new(machines: usize) -> Self {
        Self { cut: vec![vec![false; machines]; machines], connections: BTreeMap::new(), listeners: BTreeMap::new(), next: 1 }
    }

    /// Cuts one direction, or mends it.
    pub(crate) fn set_cut(&mut self, from: usize, to: usize, cut: bool) {
        if from != to {
            self.cut[from][to] = cut;
        }
    }

    /// Mends everything.
    pub(crate) fn mend(&mut self) {
        self.cut.iter_mut().flatten().for_each(|cut| *cut = false);
    }

    /// The daemon is gone: nobody listens there any more. Its listeners, to be dropped without the state.
    #[must_use]
    pub(crate) fn stop_listening(&mut self, life: Life) -> impl Sized + use<> {
        let gone: Vec<SocketAddr> = self.listeners.iter().filter(|(_, at)| at.life == life).map(|(address, _)| *address).collect();
        gone.into_iter().filter_map(|address| self.listeners.remove(&address)).collect::<Vec<_>>()
    }

    /// A machine lost its power: its connections end without a word.
    pub(crate) fn forget(&mut self, machine: usize) {
        for connection in self.connections.values_mut() {
            for end in &mut connection.ends {
                end.gone |= end.life.machine == machine;
            }
        }
    }

    /// Brings what is due, and tells who must be woken.
    pub(crate) fn deliver(&mut self, now: u64, machines: &[Facts]) -> Vec<Waker> {
        let mut wake = Vec::new();
        let mut over = Vec::new();
        for (id, connection) in &mut self.connections {
            for to in 0..2 {
                let (from_machine, to_machine) = (connection.ends[1 - to].life.machine, connection.ends[to].life.machine);
                let target = &machines[to_machine];
                if self.cut[from_machine][to_machine] || !target.on || target.frozen {
                    continue;
                }
                if connection.ends[to].gone {
                    // Data for nobody is answered with a reset, if the answer comes through.
                    let due = connection.ways[to].flying.front().is_some_and(|(at, _)| *at <= now);
                    if due && !self.cut[to_machine][from_machine] {
                        connection.ways[to].flying.clear();
                        for way in &mut connection.ways {
                            way.reset = true;
                            wake.extend(way.reader.take());
                            wake.extend(way.writer.take());
                        }
                    }
                    continue;
                }
                let way = &mut connection.ways[to];
                while way.flying.front().is_some_and(|(at, _)| *at <= now) {
                    let Some((_, bytes)) = way.flying.pop_front() else { break };
                    way.arrived.extend(bytes);
                    wake.extend(way.reader.take());
                }
                if way.flying.is_empty() && way.ends_at.is_some_and(|at| at <= now) && !way.ended {
                    way.ended = true;
                    wake.extend(way.reader.take());
                }
            }
            if connection.ends.iter().all(|end| end.gone) {
                over.push(*id);
            }
        }
        for id in over {
            self.connections.remove(&id);
        }
        wake
    }

    fn reaches(&self, from: usize, to: usize, machines: &[Facts]) -> bool {
        !self.cut[from][to] && !self.cut[to][from] && machines[to].on && !machines[to].frozen
    }
}

/// How long one message takes, in microseconds.
fn delay(state: &mut State) -> u64 {
    let usual = state.between(DELAY_US.0, DELAY_US.1);
    match state.once_in(LATE_ONE_IN) {
        true => usual + state.between(0, LATE_US),
        false => usual,
    }
}

/// Takes an address for the daemon whose turn it is.
pub(crate) fn listen(at: SocketAddr) -> io::Result<Incoming> {
    let mut state = state();
    let life = state.current.ok_or(io::ErrorKind::AddrNotAvailable)?;
    // A listener that was dropped has given its address back.
    if state.network.listeners.get(&at).is_some_and(|listening| !listening.accept.is_closed()) {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    let (accept, incoming) = unbounded_channel();
    let old = state.network.listeners.insert(at, Listening { life, accept });
    drop(state);
    // Connections that nobody had accepted want the state when they are dropped.
    drop(old);
    Ok(incoming)
}

/// Opens a connection for the daemon whose turn it is.
pub(crate) fn connect(to: SocketAddr) -> Answer<io::Result<Box<dyn Duplex>>> {
    let from = state().current;
    Box::pin(async move {
        let from = from.ok_or(io::ErrorKind::NotConnected)?;
        loop {
            let (reached, pause) = {
                let mut state = state();
                let state = &mut *state;
                let target = state.machines.iter().position(|machine| machine.ip == to.ip());
                let reached = target.is_some_and(|target| state.network.reaches(from.machine, target, &state.machines));
                (reached, if reached { Duration::from_micros(2 * delay(state)) } else { SYN_RETRY })
            };
            tokio::time::sleep(pause).await;
            if reached {
                break;
            }
        }
        // Whatever is dropped here must not find the state taken.
        let half = {
            let mut state = state();
            let state = &mut *state;
            let own = state.machines[from.machine].ip;
            let port = u16::try_from(20_000 + state.network.next % 40_000).unwrap_or(20_000);
            let Some(listening) = state.network.listeners.get(&to) else { return Err(io::ErrorKind::ConnectionRefused.into()) };
            let id = state.network.next;
            state.network.next += 1;
            let ends = [End { life: from, gone: false }, End { life: listening.life, gone: false }];
            state.network.connections.insert(id, Connection { ends, ways: [Way::default(), Way::default()] });
            let theirs: Box<dyn Duplex> = Box::new(Half { id, end: 1 });
            let sent = listening.accept.send((theirs, SocketAddr::new(own.into(), port)));
            (sent, Half { id, end: 0 })
        };
        match half {
            (Ok(()), half) => Ok(Box::new(half) as Box<dyn Duplex>),
            (Err(_), _) => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    })
}

/// One end of a connection, in the hands of a daemon.
struct Half {
    id: u64,
    end: usize,
}

impl Half {
    /// Looks at the connection; `None` when the other side and this one are gone.
    fn with<T>(&self, look: impl FnOnce(&mut Connection, &mut dyn FnMut() -> u64) -> T) -> Option<T> {
        let mut state = state();
        let state = &mut *state;
        // Drawn before the connection is borrowed.
        let mut connection = state.network.connections.remove(&self.id)?;
        let mut at = || state.now + delay(state);
        let seen = look(&mut connection, &mut at);
        state.network.connections.insert(self.id, connection);
        Some(seen)
    }
}

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

impl AsyncRead for Half {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = self.with(|connection, _| {
            let way = &mut connection.ways[self.end];
            if way.reset {
                return (Poll::Ready(Err(reset())), None);
            }
            if way.arrived.is_empty() {
                if way.ended {
                    return (Poll::Ready(Ok(())), None);
                }
                way.reader = Some(context.waker().clone());
                return (Poll::Pending, None);
            }
            let count = buffer.remaining().min(way.arrived.len());
            let bytes: Vec<u8> = way.arrived.drain(..count).collect();
            buffer.put_slice(&bytes);
            way.bytes -= count;
            (Poll::Ready(Ok(())), way.writer.take())
        });
        let Some((poll, wake)) = read else { return Poll::Ready(Err(reset())) };
        if let Some(waker) = wake {
            waker.wake();
        }
        poll
    }
}

impl AsyncWrite for Half {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.with(|connection, at| {
            let way = &mut connection.ways[1 - self.end];
            if way.reset {
                return Poll::Ready(Err(reset()));
            }
            if way.ends_at.is_some() {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let room = WINDOW.saturating_sub(way.bytes);
            if room == 0 {
                way.writer = Some(context.waker().clone());
                return Poll::Pending;
            }
            let count = room.min(bytes.len());
            way.last_at = at().max(way.last_at);
            way.bytes += count;
            way.flying.push_back((way.last_at, bytes[..count].to_vec()));
            Poll::Ready(Ok(count))
        });
        written.unwrap_or_else(|| Poll::Ready(Err(reset())))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|connection, at| {
            let way = &mut connection.ways[1 - self.end];
            way.last_at = at().max(way.last_at);
            way.ends_at.get_or_insert(way.last_at);
        });
        Poll::Ready(Ok(()))
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        self.with(|connection, at| {
            // A machine without power says no goodbye.
            if !std::mem::replace(&mut connection.ends[self.end].gone, true) {
                let way = &mut connection.ways[1 - self.end];
                way.last_at = at().max(way.last_at);
                way.ends_at.get_or_insert(way.last_at);
            }
        });
    }
}

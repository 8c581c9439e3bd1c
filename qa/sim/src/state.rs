//! What all parts of a simulation share: the time, chance, the machines as the network sees them, and what was seen.

use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use gannet_daemon::world::Mistake;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::network::Network;
use crate::observe::Observed;
use crate::programs::Wish;

/// One life of one daemon (or of the clients) on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Life {
    pub(crate) machine: usize,
    pub(crate) number: u64,
}

/// A machine as others see it.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) ip: Ipv4Addr,
    pub(crate) on: bool,
    /// How often it was started.
    pub(crate) boots: u64,
    /// All of it stands still.
    pub(crate) frozen: bool,
    /// Longest time of a write to its disk, in microseconds.
    pub(crate) disk_us: u64,
    /// When a write to it last began.
    pub(crate) wrote_at: u64,
}

/// Everything that is shared.
pub(crate) struct State {
    /// Microseconds since the simulation began.
    pub(crate) now: u64,
    pub(crate) rng: StdRng,
    /// Whose turn it is.
    pub(crate) current: Option<Life>,
    pub(crate) machines: Vec<Facts>,
    pub(crate) network: Network,
    pub(crate) wishes: Vec<Wish>,
    pub(crate) observed: Observed,
    pub(crate) mistake: Option<Mistake>,
    /// Somebody looks on.
    pub(crate) log: bool,
    /// Clients begin nothing new.
    pub(crate) winding_down: bool,
}

static STATE: OnceLock<Mutex<State>> = OnceLock::new();

/// Makes the state of this process's only simulation.
pub(crate) fn begin(seed: u64, machines: Vec<Facts>, mistake: Option<Mistake>) {
    let network = Network::new(machines.len());
    let state = State {
        now: 0,
        rng: StdRng::seed_from_u64(seed),
        current: None,
        machines,
        network,
        wishes: Vec::new(),
        observed: Observed::default(),
        mistake,
        log: std::env::var_os("GANNET_SIM_LOG").is_some(),
        winding_down: false,
    };
    assert!(STATE.set(Mutex::new(state)).is_ok(), "one simulation per process");
}

/// The state. Held for moments only: nothing that is dropped or woken meanwhile may want it, too.
pub(crate) fn state() -> MutexGuard<'static, State> {
    STATE.get().expect("the simulation has begun").lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// A number of a range, by chance.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.rng.random_range(low..=high.max(low))
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.rng.random_range(0..times.max(1)) == 0
    }

    /// The machine whose turn it is.
    pub(crate) fn machine(&self) -> usize {
        self.current.map_or(0, |life| life.machine)
    }
}

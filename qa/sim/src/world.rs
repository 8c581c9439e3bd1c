//! What the daemons find in the place of the system.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use gannet_daemon::net::Duplex;
use gannet_daemon::world::{Answer, Incoming, Machine, Mistake, ProgramEnd, Seen, World};

use crate::state::state;
use crate::{network, programs};

/// Fastest write to a disk, in microseconds.
const DISK_US: u64 = 200;

pub(crate) struct Simulated;

impl World for Simulated {
    fn connect(&self, to: SocketAddr) -> Answer<io::Result<Box<dyn Duplex>>> {
        network::connect(to)
    }

    fn listen(&self, at: SocketAddr) -> io::Result<Incoming> {
        network::listen(at)
    }

    fn program(&self, program: OsString, arguments: Vec<OsString>) -> Answer<io::Result<ProgramEnd>> {
        programs::run(&program, &arguments)
    }

    fn machine(&self) -> Machine {
        let state = state();
        let boot = state.machines[state.machine()].boots;
        let boot_id = format!("00000000-0000-4000-8000-{boot:012}");
        Machine { memory_mib: 32_768, free_mib: 30_000, cpus: 8, boot_id, disk_bytes: (1 << 40, 1 << 39) }
    }

    fn disk_delay(&self) -> Duration {
        let mut state = state();
        let machine = state.machine();
        state.machines[machine].wrote_at = state.now;
        let most = state.machines[machine].disk_us;
        Duration::from_micros(state.between(DISK_US, most))
    }

    fn makes(&self, mistake: Mistake) -> bool {
        state().mistake == Some(mistake)
    }

    fn sees(&self, seen: Seen<'_>) {
        let mut state = state();
        let (now, life) = (state.now, state.current);
        let state = &mut *state;
        state.observed.take(seen, now, life, &state.machines);
    }
}

//! The hand that breaks things, and mends them again.

use crate::disk::{self, Fault};
use crate::machine::Daemon;
use crate::simulation::{DISK_US, Simulation};
use crate::state::state;

/// Between two misfortunes, in microseconds.
const PAUSE_US: (u64, u64) = (200_000, 4_000_000);

/// A misfortune that waits for a write happens after this in any case, in microseconds.
const ARMED_US: u64 = 2_000_000;

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Harm {
    Kill(usize, Daemon),
    PowerOff(usize),
    Freeze(usize, Daemon),
    FreezeAll(usize),
    /// One machine against all others; both ways, or only one.
    Isolate(usize, bool, bool),
    Link(usize, usize),
    SlowDisk(usize),
    Disk(usize, Fault),
}

/// What is broken now, and until when.
pub(crate) struct Chaos {
    open: Vec<(u64, Harm)>,
    next: u64,
    /// Waits for the moment in which its machine begins to write, and no longer than until then.
    armed: Option<(u64, usize, Harm)>,
    pub(crate) count: usize,
    /// Some machine was off.
    pub(crate) power_lost: bool,
}

impl Chaos {
    pub(crate) fn new() -> Self {
        Self { open: Vec::new(), next: state().now + PAUSE_US.0, armed: None, count: 0, power_lost: false }
    }

    /// One look at the clock.
    pub(crate) fn step(&mut self, simulation: &mut Simulation) {
        let now = state().now;
        let (over, open) = std::mem::take(&mut self.open).into_iter().partition(|(until, _)| *until <= now);
        self.open = open;
        for (_, harm) in over {
            self.mend(&harm, simulation);
        }
        if let Some((until, machine, harm)) = self.armed.take() {
            // The worst moment: what is written is on its way, and on no disk.
            if { state() }.machines[machine].wrote_at == now || until <= now {
                self.harm(harm, simulation);
            } else {
                self.armed = Some((until, machine, harm));
            }
        }
        if now >= self.next {
            self.next = now + { state() }.between(PAUSE_US.0, PAUSE_US.1);
            let harm = choose(simulation.clients);
            match harm {
                Harm::Kill(machine, Daemon::Confd | Daemon::Masterd) | Harm::PowerOff(machine) if { state() }.once_in(2) => {
                    self.armed = Some((now + ARMED_US, machine, harm));
                }
                harm => self.harm(harm, simulation),
            }
        }
    }

    /// Everything is whole again.
    pub(crate) fn end(&mut self, simulation: &mut Simulation) {
        for (_, harm) in std::mem::take(&mut self.open) {
            self.mend(&harm, simulation);
        }
        state().network.mend();
    }

    fn harm(&mut self, harm: Harm, simulation: &mut Simulation) {
        let now = state().now;
        let (low, high) = match &harm {
            // Started again at once, as its supervisor does, or later.
            Harm::Kill(..) if { state() }.once_in(2) => (2_000, 50_000),
            Harm::Kill(..) => (50_000, 4_000_000),
            Harm::PowerOff(_) => (1_000_000, 20_000_000),
            Harm::Freeze(..) | Harm::FreezeAll(_) => (100_000, 12_000_000),
            Harm::Isolate(..) | Harm::Link(..) => (200_000, 15_000_000),
            Harm::SlowDisk(_) | Harm::Disk(..) => (500_000, 10_000_000),
        };
        let until = now + state().between(low, high);
        if self.open.iter().any(|(_, other)| touches(other, &harm)) {
            return;
        }
        simulation.say(&format!("harm: {harm:?} for {} ms", (until - now) / 1000));
        self.count += 1;
        match &harm {
            Harm::Kill(machine, daemon) => return simulation.kill(*machine, *daemon, until),
            Harm::PowerOff(machine) => {
                self.power_lost = true;
                simulation.power_off(*machine);
            }
            Harm::Freeze(machine, daemon) => match simulation.machines[*machine].processes.get_mut(daemon) {
                Some(process) => process.frozen = true,
                None => return,
            },
            Harm::FreezeAll(machine) => state().machines[*machine].frozen = true,
            Harm::Isolate(..) | Harm::Link(..) => self.cut(&harm, true, simulation.clients),
            Harm::SlowDisk(machine) => {
                let mut state = state();
                state.machines[*machine].disk_us = state.between(10 * DISK_US, 150 * DISK_US);
            }
            Harm::Disk(machine, fault) => disk::set_fault(*machine, Some(*fault)),
        }
        self.open.push((until, harm));
    }

    fn mend(&mut self, harm: &Harm, simulation: &mut Simulation) {
        simulation.say(&format!("over: {harm:?}"));
        match harm {
            Harm::Kill(..) => {}
            Harm::PowerOff(machine) => simulation.power_on(*machine),
            Harm::Freeze(machine, daemon) => {
                if let Some(process) = simulation.machines[*machine].processes.get_mut(daemon) {
                    process.frozen = false;
                }
            }
            Harm::FreezeAll(machine) => state().machines[*machine].frozen = false,
            Harm::Isolate(..) | Harm::Link(..) => {
                state().network.mend();
                let rest = self.open.clone();
                rest.iter().for_each(|(_, other)| self.cut(other, true, simulation.clients));
            }
            Harm::SlowDisk(machine) => state().machines[*machine].disk_us = DISK_US,
            Harm::Disk(machine, _) => disk::set_fault(*machine, None),
        }
    }

    fn cut(&self, harm: &Harm, cut: bool, machines: usize) {
        let network = &mut state().network;
        match harm {
            Harm::Isolate(machine, out, into) => {
                for other in 0..machines {
                    if *out {
                        network.set_cut(*machine, other, cut);
                    }
                    if *into {
                        network.set_cut(other, *machine, cut);
                    }
                }
            }
            Harm::Link(one, two) => {
                network.set_cut(*one, *two, cut);
                network.set_cut(*two, *one, cut);
            }
            _ => {}
        }
    }
}

/// Whether two harms are about one thing, so that mending one would mend the other.
fn touches(one: &Harm, other: &Harm) -> bool {
    match (one, other) {
        (Harm::PowerOff(a), Harm::PowerOff(b) | Harm::Freeze(b, _) | Harm::FreezeAll(b) | Harm::Kill(b, _))
        | (Harm::Freeze(a, _) | Harm::FreezeAll(a) | Harm::Kill(a, _), Harm::PowerOff(b))
        | (Harm::FreezeAll(a), Harm::FreezeAll(b))
        | (Harm::SlowDisk(a), Harm::SlowDisk(b))
        | (Harm::Disk(a, _), Harm::Disk(b, _)) => a == b,
        (Harm::Freeze(a, c), Harm::Freeze(b, d)) => (a, c) == (b, d),
        _ => false,
    }
}

fn choose(machines: usize) -> Harm {
    let mut state = state();
    let most = machines as u64 - 1;
    let machine = state.between(0, most) as usize;
    let daemon = [Daemon::Noded, Daemon::Confd, Daemon::Masterd][state.between(0, 2) as usize];
    match state.between(0, 99) {
        0..32 => Harm::Kill(machine, daemon),
        32..44 => Harm::PowerOff(machine),
        44..57 => Harm::Freeze(machine, daemon),
        57..65 => Harm::FreezeAll(machine),
        65..81 => match state.between(0, 3) {
            0 => Harm::Isolate(machine, true, false),
            1 => Harm::Isolate(machine, false, true),
            _ => Harm::Isolate(machine, true, true),
        },
        81..87 => Harm::Link(machine, (machine + 1 + state.between(0, most.saturating_sub(1)) as usize) % machines),
        87..97 => Harm::SlowDisk(machine),
        97 => Harm::Disk(machine, Fault::Broken),
        _ => Harm::Disk(machine, Fault::Full),
    }
}

//! The clock of leases.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// A clock that only goes forward, also while the machine is suspended.
pub trait Clock: Send + Sync {
    /// Time since the start of the machine.
    fn now(&self) -> Duration;

    /// Differs after a restart of the machine: readings of different boots cannot be compared.
    fn boot_id(&self) -> String;
}

/// The kernel's `CLOCK_BOOTTIME`: unlike the monotonic clock it counts a suspension.
#[derive(Debug, Clone, Copy, Default)]
pub struct BootClock;

impl Clock for BootClock {
    fn now(&self) -> Duration {
        match clock_gettime(ClockId::CLOCK_BOOTTIME) {
            Ok(time) => Duration::from(time),
            // Every kernel since 2.6.39 has it. Without a clock every lease is over.
            Err(error) => {
                tracing::error!(%error, "the kernel has no boot clock: leases cannot be kept");
                Duration::MAX
            }
        }
    }

    fn boot_id(&self) -> String {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
    }
}

#[cfg(test)]
pub(super) mod testing {
    use std::sync::Mutex;

    use super::*;

    /// A clock that is moved by hand.
    pub(crate) struct Hand(pub(crate) Mutex<Duration>);

    impl Hand {
        pub(crate) fn at(seconds: u64) -> Self {
            Self(Mutex::new(Duration::from_secs(seconds)))
        }

        pub(crate) fn go(&self, by: Duration) {
            *self.0.lock().unwrap() += by;
        }
    }

    impl Clock for Hand {
        fn now(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        fn boot_id(&self) -> String {
            "this boot".to_owned()
        }
    }
}

//! Start, stop and what lies between.

use std::time::{Duration, Instant};

use tokio::sync::broadcast::Receiver;
use virt_sys as sys;

use crate::event::{Event, Lifecycle};
use crate::worker::{Call, Lane};
use crate::{Domain, DomainSpec, Error, State, ffi};

/// How often a state is read again while an event is awaited that may have been missed.
const POLL: Duration = Duration::from_secs(1);

/// What [`Domain::start`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    Now,
    /// It was active already (perhaps paused); nothing was changed.
    AlreadyActive,
}

/// What [`Domain::stop`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It was active and was ended.
    Now,
    /// It was not running, only defined.
    WasInactive,
    WasAbsent,
}

impl Domain {
    /// Defines the domain and starts it, or only says that it is active. What an earlier run left defined (also with
    /// another UUID) is replaced. If the start fails nothing stays defined.
    ///
    /// With `paused` the guest's CPUs wait for [`Domain::resume`], for example until its NICs are configured.
    pub async fn start(&self, spec: &DomainSpec, paused: bool) -> Result<Started, Error> {
        if spec.name != self.name {
            return Err(Error::invalid("domain spec", format!("it is for {}, not {}", spec.name, self.name)));
        }
        self.start_xml(spec.to_xml()?, paused).await
    }

    /// [`Domain::start`] with XML made by [`DomainSpec::to_xml`] (its `<name>` must be this domain's).
    pub async fn start_xml(&self, xml: String, paused: bool) -> Result<Started, Error> {
        let flags = if paused { sys::VIR_DOMAIN_START_PAUSED } else { 0 };
        self.run("start", Lane::Change, self.connection.options().start, move |call| {
            if let Some(old) = call.find()? {
                if call.check(old.is_active())? {
                    return Ok(Started::AlreadyActive);
                }
                // its state (managed save, snapshots) belongs to the earlier run
                undefine(call, &old)?;
            }
            let domain = call.check(call.conn.define_domain_xml(&xml))?;
            let started = call.check(domain.create_with_flags(flags));
            if let Err(error) = started {
                if let Err(left) = undefine(call, &domain) {
                    tracing::warn!(domain = call.domain, %left, "a domain that could not be started stays defined");
                }
                return Err(error);
            }
            Ok(Started::Now)
        })
        .await
    }

    /// Presses the ACPI power button and returns; see [`Domain::wait_inactive`]. Of a guest that is not running says
    /// nothing.
    pub async fn shutdown(&self) -> Result<(), Error> {
        self.change("shutdown", |call| {
            let Some(domain) = call.find()? else { return Ok(()) };
            let pressed = call.check(domain.shutdown_flags(sys::VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN));
            unless_inactive(call, &domain, pressed)
        })
        .await
    }

    /// Waits until the guest does not run; false when it still does after `deadline`.
    pub async fn wait_inactive(&self, deadline: Duration) -> Result<bool, Error> {
        let until = Instant::now() + deadline;
        let mut events = self.connection.subscribe();
        loop {
            if !self.state().await?.is_some_and(State::is_active) {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            self.stopped_event(&mut events, left.min(POLL)).await;
        }
    }

    async fn stopped_event(&self, events: &mut Receiver<Event>, patience: Duration) {
        let seen = async {
            // an error (lagged, closed) ends the wait: the caller reads the state again anyway
            while let Ok(event) = events.recv().await {
                if let Event::Lifecycle { domain, change: Lifecycle::Stopped(_), .. } = event
                    && domain == self.name
                {
                    return;
                }
            }
            tokio::time::sleep(patience).await;
        };
        let _time_is_up = tokio::time::timeout(patience, seen).await;
    }

    /// Ends the guest (SIGTERM to QEMU, SIGKILL if that does not do) and removes its definition. Gets through while
    /// another call of this guest hangs. May be repeated.
    pub async fn stop(&self) -> Result<Stopped, Error> {
        self.control("stop", |call| {
            let Some(domain) = call.find()? else { return Ok(Stopped::WasAbsent) };
            let was_active = destroy(call, &domain)?;
            undefine(call, &domain)?;
            Ok(if was_active { Stopped::Now } else { Stopped::WasInactive })
        })
        .await
    }

    /// Ends the guest but keeps its definition. May be repeated.
    pub async fn destroy(&self) -> Result<(), Error> {
        self.control("destroy", |call| match call.find()? {
            Some(domain) => destroy(call, &domain).map(drop),
            None => Ok(()),
        })
        .await
    }

    /// Removes the definition of a guest that does not run; a running one becomes transient. May be repeated.
    pub async fn undefine(&self) -> Result<(), Error> {
        self.control("undefine", |call| match call.find()? {
            Some(domain) => undefine(call, &domain),
            None => Ok(()),
        })
        .await
    }

    /// Asks the guest to reboot through ACPI, that is: a guest without ACPI does not. See also [`Domain::reset`].
    pub async fn reboot(&self) -> Result<(), Error> {
        self.change("reboot", |call| {
            let domain = call.lookup()?;
            call.check(domain.reboot(sys::VIR_DOMAIN_REBOOT_ACPI_POWER_BTN))
        })
        .await
    }

    /// Presses the reset button.
    pub async fn reset(&self) -> Result<(), Error> {
        self.change("reset", |call| call.check(call.lookup()?.reset())).await
    }

    /// Pauses the guest's CPUs. May be repeated.
    pub async fn suspend(&self) -> Result<(), Error> {
        self.change("suspend", |call| call.check(call.lookup()?.suspend())).await
    }

    /// Lets a paused guest go on. May be repeated.
    pub async fn resume(&self) -> Result<(), Error> {
        self.change("resume", |call| {
            let domain = call.lookup()?;
            if call.check(ffi::state(&domain))? == State::Running {
                return Ok(());
            }
            call.check(domain.resume())
        })
        .await
    }
}

/// True if it was active.
fn destroy(call: &Call<'_>, domain: &virt::domain::Domain) -> Result<bool, Error> {
    if !call.check(domain.is_active())? {
        return Ok(false);
    }
    let result = call.check(domain.destroy());
    unless_inactive(call, domain, result).map(|()| true)
}

/// An operation that failed because the guest had just ended did not fail.
fn unless_inactive(call: &Call<'_>, domain: &virt::domain::Domain, result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(error) if error.is_no_domain() => Ok(()),
        Err(error) if error.is_wrong_state() && !call.check(domain.is_active()).unwrap_or(false) => Ok(()),
        other => other,
    }
}

fn undefine(call: &Call<'_>, domain: &virt::domain::Domain) -> Result<(), Error> {
    let flags = sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
    match call.check(domain.undefine_flags(flags)) {
        // a transient domain that ended is gone by itself; one that runs has nothing to undefine
        Err(error) if error.is_no_domain() => Ok(()),
        Err(error) if error.is_wrong_state() && !call.check(domain.is_persistent()).unwrap_or(false) => Ok(()),
        other => other,
    }
}

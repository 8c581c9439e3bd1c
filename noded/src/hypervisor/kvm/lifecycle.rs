//! Start, stop, reboot, and what is kept around them.

use std::time::{Duration, Instant};

use gannet_libvirt::{Domain, Event, Started, State, Stopped};
use gannet_proto::node::{ConsoleInfo, Instance, InstanceShutdownReply, InstanceStartReply};

use super::spec::{Here, spec};
use super::{Kvm, params};
use crate::hypervisor::{Device, Error, Reboot};
use crate::net::{self, Owner, device_name};

/// How often the power button is pressed: a guest that is still booting does not hear the first one.
const PRESS_AGAIN: Duration = Duration::from_secs(5);

impl From<net::Error> for Error {
    fn from(error: net::Error) -> Self {
        let text = crate::peer::chain(&error);
        match error {
            net::Error::Invalid { .. } => Self::Invalid(text),
            net::Error::Program { .. } => Self::Failed(text),
            _ => Self::Missing(text),
        }
    }
}

impl Kvm {
    pub(super) async fn bring_up(&self, instance: &Instance, devices: &[Device], paused: bool) -> Result<InstanceStartReply, Error> {
        let connection = self.connection().await?;
        let domain = connection.domain(&instance.name)?;
        if let Some(info) = domain.info().await?
            && info.state.is_active()
        {
            if info.uuid != instance.uuid || !self.is_ours(connection, &info).await? {
                return Err(Error::Busy(format!("a guest named {} that is not this instance runs on node {}", instance.name, self.node)));
            }
            return self.already_up(instance, &domain, info.state, paused).await;
        }
        self.check_nics(instance)?;
        let capabilities = connection.capabilities().await?;
        let files = self.files(&instance.name);
        files.remove();
        files.prepare_console_log()?;
        let here = Here {
            node: &self.node,
            capabilities: &capabilities,
            console_log: files.console_log().display().to_string(),
            by_hand: &|nic| net::needs_setup(&self.paths, nic),
        };
        let spec = spec(instance, devices, &here)?;
        files.remember(instance)?;
        let by_hand = instance.nics.iter().any(|nic| net::needs_setup(&self.paths, nic));
        let started = domain.start(&spec, paused || by_hand).await;
        match started {
            Ok(Started::Now) => {}
            Ok(Started::AlreadyActive) => return Ok(InstanceStartReply { was_running: true, warnings: Vec::new() }),
            Err(error) => {
                files.remove();
                return Err(error.into());
            }
        }
        if let Err(error) = self.connect_nics(instance).await {
            // a guest without its network must not run: somebody might take it for healthy
            if let Err(left) = domain.stop().await {
                tracing::error!(instance = instance.name, %left, "a guest whose NICs failed could not be stopped");
            }
            files.remove();
            return Err(error);
        }
        if by_hand && !paused {
            domain.resume().await?;
        }
        files.write_pid();
        Ok(InstanceStartReply { was_running: false, warnings: warnings(&capabilities) })
    }

    async fn already_up(&self, instance: &Instance, domain: &Domain, state: State, paused: bool) -> Result<InstanceStartReply, Error> {
        let files = self.files(&instance.name);
        if let State::Paused(_) = state {
            if files.is_incoming() {
                return Err(Error::Busy(format!("instance {} is being received by a migration; settle that first", instance.name)));
            }
            if !paused {
                domain.resume().await?;
            }
        }
        Ok(InstanceStartReply { was_running: true, warnings: Vec::new() })
    }

    pub(super) fn check_nics(&self, instance: &Instance) -> Result<(), Error> {
        for (index, nic) in instance.nics.iter().enumerate() {
            net::check(&self.paths, &self.node, index, nic)?;
        }
        Ok(())
    }

    /// Sets up the devices that are ours to set up, and writes the NIC files. May be repeated.
    pub(super) async fn connect_nics(&self, instance: &Instance) -> Result<(), Error> {
        let owner = Owner { node: &self.node, instance };
        let files = self.files(&instance.name);
        for (index, nic) in instance.nics.iter().enumerate() {
            let device = device_name(&nic.uuid);
            net::set_up(&self.paths, &owner, index, nic, &device).await?;
            if let Err(error) = files.nics().write(index, &device) {
                tracing::warn!(instance = instance.name, %error, "no NIC file");
            }
        }
        Ok(())
    }

    pub(super) async fn bring_down(&self, name: &str, timeout: Duration) -> Result<InstanceShutdownReply, Error> {
        let connection = self.connection().await?;
        let domain = connection.domain(name)?;
        let was_active = match domain.info().await? {
            Some(info) if !self.is_ours(connection, &info).await? => {
                return Err(Error::Busy(format!("the guest named {name} on node {} is not one of the cluster", self.node)));
            }
            Some(info) => info.state.is_active().then_some(info.state),
            None => None,
        };
        let ended = match was_active {
            Some(state) if !timeout.is_zero() => press_power(&domain, state, timeout).await,
            _ => false,
        };
        let stopped = domain.stop().await?;
        self.files(name).remove();
        let was_stopped = was_active.is_none();
        Ok(InstanceShutdownReply { was_stopped, was_forced: !was_stopped && !ended && stopped == Stopped::Now })
    }

    /// Kills QEMU itself: a libvirtd that hangs or is gone cannot hold that up.
    pub(super) fn kill(&self, name: &str, uuid: &str) {
        for pid in self.files(name).pids() {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let is_it = line.split(|byte| *byte == 0).any(|word| word == uuid.as_bytes());
            if is_it && let Ok(pid) = i32::try_from(pid) {
                // ESRCH: it has ended meanwhile.
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
            }
        }
    }

    pub(super) async fn boot_again(&self, name: &str, kind: Reboot, timeout: Duration) -> Result<(), Error> {
        let domain = self.running(name).await?;
        if kind == Reboot::Soft && !timeout.is_zero() {
            let mut events = domain.connection().subscribe();
            domain.reboot().await?;
            let rebooted = async {
                loop {
                    match events.recv().await {
                        Ok(Event::Rebooted { domain }) if domain == name => return true,
                        Ok(_) => {}
                        // events were missed: whether it rebooted is not known, so the reset decides
                        Err(_) => return false,
                    }
                }
            };
            if tokio::time::timeout(timeout, rebooted).await.unwrap_or(false) {
                return Ok(());
            }
            tracing::info!(instance = name, "the guest did not reboot by itself; resetting it");
        }
        Ok(domain.reset().await?)
    }

    pub(super) async fn keep_under(&self, old: &str, new: &str) -> Result<(), Error> {
        let connection = self.connection().await?;
        for name in [old, new] {
            if let Some(info) = connection.domain(name)?.info().await?
                && info.state.is_active()
            {
                return Err(Error::Busy(format!("instance {name} is running on node {}; it cannot be renamed", self.node)));
            }
        }
        // what an ended run left belongs to the old name
        if let Some(info) = connection.domain(old)?.info().await?
            && self.is_ours(connection, &info).await?
        {
            connection.domain(old)?.undefine().await?;
        }
        let (before, after) = (self.files(old), self.files(new));
        before.remove();
        if before.console_log().exists() && !after.console_log().exists() {
            let renamed = std::fs::rename(before.console_log(), after.console_log());
            renamed.map_err(|error| Error::Failed(format!("cannot rename {}: {error}", before.console_log().display())))?;
        }
        Ok(())
    }

    pub(super) async fn screen(&self, name: &str) -> Result<ConsoleInfo, Error> {
        let domain = self.running(name).await?;
        if domain.console_pty().await?.is_some() {
            return Ok(ConsoleInfo { kind: "serial".to_owned(), ..ConsoleInfo::default() });
        }
        let Some(screen) = domain.graphics().await?.into_iter().next() else {
            let message = format!("No serial shell for instance {name}");
            return Ok(ConsoleInfo { kind: "none".to_owned(), message, ..ConsoleInfo::default() });
        };
        let port = u32::from(screen.port.or(screen.tls_port).unwrap_or(0));
        let host = match screen.listen.as_deref() {
            None | Some("" | "0.0.0.0" | "::") => self.node.clone(),
            Some(address) => address.to_owned(),
        };
        let display =
            if screen.kind == "vnc" { port.checked_sub(5900).map_or_else(String::new, |number| number.to_string()) } else { String::new() };
        let message = screen.socket.map_or_else(String::new, |socket| format!("listens on the UNIX socket {socket} of node {}", self.node));
        Ok(ConsoleInfo { kind: screen.kind, host, port, message, display })
    }
}

/// Asks by ACPI until the guest has ended or its time is over; true when it has ended by itself.
async fn press_power(domain: &Domain, state: State, timeout: Duration) -> bool {
    if !matches!(state, State::Running | State::Blocked | State::ShuttingDown | State::Suspended) {
        return false; // paused or crashed: it hears nothing
    }
    let until = Instant::now() + timeout;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        // a guest that hangs does not answer in time: then its end by force is the answer
        if let Err(error) = domain.with_deadline(left.max(Duration::from_secs(1))).shutdown().await {
            tracing::warn!(%error, "the power button could not be pressed");
        }
        match domain.wait_inactive(left.min(PRESS_AGAIN)).await {
            Ok(true) => return true,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "the guest's state is not known; ending it by force");
                return false;
            }
        }
    }
}

fn warnings(capabilities: &gannet_libvirt::Capabilities) -> Vec<String> {
    match capabilities.kvm {
        true => Vec::new(),
        false => vec!["the guest runs under TCG emulation, slowly: hardware virtualisation does not work on this node".to_owned()],
    }
}

/// Which capabilities of a migration the guest's parameters ask for.
pub(super) fn auto_converge(instance: &Instance) -> bool {
    params::capabilities(&params::filled(instance)).any(|capability| capability == "auto-converge")
}

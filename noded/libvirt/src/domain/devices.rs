//! Changes of a running guest's devices, memory and vCPUs. The definition is left alone: the next start makes a new one.

use std::ffi::CString;
use std::time::{Duration, Instant};

use virt_sys as sys;

use super::inspect::{checked, live_xml};
use crate::event::Event;
use crate::worker::Lane;
use crate::{Disk, Domain, Error, Nic, ffi, live};

/// How often the live definition is read again while DEVICE_REMOVED is awaited, which may have been missed.
const POLL: Duration = Duration::from_secs(1);

impl Domain {
    /// Sets the balloon's size; the guest gives memory back in its own time.
    pub async fn set_memory(&self, mib: u64) -> Result<(), Error> {
        self.change("setMemory", move |call| {
            call.check(call.lookup()?.set_memory_flags(mib.saturating_mul(1024), sys::VIR_DOMAIN_MEM_LIVE))
        })
        .await
    }

    /// Plugs vCPUs in or out, up to the definition's `max_vcpus`.
    ///
    /// # Errors
    /// `Invalid` for an emulated guest: QEMU 7.2 was seen to abort, and the guest with it, about every other time
    /// (`tcg_region_initial_alloc__locked`).
    pub async fn set_vcpus(&self, vcpus: u32) -> Result<(), Error> {
        self.change("setVcpus", move |call| {
            if live::is_emulated(&live_xml(call)?)? {
                return Err(Error::invalid(
                    format!("vCPU change of guest {}", call.domain),
                    "it is emulated (no KVM), and QEMU may crash on that; change it while it is stopped",
                ));
            }
            call.check(call.lookup()?.set_vcpus_flags(vcpus, sys::VIR_DOMAIN_VCPU_LIVE))
        })
        .await
    }

    /// Plugs a disk in. One whose alias is plugged in already is left as it is.
    pub async fn attach_disk(&self, disk: &Disk) -> Result<(), Error> {
        self.attach(disk.to_xml()?, disk.alias.clone()).await
    }

    /// Plugs a NIC in. One whose alias is plugged in already is left as it is.
    pub async fn attach_nic(&self, nic: &Nic) -> Result<(), Error> {
        self.attach(nic.to_xml()?, nic.alias.clone()).await
    }

    /// Plugs in the device of this XML, unless a device of that alias is there already.
    pub async fn attach(&self, xml: String, alias: Option<String>) -> Result<(), Error> {
        let xml = checked(&xml)?;
        self.change("attach", move |call| {
            if let Some(alias) = alias
                && live::has_alias(&live_xml(call)?, &alias)?
            {
                return Ok(());
            }
            call.check(call.lookup()?.attach_device_flags(&xml, sys::VIR_DOMAIN_AFFECT_LIVE))
        })
        .await
    }

    /// Changes a device in place (medium of a CD-ROM, link or bridge of a NIC).
    pub async fn update(&self, xml: String) -> Result<(), Error> {
        let xml = checked(&xml)?;
        self.change("update", move |call| call.check(call.lookup()?.update_device_flags(&xml, sys::VIR_DOMAIN_AFFECT_LIVE))).await
    }

    /// Unplugs a device by its alias and waits until the guest has really given it up. One that is not there is fine.
    ///
    /// # Errors
    /// `NotReleased` when the guest still has it after `deadline`, or refused.
    pub async fn detach(&self, alias: &str, deadline: Duration) -> Result<(), Error> {
        let begin = Instant::now();
        let mut events = self.connection.subscribe();
        let c_alias = CString::new(alias).map_err(|_| Error::invalid(format!("alias {alias:?}"), "it contains a NUL"))?;
        let wanted = alias.to_owned();
        let change = self.connection.options().change;
        let asked = self.run("detach", Lane::Change, deadline.max(change), move |call| {
            if !live::has_alias(&live_xml(call)?, &wanted)? {
                return Ok(false);
            }
            match call.check(ffi::detach_alias(&call.lookup()?, &c_alias)) {
                Err(error) if error.is_no_device() => Ok(false),
                other => other.map(|()| true),
            }
        });
        if !asked.await? {
            return Ok(());
        }
        // libvirt answers 0 also when the guest did not react
        loop {
            let seen = alias.to_owned();
            if !self.query("detached", move |call| live::has_alias(&live_xml(call)?, &seen)).await? {
                return Ok(());
            }
            let left = deadline.saturating_sub(begin.elapsed());
            let mut refused = false;
            let _time_is_up = tokio::time::timeout(left.min(POLL), async {
                loop {
                    match events.recv().await {
                        Ok(Event::DeviceRemoved { domain, alias: gone }) if domain == self.name && gone == alias => break,
                        Ok(Event::DeviceRemovalFailed { domain, alias: kept }) if domain == self.name && kept == alias => {
                            refused = true;
                            break;
                        }
                        Ok(_) => {}
                        Err(_) => break, // lagged: read the definition again
                    }
                }
            })
            .await;
            if refused || left.is_zero() {
                return Err(Error::NotReleased { domain: self.name.clone(), device: alias.to_owned(), after_s: begin.elapsed().as_secs() });
            }
        }
    }

    /// Tells the guest that a disk (by target name) now has `bytes`; the image must have grown (raw) or is grown (qcow2).
    pub async fn block_resize(&self, target: &str, bytes: u64) -> Result<(), Error> {
        let target = checked(target)?;
        self.change("blockResize", move |call| call.check(call.lookup()?.block_resize(&target, bytes, sys::VIR_DOMAIN_BLOCK_RESIZE_BYTES)))
            .await
    }
}

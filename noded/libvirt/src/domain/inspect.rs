//! Reads about one guest.

use crate::connection::describe;
use crate::live::{self, Graphics, LiveDisk, LiveNic};
use crate::state::{BlockInfo, DomainInfo, State};
use crate::worker::Call;
use crate::{Domain, Error, ffi};

impl Domain {
    /// `None`: there is no domain of that name.
    pub async fn info(&self) -> Result<Option<DomainInfo>, Error> {
        self.query("info", |call| {
            let Some(domain) = call.find()? else { return Ok(None) };
            match describe(call, &domain) {
                Err(error) if error.is_no_domain() => Ok(None),
                other => other.map(Some),
            }
        })
        .await
    }

    /// `None`: there is no domain of that name.
    pub async fn state(&self) -> Result<Option<State>, Error> {
        self.query("state", |call| {
            let Some(domain) = call.find()? else { return Ok(None) };
            match call.check(ffi::state(&domain)) {
                Err(error) if error.is_no_domain() => Ok(None),
                other => other.map(Some),
            }
        })
        .await
    }

    /// The live definition, without passwords.
    pub async fn xml(&self) -> Result<String, Error> {
        self.query("xml", live_xml).await
    }

    /// The definition another libvirtd would take, passwords included: for a migration's `dest_xml`. Secret.
    pub async fn migratable_xml(&self) -> Result<String, Error> {
        self.query("migratableXml", |call| {
            let flags = virt_sys::VIR_DOMAIN_XML_MIGRATABLE | virt_sys::VIR_DOMAIN_XML_SECURE;
            call.check(call.lookup()?.xml_desc(flags))
        })
        .await
    }

    /// Sizes of a disk, by its target name (`vda`).
    pub async fn block_info(&self, target: &str) -> Result<BlockInfo, Error> {
        let target = checked(target)?;
        self.query("blockInfo", move |call| {
            let info = call.check(call.lookup()?.block_info(&target, 0))?;
            Ok(BlockInfo { capacity: info.capacity, allocation: info.allocation, physical: info.physical })
        })
        .await
    }

    /// Where the running guest's VNC or SPICE server listens; empty when it has none.
    pub async fn graphics(&self) -> Result<Vec<Graphics>, Error> {
        self.query("graphics", |call| live::graphics(&live_xml(call)?)).await
    }

    /// The pseudo terminal of the first serial port (`/dev/pts/3`); `None` when not running or without one.
    pub async fn console_pty(&self) -> Result<Option<String>, Error> {
        self.query("consolePty", |call| live::console_pty(&live_xml(call)?)).await
    }

    /// Disks of the live definition.
    pub async fn disks(&self) -> Result<Vec<LiveDisk>, Error> {
        self.query("disks", |call| live::disks(&live_xml(call)?)).await
    }

    /// NICs of the live definition, with the device names on the node.
    pub async fn nics(&self) -> Result<Vec<LiveNic>, Error> {
        self.query("nics", |call| live::nics(&live_xml(call)?)).await
    }
}

pub(super) fn live_xml(call: &Call<'_>) -> Result<String, Error> {
    call.check(call.lookup()?.xml_desc(0))
}

/// `virt` panics on a NUL in some strings.
pub(super) fn checked(text: &str) -> Result<String, Error> {
    if text.contains('\0') {
        return Err(Error::invalid(format!("{text:?}"), "it contains a NUL"));
    }
    Ok(text.to_owned())
}

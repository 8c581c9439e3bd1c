//! Domain XML, made in this module and nowhere else. Nothing is put together as text: everything goes through a writer
//! that escapes, and what XML cannot carry (control characters) is refused.

mod device;
mod element;
mod guest;
#[cfg(test)]
mod tests;

use crate::{Disk, DomainSpec, Error, Nic};

impl DomainSpec {
    /// The definition for libvirt. It contains the VNC or SPICE password: treat it as a secret.
    ///
    /// # Errors
    /// `Invalid` with what cannot be expressed: control characters, a zero size, a tap without name, …
    pub fn to_xml(&self) -> Result<String, Error> {
        guest::domain(self)?.to_xml()
    }
}

impl Disk {
    /// The device element, for hot-plug.
    pub fn to_xml(&self) -> Result<String, Error> {
        device::disk(self)?.to_xml()
    }
}

impl Nic {
    /// The device element, for hot-plug.
    pub fn to_xml(&self) -> Result<String, Error> {
        device::nic(self)?.to_xml()
    }
}

//! The addresses of a network: which belong to it, which are in use by NICs, which are kept from use. Pure.
//!
//! A NIC's address comes from here (`ip=pool`): [`Pool::first_free`], [`Pool::reserve`], then [`Pool::write`] into the network
//! that is changed together with the instance, and [`Pool::release`] when the NIC goes away.

use std::net::{IpAddr, Ipv4Addr};

use gannet_core::config::Network;

/// Prefix lengths that a network can have (`parity/params.json`: network_prefix).
const PREFIX: std::ops::RangeInclusive<u32> = 16..=30;

/// Who an address is reserved for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A NIC.
    Nic,
    /// Something outside of the cluster's instances: a gateway, a node, what the operator says.
    External,
}

/// Why an address cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a network.
    #[error("'{0}' is no IPv4 network with a prefix length from 16 to 30")]
    Network(String),
    /// Of another network.
    #[error("the address {address} does not belong to the network {network}")]
    Outside {
        /// Which address.
        address: Ipv4Addr,
        /// Which network.
        network: String,
    },
    /// It is taken.
    #[error("the address {0} is reserved already")]
    Reserved(Ipv4Addr),
    /// It is free.
    #[error("the address {0} is not reserved")]
    Free(Ipv4Addr),
}

/// The addresses of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    base: Ipv4Addr,
    prefix: u32,
    nics: Vec<bool>,
    external: Vec<bool>,
}

impl Pool {
    /// A new one: all free, but for the address of the network itself and its broadcast address.
    ///
    /// # Errors
    /// [`Error::Network`].
    pub fn new(network: &str) -> Result<Self, Error> {
        let invalid = || Error::Network(network.to_owned());
        let (address, prefix) = network.split_once('/').ok_or_else(invalid)?;
        let address: Ipv4Addr = address.parse().map_err(|_| invalid())?;
        let prefix: u32 = prefix.parse().ok().filter(|prefix| PREFIX.contains(prefix)).ok_or_else(invalid)?;
        let base = Ipv4Addr::from(u32::from(address) & (u32::MAX << (32 - prefix)));
        let size = 1 << (32 - prefix);
        let mut external = vec![false; size];
        (external[0], external[size - 1]) = (true, true);
        Ok(Self { base, prefix, nics: vec![false; size], external })
    }

    /// That of a network of the configuration.
    ///
    /// # Errors
    /// [`Error::Network`]: its network, or one of its maps, is not what it must be.
    pub fn of(network: &Network) -> Result<Self, Error> {
        let mut pool = Self::new(&network.network)?;
        for (map, text) in [(&mut pool.nics, &network.reservations), (&mut pool.external, &network.ext_reservations)] {
            let Some(text) = text else { continue };
            if text.len() != map.len() {
                return Err(Error::Network(network.network.clone()));
            }
            *map = text.bytes().map(|bit| bit == b'1').collect();
        }
        Ok(pool)
    }

    /// Puts the reservations into the network.
    pub fn write(&self, network: &mut Network) {
        let text = |map: &[bool]| map.iter().map(|bit| if *bit { '1' } else { '0' }).collect();
        network.network = self.network();
        network.reservations = Some(text(&self.nics));
        network.ext_reservations = Some(text(&self.external));
    }

    /// `a.b.c.d/n`, without bits of a host.
    #[must_use]
    pub fn network(&self) -> String {
        format!("{}/{}", self.base, self.prefix)
    }

    /// Whether the address belongs to the network.
    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        self.index(address).is_ok()
    }

    /// The same for the text of an address; a text that is none, or of another family, does not.
    #[must_use]
    pub fn contains_text(&self, address: &str) -> bool {
        matches!(address.parse(), Ok(IpAddr::V4(address)) if self.contains(address))
    }

    /// Whether the address is reserved, for whomever.
    ///
    /// # Errors
    /// [`Error::Outside`].
    pub fn is_reserved(&self, address: Ipv4Addr) -> Result<bool, Error> {
        self.index(address).map(|index| self.nics[index] || self.external[index])
    }

    /// Whether the address is reserved for what is outside.
    ///
    /// # Errors
    /// [`Error::Outside`].
    pub fn is_external(&self, address: Ipv4Addr) -> Result<bool, Error> {
        self.index(address).map(|index| self.external[index])
    }

    /// Reserves an address.
    ///
    /// # Errors
    /// [`Error::Outside`], [`Error::Reserved`].
    pub fn reserve(&mut self, address: Ipv4Addr, kind: Kind) -> Result<(), Error> {
        if self.is_reserved(address)? {
            return Err(Error::Reserved(address));
        }
        self.set(address, kind, true)
    }

    /// Gives an address back.
    ///
    /// # Errors
    /// [`Error::Outside`], [`Error::Free`].
    pub fn release(&mut self, address: Ipv4Addr, kind: Kind) -> Result<(), Error> {
        let index = self.index(address)?;
        let map = if kind == Kind::Nic { &self.nics } else { &self.external };
        if !map[index] {
            return Err(Error::Free(address));
        }
        self.set(address, kind, false)
    }

    /// The first address that is free; `None` when the network is full.
    #[must_use]
    pub fn first_free(&self) -> Option<Ipv4Addr> {
        let index = self.nics.iter().zip(&self.external).position(|(nic, external)| !nic && !external)?;
        Some(self.address(index))
    }

    fn set(&mut self, address: Ipv4Addr, kind: Kind, value: bool) -> Result<(), Error> {
        let index = self.index(address)?;
        let map = if kind == Kind::Nic { &mut self.nics } else { &mut self.external };
        map[index] = value;
        Ok(())
    }

    fn index(&self, address: Ipv4Addr) -> Result<usize, Error> {
        let offset = u32::from(address).checked_sub(u32::from(self.base)).map(|offset| offset as usize);
        offset.filter(|offset| *offset < self.nics.len()).ok_or_else(|| Error::Outside { address, network: self.network() })
    }

    fn address(&self, index: usize) -> Ipv4Addr {
        // The index is one of a map, which has at most 2^16 places.
        Ipv4Addr::from(u32::from(self.base) + u32::try_from(index).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests;

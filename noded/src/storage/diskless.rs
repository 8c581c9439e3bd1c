//! `diskless`: an instance without disks. There is nothing to do, and doing it always works.

use std::fs::File;
use std::path::Path;

use async_trait::async_trait;
use gannet_core::quantity::Mib;
use gannet_proto::node::{DiskRef, DiskState};

use super::copy::Target;
use super::{Assembled, BlockDevice, Created, Error, InPlace};

/// A disk that does not exist by definition.
pub(super) struct Diskless {
    uuid: String,
}

impl Diskless {
    pub(super) fn new(disk: &DiskRef) -> Self {
        Self { uuid: disk.uuid.clone() }
    }
}

#[async_trait]
impl BlockDevice for Diskless {
    async fn create(&self, _: InPlace) -> Result<Created, Error> {
        Ok(Created::New)
    }

    async fn remove(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn assemble(&self, _: &str) -> Result<Assembled, Error> {
        Ok(Assembled::default())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn grow(&self, _: Mib, _: bool) -> Result<(), Error> {
        Err(Error::Invalid("a diskless instance has no disk to grow".to_owned()))
    }

    async fn rename(&self, _: &DiskRef) -> Result<(), Error> {
        Ok(())
    }

    async fn info(&self) -> Result<DiskState, Error> {
        Ok(DiskState { uuid: self.uuid.clone(), ..DiskState::default() })
    }

    async fn wipe(&self, _: Mib, _: Mib) -> Result<(), Error> {
        Err(Error::Invalid("a diskless instance has no disk to wipe".to_owned()))
    }

    fn path(&self) -> Option<&Path> {
        None
    }

    fn source(&self) -> Result<File, Error> {
        Err(Error::Invalid("a diskless instance has no disk to copy".to_owned()))
    }

    fn target(&self) -> Result<Target, Error> {
        Err(Error::Invalid("a diskless instance has no disk to copy to".to_owned()))
    }
}

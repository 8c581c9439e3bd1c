//! Devices that come and go while the guest runs.

use std::time::Duration;

use gannet_libvirt::{Bus, Domain};
use gannet_proto::node::{DiskRef, Instance, Nic};

use super::{Kvm, device, params};
use crate::hypervisor::{Device, Error, Hotplug};
use crate::net::{self, Owner, device_name};

/// How long a guest may take to give a device up.
const RELEASE: Duration = Duration::from_secs(30);

impl Kvm {
    pub(super) async fn change_device(&self, instance: &Instance, change: &Hotplug) -> Result<(), Error> {
        let domain = self.running(&instance.name).await?;
        match change {
            Hotplug::AddNic(nic) => self.add_nic(&domain, instance, nic).await?,
            Hotplug::RemoveNic(nic) => domain.detach(&device::nic_alias(nic), RELEASE).await?,
            Hotplug::ModifyNic(nic) => {
                net::check(&self.paths, &self.node, index_of(instance, nic), nic)?;
                domain.detach(&device::nic_alias(nic), RELEASE).await?;
                self.add_nic(&domain, instance, nic).await?;
            }
            Hotplug::AddDisk(disk) => return self.add_disk(&domain, instance, disk).await,
            Hotplug::RemoveDisk(disk) => return remove_disk(&domain, disk).await,
        }
        self.write_nic_files(instance);
        Ok(())
    }

    /// All of them anew: a NIC that came or went has moved those behind it. Only for other tools, so a failure is only logged.
    fn write_nic_files(&self, instance: &Instance) {
        let files = self.files(&instance.name);
        let written = files.nics().remove().and_then(|()| {
            instance.nics.iter().enumerate().try_for_each(|(index, nic)| files.nics().write(index, &device_name(&nic.uuid)))
        });
        if let Err(error) = written {
            tracing::warn!(instance = instance.name, %error, "no NIC files");
        }
    }

    async fn add_nic(&self, domain: &Domain, instance: &Instance, nic: &Nic) -> Result<(), Error> {
        let index = index_of(instance, nic);
        net::check(&self.paths, &self.node, index, nic)?;
        let made = device::nic(&params::filled(instance), nic, net::needs_setup(&self.paths, nic))?;
        domain.attach_nic(&made).await?;
        let name = device_name(&nic.uuid);
        if let Err(error) = net::set_up(&self.paths, &Owner { node: &self.node, instance }, index, nic, &name).await {
            if let Err(left) = domain.detach(&device::nic_alias(nic), RELEASE).await {
                tracing::error!(instance = instance.name, %left, "a NIC that could not be set up stays plugged in");
            }
            return Err(error.into());
        }
        Ok(())
    }

    async fn add_disk(&self, domain: &Domain, instance: &Instance, disk: &Device) -> Result<(), Error> {
        let params = params::filled(instance);
        let alias = device::disk_alias(&disk.disk);
        let present = domain.disks().await?;
        if present.iter().any(|one| one.alias.as_deref() == Some(&alias)) {
            return Ok(());
        }
        let mut made = device::disk(&params, disk, 0)?;
        if !matches!(made.bus, Bus::Virtio | Bus::Scsi) {
            return Err(Error::Unsupported(format!("a disk with disk_type={} cannot be hot-plugged", params.text("disk_type"))));
        }
        // one of the first places is free: a guest has fewer disks than this
        let free = (0..=present.len()).map(|index| made.bus.target(index)).find(|target| !present.iter().any(|one| one.target == *target));
        made.target = free.ok_or_else(|| Error::Failed("no free place for the disk".to_owned()))?;
        Ok(domain.attach_disk(&made).await?)
    }
}

async fn remove_disk(domain: &Domain, disk: &DiskRef) -> Result<(), Error> {
    Ok(domain.detach(&device::disk_alias(disk), RELEASE).await?)
}

/// The NIC's place among those of its instance; behind the last for one that is not configured yet.
fn index_of(instance: &Instance, nic: &Nic) -> usize {
    instance.nics.iter().position(|known| known.uuid == nic.uuid).unwrap_or(instance.nics.len())
}

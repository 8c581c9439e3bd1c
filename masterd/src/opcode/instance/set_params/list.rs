//! Which device of an instance a modification means. Pure.

use gannet_core::config::{Disk, Nic};
use gannet_core::error::ErrorCode;
use gannet_core::opcode::ModTarget;

use crate::refusal::Refusal;

/// What is found by position, UUID or name.
pub(super) trait Device {
    fn uuid(&self) -> &str;
    fn name(&self) -> Option<&str>;
}

impl Device for Nic {
    fn uuid(&self) -> &str {
        self.uuid.as_str()
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl Device for Disk {
    fn uuid(&self) -> &str {
        self.uuid.as_str()
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// The place of the device that `target` means.
pub(super) fn find<T: Device>(kind: &str, list: &[T], target: &ModTarget) -> Result<usize, Refusal> {
    match number(target) {
        Ok(-1) if !list.is_empty() => Ok(list.len() - 1),
        Ok(index) => position(index, list.len()).filter(|index| *index < list.len()).ok_or_else(|| out_of_range(kind, index, list.len())),
        Err(name) => list
            .iter()
            .position(|device| device.uuid() == name || device.name() == Some(name))
            .ok_or_else(|| Refusal::new(ErrorCode::NoEntity, format!("Cannot find {kind} with identifier {name}"))),
    }
}

/// The place where a new device goes: before the one that is there, or behind the last.
pub(super) fn place(kind: &str, length: usize, target: &ModTarget) -> Result<usize, Refusal> {
    match number(target) {
        Ok(-1) => Ok(length),
        Ok(index) => position(index, length).ok_or_else(|| out_of_range(kind, index, length)),
        Err(_) => Err(Refusal::invalid("Only positive integer or -1 is accepted")),
    }
}

fn position(index: i64, length: usize) -> Option<usize> {
    usize::try_from(index).ok().filter(|index| *index <= length)
}

fn out_of_range(kind: &str, index: i64, length: usize) -> Refusal {
    if index < -1 {
        return Refusal::invalid("Not accepting negative indices other than -1");
    }
    Refusal::invalid(format!("Got {kind} index {index}, but there are only {length}"))
}

/// A position, or a name or UUID. A text of digits is a position: names of devices are never numbers.
fn number(target: &ModTarget) -> Result<i64, &str> {
    match target {
        ModTarget::Index(index) => Ok(*index),
        ModTarget::Name(text) => text.parse().map_err(|_| text.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample;

    fn nics() -> Vec<Nic> {
        let mut nics: Vec<Nic> = (1..=3).flat_map(|n| sample::instance(n, 1).nics).collect();
        nics[1].name = Some("wan".to_owned());
        nics
    }

    fn by_name(text: &str) -> ModTarget {
        ModTarget::Name(text.to_owned())
    }

    #[test]
    fn a_device_is_found_by_position_uuid_or_name() {
        let nics = nics();
        let found = |target: ModTarget| find("NIC", &nics, &target).map_err(|refusal| refusal.message);
        assert_eq!(found(ModTarget::LAST), Ok(2));
        assert_eq!(found(ModTarget::Index(1)), Ok(1));
        assert_eq!(found(by_name("1")), Ok(1));
        assert_eq!(found(by_name("wan")), Ok(1));
        assert_eq!(found(by_name(nics[2].uuid.as_str())), Ok(2));
        assert_eq!(found(by_name("lan")), Err("Cannot find NIC with identifier lan".to_owned()));
        assert_eq!(found(ModTarget::Index(3)), Err("Got NIC index 3, but there are only 3".to_owned()));
        assert_eq!(found(ModTarget::Index(-2)), Err("Not accepting negative indices other than -1".to_owned()));
        assert_eq!(
            find("NIC", &Vec::<Nic>::new(), &ModTarget::LAST).map_err(|refusal| refusal.message),
            Err("Got NIC index -1, but there are only 0".to_owned())
        );
    }

    #[test]
    fn a_new_device_goes_to_a_position() {
        let found = |target: ModTarget| place("disk", 2, &target).map_err(|refusal| refusal.message);
        assert_eq!(found(ModTarget::LAST), Ok(2));
        assert_eq!(found(ModTarget::Index(0)), Ok(0));
        assert_eq!(found(ModTarget::Index(2)), Ok(2));
        assert_eq!(found(ModTarget::Index(3)), Err("Got disk index 3, but there are only 2".to_owned()));
        assert_eq!(found(by_name("data")), Err("Only positive integer or -1 is accepted".to_owned()));
    }
}

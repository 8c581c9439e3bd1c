//! The NIC files that other tools read: `RUN_DIR/kvm-hypervisor/nic/INSTANCE/INDEX` holds the device's name.

use std::path::PathBuf;
use std::{fs, io};

use gannet_core::paths::Paths;

/// Longest name of a network device in the kernel.
const MAX_NAME: usize = 15;

/// The name of a NIC's device on its node, always the same for the same NIC.
#[must_use]
pub fn device_name(nic_uuid: &str) -> String {
    let digits: String = nic_uuid.chars().filter(char::is_ascii_hexdigit).collect();
    let prefix = "gnt";
    format!("{prefix}{}", digits.get(..MAX_NAME - 1 - prefix.len()).unwrap_or(&digits))
}

/// The NIC files of one instance.
pub struct NicFiles {
    directory: PathBuf,
}

impl NicFiles {
    /// Of this instance.
    #[must_use]
    pub fn new(paths: &Paths, instance: &str) -> Self {
        Self { directory: paths.run_dir().join("kvm-hypervisor/nic").join(instance) }
    }

    /// Writes the file of one NIC.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, index: usize, device: &str) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        fs::write(self.directory.join(index.to_string()), device)
    }

    /// Removes all of them.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_fit_the_kernel() {
        let name = device_name("7a3b1c2d-0000-4000-8000-000000000001");
        assert_eq!(name, "gnt7a3b1c2d000");
        assert!(name.len() <= MAX_NAME);
        assert_eq!(device_name("7a"), "gnt7a");
    }

    #[test]
    fn one_file_for_each_nic() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let files = NicFiles::new(&Paths::new(Some(root.path().to_owned())), "web1");
        files.write(0, "gnt1").expect("write");
        let path = root.path().join("run/ganeti/kvm-hypervisor/nic/web1/0");
        assert_eq!(fs::read_to_string(&path).expect("read"), "gnt1");
        files.remove().expect("remove");
        files.remove().expect("remove again");
        assert!(!path.exists());
    }
}

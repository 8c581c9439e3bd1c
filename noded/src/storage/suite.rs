//! What every kind of disk must do, and a node to do it on.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};

use gannet_core::paths::Paths;
use gannet_core::quantity::Mib;
use gannet_proto::node::DiskRef;

use super::*;

/// A node in a temporary directory, with the default directories for file storage.
pub(crate) struct Node {
    pub(crate) root: tempfile::TempDir,
    pub(crate) paths: Paths,
}

impl Node {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::new(Some(root.path().to_owned()));
        let node = Self { root, paths };
        fs::create_dir_all(node.paths.conf_dir()).unwrap();
        for dir in ["/srv/ganeti/file-storage", "/srv/ganeti/shared-file-storage"] {
            fs::create_dir_all(node.paths.at(dir)).unwrap();
        }
        node.allow("# comment\n/srv/ganeti/file-storage\n\n/srv/ganeti/shared-file-storage\n");
        node
    }

    pub(crate) fn allow(&self, list: &str) {
        fs::write(self.paths.file_storage_paths_file(), list).unwrap();
    }
}

/// A disk of `instance` on file storage.
pub(crate) fn disk(instance: &str, format: &str, size_mib: u64) -> DiskRef {
    let uuid = uuid::Uuid::new_v4().to_string();
    DiskRef {
        logical_first: "loop".into(),
        logical_second: format!("/srv/ganeti/file-storage/{instance}/{uuid}.file.disk0"),
        dev_type: "file".into(),
        format: format.into(),
        mode: "rw".into(),
        size_mib,
        uuid,
        ..DiskRef::default()
    }
}

fn device(node: &Node, disk: &DiskRef) -> Box<dyn BlockDevice> {
    open(&node.paths, disk).unwrap()
}

fn shared(format: &str) -> DiskRef {
    let mut disk = disk("web1", format, 16);
    disk.dev_type = "sharedfile".into();
    disk.logical_second = disk.logical_second.replace("file-storage", "shared-file-storage");
    disk
}

/// The whole life of a disk, every step twice.
async fn life(disk: DiskRef) {
    let node = Node::new();
    let device = device(&node, &disk);
    assert!(!device.info().await.unwrap().exists);
    assert_eq!(device.create(InPlace::OnlyItself).await.unwrap(), Created::New);
    assert_eq!(device.create(InPlace::OnlyItself).await.unwrap(), Created::Existed);
    let path = device.path().unwrap().to_owned();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let info = device.info().await.unwrap();
    assert_eq!((info.exists, info.size_mib), (true, 16));
    assert!(info.allocated_mib <= 1, "not sparse");

    let link = node.paths.run_dir().join("instance-disks/web1:0");
    for _ in 0..2 {
        assert_eq!(device.assemble("web1").await.unwrap().path, path.to_string_lossy());
        assert_eq!(fs::read_link(&link).unwrap(), path);
    }
    device.grow(Mib(20), true).await.unwrap();
    assert_eq!(device.info().await.unwrap().size_mib, 16);
    for size in [20, 20, 10] {
        device.grow(Mib(size), false).await.unwrap();
        assert_eq!(device.info().await.unwrap().size_mib, 20);
    }
    for _ in 0..2 {
        device.shutdown().await.unwrap();
        assert!(fs::symlink_metadata(&link).is_err());
    }
    let new = DiskRef { logical_second: disk.logical_second.replace("web1", "web2"), size_mib: 20, ..disk.clone() };
    for _ in 0..2 {
        device.rename(&new).await.unwrap();
    }
    assert!(!device.info().await.unwrap().exists);
    assert!(!path.parent().unwrap().exists(), "the old directory is left");
    let renamed = open(&node.paths, &new).unwrap();
    assert_eq!(renamed.create(InPlace::OnlyItself).await.unwrap(), Created::Existed);
    for _ in 0..2 {
        renamed.remove().await.unwrap();
        assert!(!renamed.path().unwrap().parent().unwrap().exists());
    }
}

#[tokio::test]
async fn raw_files() {
    life(disk("web1", "raw", 16)).await;
}

#[tokio::test]
async fn qcow2_files() {
    life(disk("web1", "qcow2", 16)).await;
}

#[tokio::test]
async fn shared_files() {
    life(shared("raw")).await;
}

#[tokio::test]
async fn no_disk_at_all() {
    let node = Node::new();
    let none = device(&node, &DiskRef { dev_type: "diskless".into(), ..DiskRef::default() });
    for _ in 0..2 {
        none.create(InPlace::OnlyItself).await.unwrap();
        assert_eq!(none.assemble("web1").await.unwrap(), Assembled::default());
        none.shutdown().await.unwrap();
        none.remove().await.unwrap();
    }
    assert!(!none.info().await.unwrap().exists);
    assert!(none.grow(Mib(1), false).await.is_err());
}

#[tokio::test]
async fn other_templates_say_so() {
    let node = Node::new();
    for template in ["plain", "drbd", "rbd", "ext", "gluster", "blockdev"] {
        let disk = DiskRef { dev_type: template.into(), ..disk("web1", "raw", 1) };
        let error = open(&node.paths, &disk).err().unwrap();
        assert!(error.to_string().contains("not built yet"), "{error}");
    }
}

#[tokio::test]
async fn a_foreign_file_is_left_alone() {
    let node = Node::new();
    let disk = disk("web1", "raw", 1);
    let device = device(&node, &disk);
    let path = device.path().unwrap().to_owned();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "precious").unwrap();
    assert!(matches!(device.create(InPlace::OnlyItself).await, Err(Error::InTheWay { .. })));
    assert!(matches!(device.create(InPlace::MayAdopt).await, Err(Error::InTheWay { .. })), "too small to be adopted");
    // The undo of a creation that was refused must not remove it either.
    owner::remove(&path).unwrap();
    assert!(matches!(device.remove().await, Err(Error::InTheWay { .. })));
    assert!(matches!(device.wipe(Mib(0), Mib(0)).await, Err(Error::InTheWay { .. })));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}

#[tokio::test]
async fn another_disk_in_the_same_place_is_left_alone() {
    let node = Node::new();
    let mine = disk("web1", "raw", 1);
    device(&node, &mine).create(InPlace::OnlyItself).await.unwrap();
    let other = DiskRef { uuid: uuid::Uuid::new_v4().to_string(), ..mine.clone() };
    for place in [InPlace::OnlyItself, InPlace::MayAdopt] {
        let error = device(&node, &other).create(place).await.unwrap_err();
        assert!(error.to_string().contains(&mine.uuid), "{error}");
    }
    assert!(device(&node, &other).remove().await.is_err());
    assert!(device(&node, &other).assemble("web1").await.is_err());
    assert!(device(&node, &mine).info().await.unwrap().exists);
}

#[tokio::test]
async fn a_file_of_ganeti_is_adopted_when_asked_or_activated() {
    let node = Node::new();
    let disk = disk("web1", "raw", 1);
    let device = device(&node, &disk);
    let path = device.path().unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, vec![5; 1 << 20]).unwrap();
    assert_eq!(device.create(InPlace::MayAdopt).await.unwrap(), Created::Existed);
    assert_eq!(fs::read(path).unwrap(), vec![5; 1 << 20]);
    owner::remove(path).unwrap();
    device.assemble("web1").await.unwrap();
    device.remove().await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_killed_creation_is_done_again() {
    let node = Node::new();
    let disk = disk("web1", "raw", 1);
    let device = device(&node, &disk);
    let path = device.path().unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // killed after the image was made and the owner was written, before it got its name
    let temporary = path.with_file_name(format!(".{}.{}.new", path.file_name().unwrap().to_string_lossy(), disk.uuid));
    fs::write(&temporary, "half").unwrap();
    owner::write(path, &disk.uuid).unwrap();
    assert_eq!(device.create(InPlace::OnlyItself).await.unwrap(), Created::New);
    assert!(!temporary.exists());
    // and undone: nothing is left
    fs::write(&temporary, "half").unwrap();
    device.remove().await.unwrap();
    assert!(!path.parent().unwrap().exists());
}

#[tokio::test]
async fn too_large_for_the_file_system() {
    let node = Node::new();
    let disk = disk("web1", "raw", 1 << 40);
    let error = device(&node, &disk).create(InPlace::OnlyItself).await.unwrap_err();
    assert!(matches!(error, Error::NoSpace { .. }), "{error}");
    assert!(!device(&node, &disk).info().await.unwrap().exists);
}

#[tokio::test]
async fn wiping_writes_zeros() {
    let node = Node::new();
    let disk = disk("web1", "raw", 3);
    let device = device(&node, &disk);
    device.create(InPlace::OnlyItself).await.unwrap();
    let file = fs::OpenOptions::new().read(true).write(true).open(device.path().unwrap()).unwrap();
    file.write_all_at(&[1; 3 << 20], 0).unwrap();
    device.wipe(Mib(1), Mib(1)).await.unwrap();
    let content = fs::read(device.path().unwrap()).unwrap();
    assert!(content[..1 << 20].iter().all(|b| *b == 1) && content[1 << 20..2 << 20].iter().all(|b| *b == 0) && content[2 << 20] == 1);
    assert!(device.wipe(Mib(2), Mib(2)).await.is_err());
}

/// The file system is a tmpfs of 1 MiB that is mounted in a namespace of a child process: this test program again.
#[tokio::test]
async fn a_full_file_system_leaves_nothing_behind() {
    let node = Node::new();
    let mount =
        "mount -t tmpfs -o size=1m tmpfs \"$DIR\" && exec \"$0\" --exact --ignored --nocapture storage::suite::on_a_full_file_system";
    let mut unshare = vec!["-m"];
    if !nix::unistd::geteuid().is_root() {
        unshare.push("-r");
    }
    let output = crate::run::Program::new("unshare")
        .args(unshare)
        .args(["sh", "-c", mount])
        .arg(std::env::current_exe().unwrap())
        .env("DIR", node.paths.at("/srv/ganeti/file-storage"))
        .env("ROOT", node.root.path())
        .output()
        .await
        .unwrap();
    assert!(output.text().contains("1 passed"), "{}", output.text());
}

#[tokio::test]
#[ignore = "run by the test above, where the file system is small"]
async fn on_a_full_file_system() {
    let paths = Paths::new(Some(std::env::var_os("ROOT").unwrap().into()));
    let dir = paths.at("/srv/ganeti/file-storage");
    let filler = dir.join("filler");
    assert!(fs::write(&filler, vec![1; 2 << 20]).is_err(), "the file system is not small");
    for format in ["raw", "qcow2"] {
        let disk = DiskRef { size_mib: 0, ..disk("web1", format, 0) };
        let device = open(&paths, &disk).unwrap();
        let error = device.create(InPlace::OnlyItself).await.unwrap_err();
        assert!(matches!(error, Error::Full { .. }), "{format}: {}", error.chain());
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "{format}: only the filler");
        assert!(matches!(
            open(&paths, &DiskRef { size_mib: 1, ..disk }).unwrap().create(InPlace::OnlyItself).await,
            Err(Error::NoSpace { .. })
        ));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "{format}: only the filler");
    }
}

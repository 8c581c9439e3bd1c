//! Debian's own Ganeti (3.0.2 on Debian 12) on one node of namespaces, to be measured and asked beside Gannet.
//!
//! The node has its own network, `/etc`, `/run`, `/srv`, `/var/lib/ganeti` and `/var/log`, all below one directory; hypervisor
//! `fake`, template `diskless`. It needs root and the packages of `cargo xtask packages peer`. Nothing of the machine's own
//! Ganeti is touched, and nothing is left when the value or its process ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use gannet_core::luxi;
use nix::sched::{CloneFlags, setns};
use serde_json::Value;

use crate::output::{self, Output};
use crate::rapi;
use crate::wait::wait_for;

/// Full name of the node.
pub const NODE: &str = "node1.peer.example";
const CLUSTER: &str = "cluster.peer.example";
const RAPI: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 11), 5080);
const USER: &str = "bench";
const PASSWORD: &str = "bench";
const HOSTS: &str = "127.0.0.1 localhost\n198.51.100.10 cluster.peer.example cluster\n198.51.100.11 node1.peer.example node1\n";
const DAEMON_UTIL: &str = "/usr/lib/ganeti/daemon-util";
const LIMIT: Duration = Duration::from_secs(180);
/// Instances may be tiny: a thousand of them are on the one node.
const BOUNDS: &str = "min:cpu-count=1,disk-count=0,disk-size=16,memory-size=8,nic-count=0,spindle-use=1\
    /max:cpu-count=16,disk-count=16,disk-size=1048576,memory-size=32768,nic-count=8,spindle-use=12";

/// A running cluster of one node.
#[derive(Debug)]
pub struct Peer {
    dir: PathBuf,
    keeper: Child,
    /// Pid 1 of the node, as the machine numbers it.
    init: i32,
}

impl Peer {
    /// Starts the node and makes the cluster.
    ///
    /// # Errors
    /// Not root, packages that are missing, or it does not come up.
    pub fn start() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        ensure!(nix::unistd::geteuid().is_root(), "Debian's Ganeti runs in namespaces, which needs root");
        ensure!(Path::new(DAEMON_UTIL).exists(), "Debian's Ganeti is not installed: `cargo xtask packages peer` installs it");
        let dir = PathBuf::from(format!("/tmp/gannet-peer-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        prepare(&dir)?;
        let mut keeper = Command::new("sh")
            .args(["-c", include_str!("peer/keeper.sh"), "keeper"])
            .arg(&dir)
            .arg(include_str!("peer/node.sh"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Away from the terminal's Ctrl-C: it has to clean up.
            .process_group(0)
            .spawn()
            .context("cannot run sh")?;
        let mut line = String::new();
        let said = keeper.stdout.take().context("the keeper has no output")?;
        BufReader::new(said).read_line(&mut line)?;
        let outer: i32 = line.trim().parse().context("the keeper of the node says no number")?;
        let mut peer = Self { dir, keeper, init: 0 };
        peer.init = wait_for("pid 1 of Ganeti's node", Duration::from_secs(20), || {
            let children = fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).ok()?;
            children.trim().parse().ok().filter(|_| peer.dir.join("up").exists())
        })
        .with_context(|| fs::read_to_string(peer.dir.join("node.log")).unwrap_or_default())?;
        peer.make_cluster()?;
        Ok(peer)
    }

    fn make_cluster(&self) -> Result<()> {
        let mut init = self.command("gnt-cluster");
        init.args(["init", "--no-ssh-init", "--no-etc-hosts", "--enabled-hypervisors", "fake", "--enabled-disk-templates", "diskless"]);
        init.args(["--master-netdev", "eth0", "--nic-parameters", "mode=bridged,link=gnt-br0", "--ipolicy-bounds-specs", BOUNDS]);
        init.args(["--ipolicy-vcpu-ratio", "100000", "--ipolicy-spindle-ratio", "100000", CLUSTER]);
        good(&mut init)?;
        let users = self.dir.join("lib/rapi/users");
        fs::write(&users, format!("{USER} {PASSWORD} write\n"))?;
        fs::set_permissions(&users, fs::Permissions::from_mode(0o644))?;
        // Ganeti makes a certificate of version 1 for itself, which rustls does not read. Who may read the file stays as it is.
        let own = rcgen::generate_simple_self_signed(vec![RAPI.ip().to_string()])?;
        fs::write(self.dir.join("lib/rapi.pem"), own.signing_key.serialize_pem() + &own.cert.pem())?;
        // RAPI watches the file, but not one that was not there when it began.
        self.daemon_util(&["stop", "ganeti-rapi"])?;
        self.daemon_util(&["start", "ganeti-rapi"])?;
        good(self.command("gnt-cluster").args(["watcher", "pause", "1d"]))
    }

    /// A program on the node.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.init.to_string(), "-n", "-m", "-u", "-p", "-i", "env", "-i", "HOME=/root", "LC_ALL=C.UTF-8"]);
        command.arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").arg(program);
        command
    }

    /// Runs `daemon-util`.
    ///
    /// # Errors
    /// It fails.
    pub fn daemon_util(&self, arguments: &[&str]) -> Result<()> {
        good(self.command(DAEMON_UTIL).args(arguments))
    }

    /// A connection to the master daemon; waits until it listens.
    ///
    /// # Errors
    /// Nobody does.
    pub fn luxi(&self) -> Result<luxi::Client> {
        let socket = PathBuf::from(format!("/proc/{}/root/run/ganeti/socket/ganeti-query", self.init));
        wait_for("Ganeti's luxid", Duration::from_secs(30), || luxi::Client::connect(&socket).ok())
    }

    /// A connection to RAPI, with the right to write.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn rapi(&self) -> Result<rapi::Connection> {
        let namespace = fs::File::open(format!("/proc/{}/ns/net", self.init))?;
        // A socket stays in the network that its thread was in when it was made.
        let connect = move || -> Result<TcpStream> {
            setns(namespace, CloneFlags::CLONE_NEWNET).context("cannot enter the node's network")?;
            wait_for("Ganeti's RAPI", Duration::from_secs(30), || TcpStream::connect(RAPI).ok())
        };
        let stream = std::thread::spawn(connect).join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        rapi::Connection::over(stream, &RAPI.to_string(), &self.dir.join("lib/rapi.pem"), USER, PASSWORD)
    }

    /// Resident memory of each process of Ganeti's daemons.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn daemons(&self) -> Result<Vec<(String, i32)>> {
        let own = fs::read_link(format!("/proc/{}/ns/pid", self.init))?;
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
            // Processes end while this looks at them.
            if fs::read_link(format!("/proc/{pid}/ns/pid")).ok().as_ref() != Some(&own) {
                continue;
            }
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words = command.split(|byte| *byte == 0).take(2).map(|word| String::from_utf8_lossy(word).into_owned());
            let names = words.filter_map(|word| Some(word.rsplit_once('/')?.1.to_owned()));
            found.extend(names.filter(|name| name.starts_with("ganeti-")).take(1).map(|name| (name, pid)));
        }
        Ok(found)
    }

    /// Brings the number of instances to `count` with copies of `example`, written into the configuration while the daemons
    /// are stopped: creating them by jobs would take a quarter of an hour. Copies run if the example does.
    ///
    /// # Errors
    /// No such instance, or the daemons do not start again.
    pub fn grow(&self, example: &str, count: usize) -> Result<()> {
        self.daemon_util(&["stop-all"])?;
        let path = self.dir.join("lib/config.data");
        let mut config: Value = serde_json::from_slice(&fs::read(&path)?)?;
        let instances = config["instances"].as_object_mut().context("no instances in config.data")?;
        let pattern = instances.values().find(|instance| instance["name"] == example).cloned().context("no such instance")?;
        let have = instances.len();
        let guests = PathBuf::from(format!("/proc/{}/root/run/ganeti/fake-hypervisor", self.init));
        let guest = fs::read_to_string(guests.join(example)).ok();
        for number in have..count {
            let (name, uuid) = (format!("copy{number}"), format!("00000000-0000-4000-8000-{number:012x}"));
            let mut copy = pattern.clone();
            copy["name"] = name.as_str().into();
            copy["uuid"] = uuid.as_str().into();
            instances.insert(uuid, copy);
            if let Some(guest) = &guest {
                fs::write(guests.join(&name), guest)?;
            }
        }
        config["serial_no"] = (config["serial_no"].as_u64().unwrap_or(1) + 1).into();
        // In place: owner and mode stay.
        fs::write(&path, serde_json::to_vec(&config)?)?;
        self.daemon_util(&["start-all"])
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let keeper = &mut self.keeper;
        if let Err(error) = wait_for("the end of Ganeti's node", Duration::from_secs(30), || keeper.try_wait().ok().flatten()) {
            eprintln!("{error:#}");
        }
    }
}

/// The node's directories.
fn prepare(dir: &Path) -> Result<()> {
    for name in ["lib", "log/ganeti", "srv/ganeti"] {
        fs::create_dir_all(dir.join(name)).with_context(|| format!("cannot create {}", dir.display()))?;
    }
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
    let etc = dir.join("etc");
    good(Command::new("cp").args(["-a", "/etc"]).arg(&etc))?;
    // A link that leads out of here must not be written through.
    let put = |name: &str, text: &str| -> Result<()> {
        let path = etc.join(name);
        if fs::symlink_metadata(&path).is_ok() {
            fs::remove_file(&path)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    fs::create_dir_all(etc.join("default"))?;
    put("hosts", HOSTS)?;
    put("hostname", &format!("{NODE}\n"))?;
    put("resolv.conf", "")?;
    put("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n")?;
    put("default/ganeti", "RAPI_ARGS=\"-b 0.0.0.0 --require-authentication\"\n")
}

fn good(command: &mut Command) -> Result<()> {
    let output: Output = output::run(command, LIMIT)?;
    if output.code() != 0 {
        bail!("{}", output.describe());
    }
    Ok(())
}

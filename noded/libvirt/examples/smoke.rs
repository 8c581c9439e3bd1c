//! Tries the crate on two libvirtds that share a file system and can reach each other, and prints a time per step.
//!
//! `smoke URI1 IP1 URI2 IP2 BRIDGE SECTOR_GUEST SHARED_DIR LOCAL_DIR [KERNEL INITRD] [-- COMMAND…]`
//!
//! SECTOR_GUEST: a 512-byte boot sector that writes a counter to sector 1 each second, echoes its serial console and
//! obeys the power button. SHARED_DIR: seen as the same path by both daemons and by this program. LOCAL_DIR: the same
//! path with different files behind it; this program reaches them as SHARED_DIR/local1 and SHARED_DIR/local2 (links).
//! KERNEL, INITRD: a Linux guest with virtio, for hot-plug. COMMAND: kills and restarts the first libvirtd.
#![allow(clippy::disallowed_methods, reason = "a tool for developers, not a daemon")]

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use gannet_libvirt::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Side {
    conn: Connection,
    ip: std::net::IpAddr,
    uri: String,
}

struct Lab {
    one: Side,
    two: Side,
    bridge: String,
    sector: Vec<u8>,
    shared: PathBuf,
    local: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(std::io::stderr).init();
    let all: Vec<String> = std::env::args().skip(1).collect();
    let (args, command) = match all.iter().position(|arg| arg == "--") {
        Some(at) => (&all[..at], &all[at + 1..]),
        None => (&all[..], &[][..]),
    };
    let [uri1, ip1, uri2, ip2, bridge, sector, shared, local, linux @ ..] = args else {
        bail!("usage: smoke URI1 IP1 URI2 IP2 BRIDGE SECTOR_GUEST SHARED_DIR LOCAL_DIR [KERNEL INITRD] [-- COMMAND…]");
    };
    let lab = Lab {
        one: open(uri1, ip1).await?,
        two: open(uri2, ip2).await?,
        bridge: bridge.clone(),
        sector: std::fs::read(sector).with_context(|| sector.clone())?,
        shared: PathBuf::from(shared),
        local: local.clone(),
    };
    lifecycle(&lab).await?;
    shared_migration(&lab).await?;
    storage_copy(&lab).await?;
    overhead(&lab).await?;
    hung_guest(&lab).await?;
    if let [kernel, initrd] = linux {
        hot_plug(&lab, kernel, initrd).await?;
    }
    if !command.is_empty() {
        reconnect(&lab, command).await?;
    }
    ensure!(step("list", lab.one.conn.list()).await?.is_empty(), "domains are left on the first node");
    ensure!(step("list", lab.two.conn.list()).await?.is_empty(), "domains are left on the second node");
    println!("all good");
    Ok(())
}

async fn step<T, E: Into<anyhow::Error>>(what: &str, work: impl Future<Output = Result<T, E>>) -> Result<T> {
    let begin = Instant::now();
    let result = work.await.map_err(Into::into);
    let failed = result.as_ref().err().map(|error| format!(" -> {error}")).unwrap_or_default();
    println!("{:>8.3} s  {what}{failed}", begin.elapsed().as_secs_f64());
    result
}

/// For steps that must fail: the error.
async fn refused<T>(what: &str, work: impl Future<Output = Result<T, Error>>) -> Result<Error> {
    let begin = Instant::now();
    let Err(error) = work.await else { bail!("{what}: must be refused") };
    println!("{:>8.3} s  {what} -> {error}", begin.elapsed().as_secs_f64());
    Ok(error)
}

async fn open(uri: &str, ip: &str) -> Result<Side> {
    let options = Options { uri: uri.to_owned(), ..Options::default() };
    let conn = step("open", Connection::open(options)).await?;
    let found = step("capabilities", conn.capabilities()).await?;
    step("capabilities again", conn.capabilities()).await?;
    println!(
        "            kvm {} ({}), {}, {} machines",
        found.kvm,
        found.kvm_missing.clone().unwrap_or_default(),
        found.machine,
        found.machines.len()
    );
    println!("            {:?}", step("versions", conn.versions()).await?);
    Ok(Side { conn, ip: ip.parse()?, uri: uri.to_owned() })
}

impl Lab {
    fn guest(&self, name: &str, disk: String) -> DomainSpec {
        let number = name.bytes().fold(0u64, |sum, byte| sum * 7 + u64::from(byte));
        let mut spec = DomainSpec::new(name, format!("5f2b8f0e-9a2e-4c52-9ac2-{number:012x}"), 8, 1, Accel::Tcg { tb_cache_mib: Some(8) });
        spec.machine = Some("pc".into());
        let mut vda = Disk::new(Source::File(disk), "raw", Bus::Virtio, 0);
        vda.cache = Some("none".into());
        spec.disks.push(vda);
        let mut nic =
            Nic::new(format!("52:54:00:00:{:02x}:{:02x}", number % 251, number % 241), Link::Bridge(self.bridge.clone()), "virtio");
        nic.ifname = Some(format!("gnt.{name}.0"));
        spec.nics.push(nic);
        spec.serial = Some(Serial { log: Some(self.shared.join(format!("{name}.log")).display().to_string()) });
        spec.graphics =
            Graphics::Vnc { listen: Listen::Address("127.0.0.1".into()), port: None, password: Some(Password("pw".into())), keymap: None };
        spec.video = Some("vga".into());
        spec.metadata = Some(Metadata { instance_uuid: spec.uuid.clone(), node_uuid: spec.uuid.clone() });
        spec
    }

    /// A guest on a shared file of 1 MiB.
    fn shared_guest(&self, name: &str) -> Result<(DomainSpec, PathBuf)> {
        let path = self.shared.join(format!("{name}.img"));
        self.image(&path, 1, true)?;
        Ok((self.guest(name, path.display().to_string()), path))
    }

    fn image(&self, path: &Path, mib: u64, install: bool) -> Result<()> {
        let file = std::fs::File::create(path).with_context(|| path.display().to_string())?;
        file.set_len(mib << 20)?;
        if install {
            file.write_all_at(&self.sector, 0)?;
            if mib > 1 {
                // something to copy that is not all zeroes
                let noise: Vec<u8> = (0..(mib - 1) << 20).map(|i: u64| (i.wrapping_mul(2654435761) >> 7) as u8 | 1).collect();
                file.write_all_at(&noise, 1 << 20)?;
            }
        }
        Ok(())
    }
}

/// The guest's counter, as it stands on its disk.
fn ticks(path: &Path) -> Result<u64> {
    let mut sector = [0; 512];
    std::fs::File::open(path)?.read_exact_at(&mut sector, 512)?;
    let text = String::from_utf8_lossy(&sector[5..13]).into_owned();
    Ok(u64::from_str_radix(text.trim(), 16).unwrap_or(0))
}

async fn goes_on(path: &Path) -> Result<u64> {
    let from = ticks(path)?;
    let begin = Instant::now();
    loop {
        let now = ticks(path)?;
        if now > from {
            return Ok(now);
        }
        ensure!(begin.elapsed() < Duration::from_secs(15), "the guest does not go on: {from}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn lifecycle(lab: &Lab) -> Result<()> {
    let (spec, path) = lab.shared_guest("one")?;
    let domain = lab.one.conn.domain("one")?;
    let mut events = lab.one.conn.subscribe();
    ensure!(step("stop absent", domain.stop()).await? == Stopped::WasAbsent);
    ensure!(step("info absent", domain.info()).await?.is_none());
    let mut wrong = spec.clone();
    wrong.nics[0].link = Link::Bridge("nobr".into());
    refused("start without bridge", domain.start(&wrong, false)).await?;
    ensure!(domain.info().await?.is_none(), "a failed start left something");
    ensure!(step("start paused", domain.start(&spec, true)).await? == Started::Now);
    ensure!(matches!(domain.state().await?, Some(State::Paused(_))));
    step("resume", domain.resume()).await?;
    step("resume again", domain.resume()).await?;
    ensure!(step("start again", domain.start(&spec, false)).await? == Started::AlreadyActive);
    step("ticks", goes_on(&path)).await?;
    println!("            {:?}", step("info", domain.info()).await?);
    println!("            {:?}", step("graphics", domain.graphics()).await?);
    println!("            {:?}", step("pty", domain.console_pty()).await?);
    println!("            {:?}", step("nics", domain.nics()).await?);
    println!("            {:?}", step("block info", domain.block_info("vda")).await?);
    let grown = std::fs::File::options().write(true).open(&path)?;
    grown.set_len(2 << 20)?;
    step("block resize", domain.block_resize("vda", 2 << 20)).await?;
    ensure!(domain.block_info("vda").await?.capacity == 2 << 20);
    step("console", console(&domain)).await?;
    step("suspend", domain.suspend()).await?;
    step("resume", domain.resume()).await?;
    step("reset", domain.reset()).await?;
    step("ticks", goes_on(&path)).await?;
    step("shutdown", domain.shutdown()).await?;
    ensure!(step("wait inactive", domain.wait_inactive(Duration::from_secs(15))).await?);
    ensure!(domain.state().await? == Some(State::ShutOff(StopReason::Shutdown)), "the reason is lost");
    ensure!(
        step(
            "start after shutdown",
            domain.start(&DomainSpec { uuid: "5f2b8f0e-9a2e-4c52-9ac2-ffffffffffff".into(), ..spec.clone() }, false)
        )
        .await?
            == Started::Now
    );
    ensure!(step("stop", domain.stop()).await? == Stopped::Now);
    ensure!(step("stop again", domain.stop()).await? == Stopped::WasAbsent);
    let mut seen = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let Event::Lifecycle { change, .. } = event {
            seen.push(change);
        }
    }
    println!("            {seen:?}");
    ensure!(seen.contains(&Lifecycle::Stopped(StopReason::Shutdown)) && seen.contains(&Lifecycle::Stopped(StopReason::Destroyed)));
    Ok(())
}

async fn console(domain: &Domain) -> Result<()> {
    let mut console = domain.open_console().await?;
    console.write_all(b"hello-console\r").await?;
    let mut got = Vec::new();
    let echo = async {
        let mut buffer = [0; 64];
        while !String::from_utf8_lossy(&got).contains("hello-console") {
            let n = console.read(&mut buffer).await?;
            ensure!(n > 0, "end of file");
            got.extend_from_slice(&buffer[..n]);
        }
        Ok(())
    };
    tokio::time::timeout(Duration::from_secs(20), echo).await?
}

async fn shared_migration(lab: &Lab) -> Result<()> {
    let (spec, path) = lab.shared_guest("move")?;
    let (here, there) = (lab.one.conn.domain("move")?, lab.two.conn.domain("move")?);
    step("start", here.start(&spec, false)).await?;
    step("ticks", goes_on(&path)).await?;
    let mut migration = Migration::new(&lab.two.uri, lab.two.ip, 8102);
    let error = refused("migrate, thought unsafe", here.migrate(&migration)).await?;
    ensure!(error.is_unsafe_migration());
    migration.unsafe_ = true;
    migration.max_downtime_ms = Some(200);
    step("migrate direct 1 -> 2", here.migrate(&migration)).await?;
    ensure!(here.info().await?.is_none(), "it is still at the source");
    println!("            {:?}", step("completed job", there.completed_job()).await?);
    let before = ticks(&path)?;
    step("ticks at the target", goes_on(&path)).await?;
    let mut back = Migration::new(&lab.one.uri, lab.one.ip, 8102);
    back.unsafe_ = true;
    back.route = Route::PeerToPeer;
    step("migrate peer to peer 2 -> 1", there.migrate(&back)).await?;
    step("ticks", goes_on(&path)).await?;
    ensure!(ticks(&path)? > before && there.info().await?.is_none());
    ensure!(step("stop", here.stop()).await? == Stopped::Now);
    Ok(())
}

async fn storage_copy(lab: &Lab) -> Result<()> {
    let (file1, file2) = (lab.shared.join("local1/copy.img"), lab.shared.join("local2/copy.img"));
    lab.image(&file1, 64, true)?;
    lab.image(&file2, 64, false)?;
    let spec = lab.guest("copy", format!("{}/copy.img", lab.local));
    let (here, there) = (lab.one.conn.domain("copy")?, lab.two.conn.domain("copy")?);
    step("start", here.start(&spec, false)).await?;
    step("ticks", goes_on(&file1)).await?;
    let mut migration = Migration::new(&lab.two.uri, lab.two.ip, 8102);
    migration.copy_storage_all = true;
    let slow = Migration { bandwidth_mib: Some(1), deadline: Duration::from_secs(3), ..migration.clone() };
    let watched = here.clone();
    let watcher = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        watched.job().await
    });
    let error = refused("migrate slowly, aborted after 3 s", here.migrate(&slow)).await?;
    ensure!(error.is_timeout());
    let job = watcher.await??.context("no job was seen during the migration")?;
    println!("            {job:?} {} %", job.percent());
    ensure!(job.kind == JobKind::MigrationOut && job.disk_remaining > 0);
    ensure!(here.state().await? == Some(State::Running), "it does not run at the source");
    ensure!(there.info().await?.is_none(), "the target kept something");
    step("ticks at the source", goes_on(&file1)).await?;
    step("migrate with storage, 64 MiB", here.migrate(&migration)).await?;
    step("ticks at the target", goes_on(&file2)).await?;
    ensure!(step("stop", there.stop()).await? == Stopped::Now);
    let same = |file: &Path| std::fs::read(file).map(|data| data[1 << 20..].to_vec());
    ensure!(same(&file1)? == same(&file2)?, "the copy differs");
    Ok(())
}

/// What this crate adds to a start, against `virsh create` of the same XML.
async fn overhead(lab: &Lab) -> Result<()> {
    let (spec, _) = lab.shared_guest("fast")?;
    let domain = lab.one.conn.domain("fast")?;
    let file = lab.shared.join("fast.xml");
    std::fs::write(&file, spec.to_xml()?)?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        let begin = Instant::now();
        domain.start(&spec, false).await?;
        ours.push(begin.elapsed().as_millis());
        domain.stop().await?;
        let begin = Instant::now();
        let mut virsh = tokio::process::Command::new("virsh");
        let created = virsh.args(["-q", "-c", &lab.one.uri, "create"]).arg(&file).status().await?;
        ensure!(created.success(), "virsh create failed");
        bare.push(begin.elapsed().as_millis());
        domain.stop().await?;
    }
    ours.sort_unstable();
    bare.sort_unstable();
    println!("            start in ms: here {ours:?}, virsh create {bare:?}");
    Ok(())
}

async fn hung_guest(lab: &Lab) -> Result<()> {
    let (hung, _) = lab.shared_guest("hung")?;
    let (fine, path) = lab.shared_guest("fine")?;
    let (hung_domain, fine_domain) = (lab.one.conn.domain("hung")?, lab.one.conn.domain("fine")?);
    step("start hung", hung_domain.start(&hung, false)).await?;
    step("start fine", fine_domain.start(&fine, false)).await?;
    signal("hung", "-STOP")?;
    let short = hung_domain.with_deadline(Duration::from_secs(2));
    ensure!(refused("block info of a stopped QEMU", short.block_info("vda")).await?.is_timeout());
    let error = refused("next read", short.block_info("vda")).await?;
    ensure!(matches!(error, Error::Timeout { behind: Some("blockInfo"), .. }), "{error:?}");
    ensure!(refused("balloon of a stopped QEMU", short.set_memory(8)).await?.is_timeout());
    ensure!(step("list meanwhile", lab.one.conn.list()).await?.len() == 2);
    step("balloon of the other", fine_domain.set_memory(8)).await?;
    step("ticks of the other", goes_on(&path)).await?;
    ensure!(step("stop the stopped", hung_domain.stop()).await? == Stopped::Now);
    ensure!(step("stop the other", fine_domain.stop()).await? == Stopped::Now);
    Ok(())
}

/// Sends a signal to the QEMU of a guest, found by its command line.
fn signal(guest: &str, signal: &str) -> Result<()> {
    let wanted = format!("guest={guest},");
    for entry in std::fs::read_dir("/proc")? {
        let path = entry?.path();
        let Ok(cmdline) = std::fs::read_to_string(path.join("cmdline")) else { continue };
        if cmdline.contains("qemu") && cmdline.contains(&wanted) {
            let pid = path.file_name().context("no pid")?;
            let status = std::process::Command::new("kill").arg(signal).arg(pid).status()?;
            ensure!(status.success());
            return Ok(());
        }
    }
    bail!("no QEMU of {guest}")
}

async fn hot_plug(lab: &Lab, kernel: &str, initrd: &str) -> Result<()> {
    let (mut spec, _) = lab.shared_guest("linux")?;
    spec.memory_mib = 128;
    spec.vcpus = 1;
    spec.max_vcpus = Some(2);
    spec.accel = Accel::Tcg { tb_cache_mib: Some(32) };
    spec.kernel = Some(Kernel { path: kernel.into(), initrd: Some(initrd.into()), cmdline: Some("console=ttyS0 quiet".into()) });
    let log = lab.shared.join("linux.log");
    let _there_may_be_none = std::fs::remove_file(&log);
    let domain = lab.one.conn.domain("linux")?;
    step("start linux", domain.start(&spec, false)).await?;
    let ready = async {
        while !std::fs::read(&log).is_ok_and(|log| String::from_utf8_lossy(&log).contains("TINY-GUEST-READY")) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok::<(), anyhow::Error>(())
    };
    step("linux is ready", async { tokio::time::timeout(Duration::from_secs(90), ready).await? }).await?;
    let path = lab.shared.join("extra.img");
    lab.image(&path, 1, false)?;
    let mut disk = Disk::new(Source::File(path.display().to_string()), "raw", Bus::Virtio, 1);
    disk.alias = Some("ua-disk-extra".into());
    step("attach disk", domain.attach_disk(&disk)).await?;
    step("attach disk again", domain.attach_disk(&disk)).await?;
    let mut nic = Nic::new("52:54:00:00:aa:01", Link::Bridge(lab.bridge.clone()), "virtio");
    nic.alias = Some("ua-nic-extra".into());
    step("attach nic", domain.attach_nic(&nic)).await?;
    let error = refused("vCPUs of an emulated guest", domain.set_vcpus(2)).await?;
    ensure!(matches!(error, Error::Invalid { .. }));
    step("memory 112 MiB", domain.set_memory(112)).await?;
    // the guest binds the new devices before it can give them up
    tokio::time::sleep(Duration::from_secs(2)).await;
    step("detach disk", domain.detach("ua-disk-extra", Duration::from_secs(15))).await?;
    step("detach nic", domain.detach("ua-nic-extra", Duration::from_secs(15))).await?;
    step("detach again", domain.detach("ua-nic-extra", Duration::from_secs(15))).await?;
    ensure!(domain.disks().await?.len() == 1 && domain.nics().await?.len() == 1);
    println!("            {:?}", domain.info().await?);
    step("stop", domain.stop()).await?;
    Ok(())
}

async fn reconnect(lab: &Lab, command: &[String]) -> Result<()> {
    let (spec, path) = lab.shared_guest("stay")?;
    let domain = lab.one.conn.domain("stay")?;
    step("start", domain.start(&spec, false)).await?;
    step("ticks", goes_on(&path)).await?;
    let mut events = lab.one.conn.subscribe();
    let status = tokio::process::Command::new(&command[0]).args(&command[1..]).status().await?;
    ensure!(status.success(), "{command:?} failed");
    let listed = async {
        let mut lost = false;
        loop {
            match events.recv().await? {
                Event::Disconnected => lost = true,
                Event::Connected(domains) if lost => return Ok::<_, anyhow::Error>(domains),
                _ => {}
            }
        }
    };
    let domains = step("reconnected", async { tokio::time::timeout(Duration::from_secs(20), listed).await? }).await?;
    ensure!(domains.len() == 1 && domains[0].state == State::Running, "{domains:?}");
    step("info after reconnection", domain.info()).await?;
    ensure!(step("stop", domain.stop()).await? == Stopped::Now);
    let seen = async {
        loop {
            if let Event::Lifecycle { change: Lifecycle::Stopped(_), .. } = events.recv().await? {
                return Ok::<_, anyhow::Error>(());
            }
        }
    };
    step("event after reconnection", async { tokio::time::timeout(Duration::from_secs(5), seen).await? }).await
}

//! Real QEMU guests on nodes in namespaces: the demo's own story, which proves each of its steps, and what a user does then.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

#[path = "vnodes/dead_nodes.rs"]
mod dead_nodes;

use std::process::Command;
use std::time::Duration;

use gannet_qa::output::{self, Output};
use gannet_qa::programs::Programs;
use gannet_qa::wait_for;

struct Demo {
    programs: Programs,
    dir: String,
}

impl Demo {
    fn xtask(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.programs.xtask);
        command.arg("demo").args(["--dir", &self.dir]).args(arguments);
        match output::run(&mut command, Duration::from_secs(300)) {
            Ok(output) => output,
            Err(error) => panic!("{error:#}"),
        }
    }

    fn exec(&self, line: &str) -> Output {
        let words: Vec<&str> = ["exec", "--"].into_iter().chain(line.split_whitespace()).collect();
        self.xtask(&words)
    }

    fn exec_on(&self, node: &str, line: &str) -> Output {
        let words: Vec<&str> = ["exec", "--node", node, "--"].into_iter().chain(line.split_whitespace()).collect();
        self.xtask(&words)
    }

    /// A shell's line on a node.
    fn on(&self, node: &str, line: &str) -> Output {
        self.xtask(&["exec", "--node", &format!("{node}.demo.gannet.example"), "--", "sh", "-c", line])
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let stopped = self.xtask(&["stop"]);
        if !std::thread::panicking() {
            assert!(stopped.text().contains("no process, namespace, mount or interface"), "{}", stopped.describe());
        }
    }
}

#[test]
fn the_story_on_real_guests() {
    let programs = Programs::find().unwrap();
    let demo = Demo { dir: format!("/tmp/gannet-qa-real-{}", std::process::id()), programs };
    let bin_dir = demo.programs.bin_dir.display().to_string();
    let story = demo.xtask(&["--bin-dir", &bin_dir]).ok();
    for proof in ["none lost, none doubled", "longest gap", "runs on node2 again", "its disk remembers", "verify finds no error"] {
        assert!(story.text().contains(proof), "«{proof}» is missing\n{}", story.describe());
    }
    println!("{}", story.text().lines().filter(|line| line.contains("proved")).collect::<Vec<_>>().join("\n"));

    let status = |name: &str| demo.exec(&format!("gnt-instance list --no-headers -o status {name}")).stdout.trim().to_owned();
    let name = "instance2.demo.gannet.example";
    let refused = demo.exec(&format!(
        "gnt-instance add -t sharedfile --disk 0:size=16M -o tiny+default --net 0:link=br9 -n node1.demo.gannet.example {name}"
    ));
    refused.refused(&["br9", "node1.demo.gannet.example"]);
    demo.exec(&format!("gnt-instance add -t file --disk 0:size=16M,format=qcow2 -o tiny+default -n node1.demo.gannet.example {name}")).ok();
    assert_eq!(status(name), "running");
    // The guest honours the power button: no hard stop.
    let shutdown = demo.exec(&format!("gnt-instance shutdown {name}")).ok();
    assert!(!shutdown.text().contains("stopped hard"), "{}", shutdown.describe());
    assert_eq!(status(name), "ADMIN_down");
    demo.exec(&format!("gnt-instance startup {name}")).ok();
    demo.exec(&format!("gnt-instance reboot {name}")).ok();
    wait_for("the rebooted guest", Duration::from_secs(30), || (status(name) == "running").then_some(())).unwrap();
    devices_come_and_go(&demo, name);
    disks_move_along(&demo, name);
    demo.exec(&format!("gnt-instance remove -f {name}")).ok();
    demo.exec("gnt-cluster verify").ok();
    the_role_moves(&demo);
}

/// The master's machine loses its power: another node is the master and has the cluster's address, and the first one, back again,
/// has not.
fn the_role_moves(demo: &Demo) {
    let node = |number: u32| format!("node{number}.demo.gannet.example");
    let soon = Duration::from_secs(60);
    let voters = || demo.exec_on(&node(1), "gannet-confd status").stdout.matches(": voter").count();
    wait_for("three voters", soon, || (voters() == 3).then_some(())).unwrap();
    let file = std::fs::read(format!("{}/cluster.json", demo.dir)).unwrap();
    let file: serde_json::Value = serde_json::from_slice(&file).unwrap();
    let address = file["rapi"]["url"].as_str().unwrap().trim_start_matches("https://").split(':').next().unwrap().to_owned();
    let has_address = |node: &str| demo.exec_on(node, "ip -br addr show br0").stdout.contains(&format!(" {address}/"));
    assert!(has_address(&node(1)));
    demo.xtask(&["off", "node1"]).ok();
    // Each of them answers, the standby too; who the master is, both say.
    let told = |at: &str| {
        Some(demo.exec_on(at, "gnt-cluster getmaster")).filter(|told| told.code() == 0).map(|told| told.stdout.trim().to_owned())
    };
    let master =
        wait_for("another master", soon, || told(&node(2)).filter(|master| *master != node(1) && told(&node(3)).as_ref() == Some(master)));
    let master = master.unwrap();
    demo.exec_on(&node(2), "gnt-job list").ok();
    demo.exec_on(&node(3), "gnt-job list").ok();
    wait_for("the cluster's address", soon, || has_address(&master).then_some(())).unwrap();
    demo.xtask(&["on", "node1"]).ok();
    let known = || demo.exec_on(&node(1), "gnt-cluster getmaster").stdout.trim() == master;
    wait_for("the first node to know the master", soon, || known().then_some(())).unwrap();
    assert!(!has_address(&node(1)));
    demo.exec_on(&master, "gnt-debug delay 0").ok();
}

/// NICs and disks of the running guest, as libvirt sees them. The guest gives up what is taken from it.
fn devices_come_and_go(demo: &Demo, name: &str) {
    let node = "node1.demo.gannet.example";
    let modify = |change: &str| demo.exec(&format!("gnt-instance modify {change} {name}")).ok();
    let virsh = |what: &str| demo.exec_on(node, &format!("virsh -q -c qemu:///system {what} {name}")).ok().stdout;
    let mac = "aa:00:00:12:34:56";
    modify(&format!("--net add:mac={mac},name=lan")).says(&["nic.1 -> add:mac=aa:00:00:12:34:56", "nic.1 -> hotplug:done"]);
    assert!(virsh("domiflist").contains(mac));
    modify("--disk add:size=16M").says(&["disk/1 -> hotplug:done"]);
    assert!(virsh("domblklist").contains("vdb"));
    modify("--net lan:remove --disk 1:remove").says(&["NIC/1 -> hotplug:done", "disk/1 -> hotplug:done"]);
    assert!(!virsh("domiflist").contains(mac) && !virsh("domblklist").contains("vdb"));

    // The node has a route to a routed NIC, also after the next start.
    let route = || demo.exec_on(node, "ip -4 route show 192.0.2.77").ok().stdout;
    modify("--net add:mode=routed,link=main,ip=192.0.2.77,name=routed").says(&["nic.1 -> hotplug:done"]);
    assert!(route().contains("192.0.2.77 dev gnt"), "{}", route());
    demo.exec(&format!("gnt-instance reboot -t full {name}")).ok();
    assert!(route().contains("192.0.2.77 dev gnt"), "{}", route());
    modify("--net routed:ip=192.0.2.78").says(&["nic.ip/1 -> 192.0.2.78", "nic/1 -> hotplug:done"]);
    assert_eq!(route(), "");
    modify("--net routed:remove").says(&["NIC/1 -> hotplug:done"]);
}

/// A local disk is copied to another node, and the guest finds on it what it wrote.
fn disks_move_along(demo: &Demo, name: &str) {
    let (from, to) = ("node1.demo.gannet.example", "node2.demo.gannet.example");
    let console = || demo.exec_on(to, &format!("cat /var/log/ganeti/kvm/{name}.console")).ok().stdout;
    demo.exec(&format!("gnt-instance move -f -n {to} {name}")).ok().says(&["Copying data for disk 0"]);
    assert_eq!(
        demo.exec(&format!("gnt-instance list --no-headers -o pnode,status {name}")).stdout.split_whitespace().last(),
        Some("running")
    );
    let ready = wait_for("the guest's first words", Duration::from_secs(60), || {
        console().lines().find(|line| line.starts_with("GANNET-GUEST-READY") && line.trim_end().len() > 30).map(str::to_owned)
    });
    let ready = ready.expect("the guest runs");
    assert!(!ready.trim_end().ends_with(" 00000000"), "its disk is empty: {ready}");
    let left = demo.exec_on(from, &format!("ls /srv/ganeti/file-storage/{name}"));
    assert_ne!(left.code(), 0, "{}", left.describe());
}

/// What a fake cluster cannot show: missing bridges, full file systems, a cable that is cut in the middle of a migration.
#[test]
fn faults_on_real_nodes() {
    let demo = Demo { dir: format!("/tmp/gannet-qa-faults-{}", std::process::id()), programs: Programs::find().unwrap() };
    let bin_dir = demo.programs.bin_dir.display().to_string();
    demo.xtask(&["--bare", "--nodes", "2", "--bin-dir", &bin_dir]).ok();
    missing_bridges(&demo);
    full_file_systems(&demo);
    a_cut_cable(&demo);
    demo.exec("gnt-cluster verify").ok();
}

fn missing_bridges(demo: &Demo) {
    let add = "gnt-instance add -t sharedfile --disk 0:size=16M -o tiny+default --net 0:link=br9 -n node1.demo.gannet.example instance1";
    demo.exec(add).refused(&["environment_error", "br9", "node1.demo.gannet.example"]);
    nothing_left(demo, "instance1");
}

/// Too small for the disk: refused. Large enough for each of two sparse disks, not for both: found out when they are wiped, and
/// taken back.
fn full_file_systems(demo: &Demo) {
    let storage = "/srv/ganeti/file-storage";
    demo.on("node2", &format!("mkdir -p {storage} && mount -t tmpfs -o size=10m none {storage}")).ok();
    let add = |disks: &str| demo.exec(&format!("gnt-instance add -t file {disks} -o tiny+default -n node2.demo.gannet.example instance2"));
    add("--disk 0:size=16M").refused(&["insufficient_resources", "disk space", "node2.demo.gannet.example", storage, "16 MiB"]);
    nothing_left(demo, "instance2");
    demo.exec("gnt-cluster modify --prealloc-wipe-disks yes").ok();
    add("--disk 0:size=8M --disk 1:size=8M").refused(&["node2.demo.gannet.example", "no space left", storage]);
    nothing_left(demo, "instance2");
    demo.exec("gnt-cluster modify --prealloc-wipe-disks no").ok();
    demo.on("node2", &format!("umount {storage}")).ok();
    add("--disk 0:size=16M").ok();
    demo.exec("gnt-instance remove -f instance2").ok();
}

fn a_cut_cable(demo: &Demo) {
    let soon = Duration::from_secs(180);
    demo.on("node1", "gnt daemon-util stop gannet-noded && GANNET_FAULT_FILE=/run/fault gnt daemon-util start gannet-noded").ok();
    demo.exec("gnt-instance add -t sharedfile --disk 0:size=16M -o tiny+default -n node1.demo.gannet.example instance3").ok();
    let arm = |number: u32| {
        demo.on("node1", &format!("echo stop {number} a piece of a guest on its way > /run/new && mv /run/new /run/fault")).ok()
    };
    let migrate = |more: &str, node: &str| demo.exec(&format!("gnt-instance migrate {more} -f -n {node}.demo.gannet.example instance3"));
    arm(1000);
    migrate("", "node2").ok();
    let left: u32 = demo.on("node1", "cut -d' ' -f2 /run/fault; rm /run/fault").ok().stdout.trim().parse().unwrap();
    let pieces = 1000 - left;
    assert!(pieces > 2, "a migration took {pieces} pieces");
    migrate("", "node1").ok();

    arm(pieces / 2);
    let submitted = migrate("--submit", "node2").ok();
    let job = submitted.stdout.trim().rsplit(' ').next().unwrap().to_owned();
    wait_for("the middle of the migration", soon, || (demo.on("node1", "test -e /run/fault.hit").code() == 0).then_some(())).unwrap();
    demo.xtask(&["cut", "node2.demo.gannet.example"]).ok();
    demo.on("node1", "kill -CONT $(cat /run/ganeti/gannet-noded.pid)").ok();
    let info = || demo.exec(&format!("gnt-job info {job}")).ok().stdout;
    // The job notices it, and waits for the node to take back what it did there.
    wait_for("the job to notice", soon, || info().contains("Waiting up to").then_some(())).unwrap();
    demo.xtask(&["join", "node2.demo.gannet.example"]).ok();
    let ended = demo.exec(&format!("gnt-job watch {job}"));
    assert_eq!(demo.exec(&format!("gnt-job list --no-headers -o status {job}")).stdout.trim(), "error", "{}", ended.describe());
    let said = info();
    println!("{said}");
    assert!(said.contains("it runs on node1.demo.gannet.example as before"), "{said}");
    let row = demo.exec("gnt-instance list --no-headers -o pnode,status instance3").ok().stdout;
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["node1.demo.gannet.example", "running"], "{said}");
    demo.exec("gnt-cluster verify").ok();
    migrate("", "node2").ok().says(&["memory transfer complete"]);
    demo.exec("gnt-instance remove -f instance3").ok();
}

fn nothing_left(demo: &Demo, name: &str) {
    let list = demo.exec("gnt-instance list --no-headers -o name").ok().stdout;
    assert!(!list.contains(name), "a record of {name} is left: {list}");
    for node in ["node1", "node2"] {
        let found = demo.on(node, &format!("ls -A -d /srv/ganeti/*file-storage/{name}* 2>/dev/null; true")).ok().stdout;
        assert_eq!(found, "", "on {node}");
    }
    demo.exec("gnt-cluster verify").ok();
}

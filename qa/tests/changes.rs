//! What changes an instance that exists, on a fake cluster: move, modify, recreate-disks. Also when a step fails, and when the
//! master daemon dies at each of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gannet_qa::cluster::Node;
use gannet_qa::daemon::MASTERD;
use gannet_qa::fault::{Fault, Verb};
use gannet_qa::{Cluster, Output, jobs, os, wait_for};

const SOON: Duration = Duration::from_secs(30);
const LOCAL: &str = "/srv/ganeti/file-storage";
const SHARED: &str = "/srv/ganeti/shared-file-storage";
/// More steps than any of these jobs has: the loop ends when a run passes no crash.
const MANY: u32 = 200;

fn add(cluster: &Cluster, name: &str, template: &str, node: &Node) {
    let line =
        format!("gnt-instance add -t {template} --disk 0:size=16M -o recording+default --net 0:mac=generate -n {} {name}", node.name);
    cluster.line(&line).ok();
}

fn field(cluster: &Cluster, name: &str, fields: &str) -> String {
    cluster.line(&format!("gnt-instance list --no-headers --separator=/ -o {fields} {name}")).ok().stdout.trim().to_owned()
}

/// The image files below a directory of a node, without the small ones that say whose they are.
fn images(cluster: &Cluster, node: &Node, dir: &str) -> Vec<PathBuf> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if !entry.file_name().to_string_lossy().starts_with('.') {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&cluster.at(node, dir), &mut found);
    found.sort();
    found
}

#[track_caller]
fn one_image(cluster: &Cluster, node: &Node, dir: &str) -> PathBuf {
    match images(cluster, node, dir).as_slice() {
        [one] => one.clone(),
        others => panic!("not one image in {dir} of {}: {others:?}", node.name),
    }
}

/// Puts a sentence on a disk.
fn write(path: &Path, sentence: &str) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new().write(true).open(path).expect("the disk is there");
    file.write_all_at(sentence.as_bytes(), 4096).expect("the disk can be written");
}

#[track_caller]
fn reads(path: &Path, sentence: &str) {
    let content = std::fs::read(path).expect("the disk is there");
    assert_eq!(String::from_utf8_lossy(&content[4096..4096 + sentence.len()]), sentence, "{}", path.display());
}

/// What the running guest has, as the fake hypervisor notes it: `nic-UUID`, `disk-UUID`.
fn devices(cluster: &Cluster, node: &Node, name: &str) -> Vec<String> {
    let path = cluster.at(node, "/run/ganeti/fake-hypervisor").join(name);
    let record = std::fs::read(path).expect("the guest runs");
    let record: serde_json::Value = serde_json::from_slice(&record).expect("a record is JSON");
    let devices = record["devices"].as_array().into_iter().flatten();
    devices.filter_map(|device| device.as_str().map(str::to_owned)).collect()
}

fn count(devices: &[String], kind: &str) -> usize {
    devices.iter().filter(|device| device.starts_with(kind)).count()
}

#[test]
fn an_instance_moves_with_its_data() {
    let cluster = Cluster::fake(3);
    let (two, three) = (&cluster.nodes[1], &cluster.nodes[2]);
    add(&cluster, "web1", "file", two);
    write(&one_image(&cluster, two, LOCAL), "seven seas");
    let line = |more: &str| cluster.line(&format!("gnt-instance move -f {more} web1"));
    line(&format!("-n {}", two.name)).refused(&["Instance web1 is already on the node", two.name.as_str()]);
    line(&format!("-n {} --compress gzip", three.name)).refused(&["Compression", "gzip"]);
    line("-n nonode").refused(&["nonode"]);
    cluster.line(&format!("gnt-node modify --drained yes {}", three.name)).ok();
    line(&format!("-n {}", three.name)).refused(&["Can't use drained node", three.name.as_str()]);
    cluster.line(&format!("gnt-node modify --drained no {}", three.name)).ok();
    assert_eq!(field(&cluster, "web1", "pnode,status"), format!("{}/running", two.name), "refusals change nothing");

    line(&format!("-n {} --shutdown-timeout 5", three.name)).ok().says(&[
        "Shutting down instance web1 on source node",
        "Copying data for disk 0",
        "Removing the disks on the original node",
        "Starting instance web1 on node",
    ]);
    assert_eq!(field(&cluster, "web1", "pnode,status"), format!("{}/running", three.name));
    reads(&one_image(&cluster, three, LOCAL), "seven seas");
    assert_eq!(images(&cluster, two, LOCAL), Vec::<PathBuf>::new());
    assert!(!cluster.at(two, LOCAL).join("web1").exists(), "the directory is left");

    // One that is down stays so.
    cluster.line("gnt-instance shutdown web1").ok();
    line(&format!("-n {}", two.name)).ok();
    assert_eq!(field(&cluster, "web1", "pnode,status"), format!("{}/ADMIN_down", two.name));
    reads(&one_image(&cluster, two, LOCAL), "seven seas");

    // Something lies in the disk's place: nothing is overwritten, and nothing has moved.
    let disk = one_image(&cluster, two, LOCAL);
    let foreign = cluster.at(three, LOCAL).join("web1").join(disk.file_name().unwrap());
    std::fs::create_dir_all(foreign.parent().unwrap()).unwrap();
    std::fs::write(&foreign, "not yours").unwrap();
    line(&format!("-n {}", three.name)).refused(&["Can't create disk 0 on node", three.name.as_str(), "in the way"]);
    assert_eq!(std::fs::read_to_string(&foreign).unwrap(), "not yours");
    assert_eq!(field(&cluster, "web1", "pnode"), two.name);
    reads(&disk, "seven seas");
    std::fs::remove_dir_all(foreign.parent().unwrap()).unwrap();

    // Disks that all nodes see are not copied.
    add(&cluster, "shared1", "sharedfile", two);
    let refused = cluster.line(&format!("gnt-instance move -f -n {} shared1", three.name));
    refused.refused(&["not suitable for copying", "gnt-instance migrate"]);
    assert_eq!(field(&cluster, "shared1", "status"), "running");
    cluster.line("gnt-cluster verify").ok();
}

fn modify(cluster: &Cluster, words: &str) -> Output {
    cluster.line(&format!("gnt-instance modify {words} web1"))
}

#[test]
fn nics_and_disks_of_a_running_guest_change() {
    let cluster = Cluster::fake(2);
    let node = &cluster.nodes[1];
    add(&cluster, "web1", "file", node);
    let before = devices(&cluster, node, "web1");
    assert_eq!((count(&before, "nic"), count(&before, "disk")), (1, 1));

    let mac = "aa:00:00:12:34:56";
    modify(&cluster, &format!("--net add:mac={mac},ip=192.0.2.7,link=br7,name=lan")).ok().says(&[
        "Modified instance web1",
        &format!(" - nic.1 -> add:mac={mac},ip=192.0.2.7,mode=bridged,link=br7,network=None"),
        " - nic.1 -> hotplug:done",
    ]);
    modify(&cluster, "--disk add:size=8M,name=data").ok().says(&[" - disk/1 -> add:size=8,mode=rw", " - disk/1 -> hotplug:done"]);
    let now = devices(&cluster, node, "web1");
    assert_eq!((count(&now, "nic"), count(&now, "disk")), (2, 2));
    assert_eq!(field(&cluster, "web1", "nic.count,disk.sizes"), "2/16,8");

    modify(&cluster, "--net lan:ip=none").ok().says(&[" - nic.ip/1 -> None", " - nic.link/1 -> br7", " - nic/1 -> hotplug:done"]);
    modify(&cluster, "--disk data:mode=ro,name=none").ok().says(&[" - disk.mode/1 -> ro", " - disk.name/1 -> None"]);
    modify(&cluster, "--net -1:remove").ok().says(&[" - NIC/1 -> remove", " - NIC/1 -> hotplug:done"]);
    modify(&cluster, "--disk 1:remove").ok().says(&[" - disk/1 -> remove", " - disk/1 -> hotplug:done"]);
    assert_eq!(devices(&cluster, node, "web1"), before);
    assert_eq!(images(&cluster, node, LOCAL).len(), 1);

    // Without hot-plug the guest keeps what it has until its next start, and disks cannot be taken from it.
    modify(&cluster, "--no-hotplug --net add").ok();
    assert_eq!(devices(&cluster, node, "web1"), before);
    modify(&cluster, "--no-hotplug --disk remove").refused(&["can't remove volume from a running instance without using hotplug"]);
    modify(&cluster, "--no-hotplug --disk detach").refused(&["can't detach volume from a running instance without using hotplug"]);
    cluster.line("gnt-instance reboot -t full web1").ok();
    assert_eq!(count(&devices(&cluster, node, "web1"), "nic"), 2);
    cluster.line("gnt-cluster verify").ok();
}

#[test]
fn changes_that_cannot_be_are_refused_and_change_nothing() {
    let cluster = Cluster::fake(2);
    let node = &cluster.nodes[1];
    add(&cluster, "web1", "file", node);
    let state = || (field(&cluster, "web1", "nic.count,disk.sizes,pnode,disk_template"), devices(&cluster, node, "web1"));
    let before = state();
    let taken = field(&cluster, "web1", "nic.mac/0");
    modify(&cluster, "").refused(&[]);
    modify(&cluster, &format!("--net add:mac={taken}")).refused(&["resource_not_unique", "already in use"]);
    modify(&cluster, "--net 0:mode=routed").refused(&["Cannot set the NIC IP address to None on a routed NIC"]);
    modify(&cluster, "--net 3:remove").refused(&["Got NIC index 3, but there are only 1"]);
    modify(&cluster, "--net nosuch:remove").refused(&["unknown_entity", "Cannot find NIC with identifier nosuch"]);
    modify(&cluster, "--disk 0:size=9G").refused(&["use grow-disk"]);
    modify(&cluster, "--disk add").refused(&["size"]);
    modify(&cluster, "--disk add:size=99999G").refused(&["Not enough disk space", node.name.as_str()]);
    modify(&cluster, "-B vcpus=9").refused(&["violates policy", "cpu-count"]);
    modify(&cluster, "--disk attach:name=nosuch").refused(&["No disk was found with this name: nosuch"]);
    modify(&cluster, "-t sharedfile").refused(&["cannot change disk template"]);
    modify(&cluster, "-t file").refused(&["already has disk template file"]);
    modify(&cluster, "-t plain").refused(&["plain"]);
    modify(&cluster, &format!("--new-primary {}", cluster.nodes[0].name)).refused(&["Instance is still running on", node.name.as_str()]);
    modify(&cluster, "--file-driver loop --net add").refused(&["file driver"]);
    cluster.line("gnt-instance recreate-disks web1").refused(&["cannot recreate disks"]);
    assert_eq!(state(), before);

    // A step fails after others were done: a disk was made, another taken from the guest, and its new place is taken.
    modify(&cluster, "--disk add:size=8M,name=data").ok();
    let before = state();
    let files = images(&cluster, node, LOCAL);
    let data = files.iter().find(|path| path.to_string_lossy().ends_with("disk1")).unwrap();
    let foreign = cluster.at(node, LOCAL).join(data.file_name().unwrap());
    std::fs::write(&foreign, "not yours").unwrap();
    modify(&cluster, "--disk add:size=4M --disk data:detach").refused(&["Failed before detach", "in the way"]);
    assert_eq!(std::fs::read_to_string(&foreign).unwrap(), "not yours");
    std::fs::remove_file(&foreign).unwrap();
    assert_eq!(state(), before);
    assert_eq!(images(&cluster, node, LOCAL), files);
    cluster.line("gnt-cluster verify").ok();
}

#[test]
fn disks_leave_and_come_back_and_are_converted() {
    let cluster = Cluster::fake(2);
    let node = &cluster.nodes[1];
    add(&cluster, "web1", "file", node);
    add(&cluster, "web2", "file", node);
    modify(&cluster, "--disk add:size=8M,name=data").ok();
    let data = images(&cluster, node, &format!("{LOCAL}/web1")).into_iter().find(|path| path.to_string_lossy().ends_with("disk1")).unwrap();
    write(&data, "the ledger");
    modify(&cluster, "--disk data:detach").ok().says(&[" - disk/1 -> detach", " - disk/1 -> hotplug:done"]);
    assert_eq!(field(&cluster, "web1", "disk.sizes"), "16");
    reads(&cluster.at(node, LOCAL).join(data.file_name().unwrap()), "the ledger");
    cluster.line("gnt-cluster verify").ok();

    cluster.line("gnt-instance modify --disk attach:name=data web2").ok().says(&[" - disk/1 -> attach:size=8,mode=rw", "hotplug:done"]);
    assert_eq!(field(&cluster, "web2", "disk.sizes"), "16,8");
    let there =
        images(&cluster, node, &format!("{LOCAL}/web2")).into_iter().find(|path| path.to_string_lossy().ends_with("disk1")).unwrap();
    reads(&there, "the ledger");
    modify(&cluster, "--disk attach:name=data").refused(&["is already attached to instance web2"]);
    cluster.line("gnt-instance remove -f web2").ok();

    write(&one_image(&cluster, node, LOCAL), "old wine");
    cluster.line("gnt-instance shutdown web1").ok();
    modify(&cluster, "-t sharedfile").ok().says(&[" - disk_template -> sharedfile", "copying data from disk 0"]);
    assert_eq!(images(&cluster, node, LOCAL), Vec::<PathBuf>::new());
    reads(&one_image(&cluster, node, SHARED), "old wine");
    modify(&cluster, "-t file --file-storage-dir cellar").ok();
    let image = one_image(&cluster, node, LOCAL);
    assert!(image.starts_with(cluster.at(node, LOCAL).join("cellar/web1")), "{}", image.display());
    reads(&image, "old wine");

    // The data is lost; the record makes an empty disk of it.
    cluster.line("gnt-instance recreate-disks web1").refused(&["is not lost"]);
    reads(&image, "old wine");
    std::fs::remove_file(&image).unwrap();
    cluster.line("gnt-instance recreate-disks --disk 0:size=24M web1").ok();
    assert_eq!((field(&cluster, "web1", "disk.sizes"), std::fs::metadata(&image).unwrap().len()), ("24".to_owned(), 24 << 20));
    cluster.line(&format!("gnt-instance recreate-disks -n {} web1", cluster.nodes[0].name)).ok().says(&["remove any disks left"]);
    assert_eq!(field(&cluster, "web1", "pnode"), cluster.nodes[0].name);
    cluster.line("gnt-instance startup web1").ok();
}

#[test]
fn os_parameters_of_all_kinds_reach_the_script_and_nobody_else() {
    let cluster = Cluster::fake(1);
    let node = cluster.master();
    add(&cluster, "web1", "file", node);
    modify(&cluster, "--os-parameters-private colour=mauve").ok().says(&["os_private/colour -> Private(?"]);
    modify(&cluster, "-O colour=red --os-parameters-private colour=mauve").refused(&["repeated multiple times: colour"]);
    cluster.line("gnt-instance shutdown web1").ok();
    let colour =
        || os::seen(&node.root, "create", "web1").unwrap().into_iter().find(|(name, _)| name == "OSP_COLOUR").map(|(_, value)| value);
    cluster.line("gnt-instance reinstall -f web1").ok();
    assert_eq!(colour().as_deref(), Some("mauve"));
    modify(&cluster, "--os-parameters-private colour=default").ok();
    cluster.line("gnt-instance reinstall -f --os-parameters-secret colour=heliotrope web1").ok();
    assert_eq!(colour().as_deref(), Some("heliotrope"));
    cluster.line("gnt-instance reinstall -f web1").ok();
    assert_eq!(colour(), None, "a secret is used once");
    let logs = std::fs::read_dir(&node.log_dir).unwrap().flatten().filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
    for text in logs.chain([cluster.line("gnt-job list -o id,ops,opresult,oplog").stdout]) {
        assert!(!text.contains("heliotrope") && !text.contains("mauve"), "a secret was told: {text}");
    }
}

/// The job that ran last, if it is a newer one than `before`. Not by a command: that waits for a master that has died.
fn last_job(cluster: &Cluster, what: &str, before: u64) -> Option<u64> {
    let mut luxi = gannet_core::luxi::Client::connect(&cluster.master().luxi_socket).ok()?;
    let rows = luxi.call(gannet_core::luxi::Method::QueryJobs, &serde_json::json!([null, ["id", "summary"]])).ok()?;
    let named = rows.as_array()?.iter().filter(|row| row[1].to_string().contains(what));
    named.filter_map(|row| jobs::id(&row[0]).ok()).filter(|id| *id > before).max()
}

/// Lets the master daemon die at each step of a job in turn; `after` looks what came of it. Gives the number of crashes.
fn at_every_step(cluster: &Cluster, what: &str, line: impl Fn(u32) -> String, after: impl Fn(u32, &str, &str)) -> u32 {
    let fault = Fault::start(cluster.daemon(cluster.master(), MASTERD));
    let mut before = 0;
    for number in 1..=MANY {
        fault.arm(Verb::Kill, number.into());
        // The command may find its daemon dead: what counts is what follows.
        cluster.line(&line(number));
        let died = wait_for("the daemon's death, or the job's end", SOON, || {
            if fault.hit().is_some() {
                return Some(true);
            }
            let id = last_job(cluster, what, before)?;
            let mut luxi = gannet_core::luxi::Client::connect(&cluster.master().luxi_socket).ok()?;
            jobs::status(&mut luxi, id).ok().filter(|status| jobs::is_final(status)).map(|_| false)
        })
        .expect("the job goes on");
        if died {
            fault.restart();
        } else {
            fault.disarm();
        }
        if let Some(id) = last_job(cluster, what, before) {
            before = id;
            let ended = jobs::wait(&mut cluster.luxi(), id, SOON).expect("the job ends");
            after(number, &ended.status, &ended.text());
        }
        if !died {
            return number - 1;
        }
    }
    panic!("a job has fewer than {MANY} steps");
}

#[test]
fn the_master_dies_at_every_step_of_a_move() {
    let cluster = Cluster::fake(2);
    let (one, two) = (&cluster.nodes[0], &cluster.nodes[1]);
    add(&cluster, "web1", "file", two);
    write(&one_image(&cluster, two, LOCAL), "seven seas");
    let place = || field(&cluster, "web1", "pnode");
    let other = || if place() == one.name { two } else { one };
    let line = |_| format!("gnt-instance move -f --submit -n {} web1", other().name);
    let crashes = at_every_step(&cluster, "INSTANCE_MOVE", line, |number, status, text| {
        assert_eq!(status, "success", "step {number}: {text}");
        let (here, gone) = if place() == one.name { (one, two) } else { (two, one) };
        reads(&one_image(&cluster, here, LOCAL), "seven seas");
        assert_eq!(images(&cluster, gone, LOCAL), Vec::<PathBuf>::new(), "step {number}: {text}");
        assert_eq!(field(&cluster, "web1", "status"), "running", "step {number}: {text}");
    });
    println!("{crashes} steps");
    assert!(crashes > 8, "the crash points were not where they should be");
    cluster.line("gnt-cluster verify").ok();
}

#[test]
fn the_master_dies_at_every_step_of_a_modification() {
    let cluster = Cluster::fake(2);
    let node = &cluster.nodes[1];
    add(&cluster, "web1", "file", node);
    modify(&cluster, "--disk add:size=4M").ok();
    let line = |_| "gnt-instance modify --submit --disk 1:remove --disk add:size=4M --net 0:remove --net add web1".to_owned();
    let crashes = at_every_step(&cluster, "INSTANCE_SET_PARAMS", line, |number, status, text| {
        assert_eq!(status, "success", "step {number}: {text}");
        assert_eq!(field(&cluster, "web1", "nic.count,disk.sizes"), "1/16,4", "step {number}: {text}");
        assert_eq!(images(&cluster, node, LOCAL).len(), 2, "step {number}: {text}");
        let (nic, disk) = (field(&cluster, "web1", "nic.uuid/0"), field(&cluster, "web1", "disk.uuid/1"));
        let devices = devices(&cluster, node, "web1");
        assert_eq!((count(&devices, "nic"), count(&devices, "disk")), (1, 2), "step {number}: {devices:?} {text}");
        assert!(devices.contains(&format!("nic-{nic}")) && devices.contains(&format!("disk-{disk}")), "step {number}: {devices:?}");
    });
    println!("{crashes} steps");
    assert!(crashes > 8, "the crash points were not where they should be");
    cluster.line("gnt-cluster verify").ok();
}

#[test]
fn the_master_dies_at_every_step_of_a_conversion() {
    let cluster = Cluster::fake(2);
    let node = &cluster.nodes[1];
    add(&cluster, "web1", "file", node);
    write(&one_image(&cluster, node, LOCAL), "old wine");
    cluster.line("gnt-instance shutdown web1").ok();
    let template = || field(&cluster, "web1", "disk_template");
    let other = || if template() == "file" { "sharedfile" } else { "file" };
    let line = |_| format!("gnt-instance modify --submit -t {} web1", other());
    let crashes = at_every_step(&cluster, "INSTANCE_SET_PARAMS", line, |number, status, text| {
        assert_eq!(status, "success", "step {number}: {text}");
        let (here, gone) = if template() == "file" { (LOCAL, SHARED) } else { (SHARED, LOCAL) };
        reads(&one_image(&cluster, node, here), "old wine");
        assert_eq!(images(&cluster, node, gone), Vec::<PathBuf>::new(), "step {number}: {text}");
    });
    println!("{crashes} steps");
    assert!(crashes > 8, "the crash points were not where they should be");
    cluster.line("gnt-cluster verify").ok();
}

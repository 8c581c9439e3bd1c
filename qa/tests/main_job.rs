//! The main job with the operators' commands, on a fake cluster: outputs, exit codes, refusals, faults.

use std::time::Duration;

use gannet_qa::{Cluster, jobs, os, wait_for};

const SOON: Duration = Duration::from_secs(30);

fn add(cluster: &Cluster, name: &str, more: &str) -> gannet_qa::Output {
    cluster.line(&format!("gnt-instance add -t sharedfile --disk 0:size=16M -o recording+default {more} {name}"))
}

fn status(cluster: &Cluster, name: &str) -> String {
    cluster.line(&format!("gnt-instance list --no-headers -o status {name}")).ok().stdout.trim().to_owned()
}

/// Everything that could be left of an instance: files, guests, records.
#[track_caller]
fn nothing_left(cluster: &Cluster, name: &str) {
    let list = cluster.line("gnt-instance list --no-headers -o name").ok().stdout;
    assert!(!list.contains(name), "a record of {name} is left: {list}");
    assert!(leftovers(cluster, name).is_empty(), "left: {:?}", leftovers(cluster, name));
    cluster.line("gnt-cluster verify").ok();
}

fn leftovers(cluster: &Cluster, name: &str) -> Vec<std::path::PathBuf> {
    let storage = ["/srv/ganeti/file-storage", "/srv/ganeti/shared-file-storage", "/run/ganeti/fake-hypervisor"];
    let dirs = cluster.nodes.iter().flat_map(|node| storage.map(|dir| cluster.at(node, dir)));
    let entries = dirs.flat_map(|dir| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()));
    entries.filter(|path| path.file_name().is_some_and(|file| file.to_string_lossy().contains(name))).collect()
}

#[test]
fn an_instance_lives_and_dies() {
    let cluster = Cluster::fake(3);
    let (one, two) = (cluster.nodes[0].name.clone(), cluster.nodes[1].name.clone());
    add(&cluster, "web1", &format!("-n {one}")).ok().says(&[
        "creating instance disks",
        "running the instance OS create scripts",
        "starting instance",
    ]);
    let header = cluster.line("gnt-instance list").ok();
    assert_eq!(
        header.lines()[0].split_whitespace().collect::<Vec<_>>(),
        ["Instance", "Hypervisor", "OS", "Primary_node", "Status", "Memory"]
    );
    let row = cluster.line("gnt-instance list --no-headers --separator=: -o name,hypervisor,os,pnode,status,disk.sizes").ok();
    assert_eq!(row.stdout.trim(), format!("web1:fake:recording+default:{one}:running:16"));

    let seen = os::seen(&cluster.nodes[0].root, "create", "web1").unwrap();
    let value = |name: &str| seen.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(
        (value("INSTANCE_NAME"), value("DISK_COUNT"), value("OS_VARIANT"), value("HYPERVISOR")),
        (Some("web1"), Some("1"), Some("default"), Some("fake"))
    );

    cluster.line("gnt-instance info web1").ok().says(&["Instance name: web1", "actual state is up", "disk/0: sharedfile, size 16M"]);
    cluster.line("gnt-instance grow-disk web1 0 4M").ok();
    cluster.line("gnt-instance grow-disk --absolute web1 0 8M").refused(&["smaller than current disk size"]);
    cluster.line("gnt-instance modify -B vcpus=2 web1").ok().says(&["be/vcpus"]);
    cluster.line("gnt-instance modify -B minmem=9G,maxmem=1G web1").refused(&["minmem"]);
    assert_eq!(
        cluster.line("gnt-instance list --no-headers -o disk.sizes,be/vcpus web1").ok().stdout.split_whitespace().collect::<Vec<_>>(),
        ["20", "2"]
    );
    cluster.line("gnt-instance reinstall -f web1").refused(&["can't reinstall"]);
    cluster.line("gnt-instance shutdown web1").ok();
    assert_eq!(status(&cluster, "web1"), "ADMIN_down");
    cluster.line("gnt-instance reinstall -f web1").ok();
    cluster.line("gnt-instance rename web1 web2").ok();
    assert_eq!(leftovers(&cluster, "web1"), Vec::<std::path::PathBuf>::new());
    cluster.line("gnt-instance rename web2 web1").ok();
    cluster.line("gnt-instance startup web1").ok();
    cluster.line("gnt-instance reboot web1").ok();
    assert_eq!(status(&cluster, "web1"), "running");
    cluster.line(&format!("gnt-instance migrate -f -n {two} web1")).ok().says(&["memory transfer complete"]);
    cluster.line(&format!("gnt-instance failover -f -n {one} web1")).ok();
    assert_eq!(
        cluster.line("gnt-instance list --no-headers -o pnode,status web1").ok().stdout.split_whitespace().collect::<Vec<_>>(),
        [one.as_str(), "running"]
    );
    cluster.line("gnt-instance add-tags web1 prod:eu blue").ok();
    assert_eq!(cluster.line("gnt-instance list-tags web1").ok().lines(), ["blue", "prod:eu"]);
    cluster.line("gnt-instance remove -f web1").ok();
    nothing_left(&cluster, "web1");
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let cluster = Cluster::fake(3);
    let one = cluster.nodes[0].name.clone();
    add(&cluster, "taken", &format!("-n {one}")).ok();
    add(&cluster, "taken", &format!("-n {one}")).refused(&["already_exists", "taken"]);
    cluster.line(&format!("gnt-instance add -t diskless -o nosuch -n {one} b1")).refused(&["nosuch"]);
    cluster.line("gnt-instance add -t diskless -o recording+default -n nonode b1").refused(&["unknown_entity", "nonode"]);
    cluster.line(&format!("gnt-instance add -t plain --disk 0:size=16M -o recording+default -n {one} b1")).refused(&["plain"]);
    cluster
        .line(&format!("gnt-instance add -t diskless -o recording+default -B memory=9999G -n {one} b1"))
        .refused(&["violates policy", "memory-size"]);
    cluster
        .line(&format!("gnt-instance add -t diskless -o recording+default -B memory=31G -n {one} b1"))
        .refused(&["memory", one.as_str()]);
    cluster.line(&format!("gnt-instance add -t diskless --net 0:mode=sideways -o recording+default -n {one} b1")).refused(&["sideways"]);
    cluster.line("gnt-instance startup nobody").refused(&["nobody"]);
    cluster.line("gnt-instance lst").says(&["did you mean 'list'"]);
    assert_eq!(cluster.line("gnt-instance list --no-head").code(), 0, "unambiguous beginnings of options count");
    assert_eq!(cluster.line("gnt-instance list --nosuch").code(), 2);
    assert_eq!(cluster.line("gnt-instance list -o name,colour").code(), 14);
    cluster.line(&format!("gnt-instance add --dry-run -t sharedfile --disk 0:size=16M -o recording+default -n {one} b1")).ok();
    nothing_left(&cluster, "b1");
}

#[test]
fn a_script_that_fails_is_undone() {
    let cluster = Cluster::fake(2);
    let line = format!("gnt-instance add -t sharedfile --disk 0:size=16M -o {}+default -n {} bad1", os::BROKEN, cluster.nodes[1].name);
    cluster.line(&line).refused(&[os::COMPLAINT, "exit code 1", &cluster.nodes[1].name]);
    nothing_left(&cluster, "bad1");
}

#[test]
fn the_queue() {
    let cluster = Cluster::fake(1);
    let mut luxi = cluster.luxi();
    let slow = jobs::submit(&mut luxi, &[jobs::delay(1.0)]).unwrap();
    let mut after = jobs::nothing();
    after["depends"] = serde_json::json!([[slow, ["success"]]]);
    let after = jobs::submit(&mut luxi, &[after]).unwrap();
    let mut never = jobs::nothing();
    never["depends"] = serde_json::json!([[slow, ["error"]]]);
    let never = jobs::submit(&mut luxi, &[never]).unwrap();
    let mut doomed = jobs::nothing();
    doomed["depends"] = serde_json::json!([[slow, ["success"]]]);
    let doomed = jobs::submit(&mut luxi, &[doomed]).unwrap();
    assert_eq!(jobs::status(&mut luxi, after).unwrap(), "queued", "it takes no place while another one must end first");
    cluster.line(&format!("gnt-job cancel {doomed}")).ok();
    assert_eq!(jobs::wait(&mut luxi, doomed, SOON).unwrap().status, "canceled");
    assert_eq!(jobs::wait(&mut luxi, slow, SOON).unwrap().status, "success");
    assert_eq!(jobs::wait(&mut luxi, after, SOON).unwrap().status, "success");
    assert_eq!(jobs::wait(&mut luxi, never, SOON).unwrap().status, "canceled");
    cluster.line(&format!("gnt-job archive {slow}")).ok();
    let shown = cluster.line("gnt-job list --no-headers -o id").ok().stdout;
    assert!(!shown.split_whitespace().any(|id| id == slow.to_string()), "archived jobs are not listed: {shown}");
    cluster.line("gnt-cluster queue drain").ok();
    assert!(jobs::submit(&mut luxi, &[jobs::nothing()]).is_err());
    cluster.line("gnt-cluster queue undrain").ok();
    jobs::run(&mut luxi, &[jobs::nothing()], SOON).unwrap();
}

/// An acknowledged change survives the death of all daemons at once.
#[test]
fn killed_all_at_once() {
    let cluster = Cluster::fake(1);
    for round in 0..20 {
        cluster.line(&format!("gnt-cluster add-tags round{round}")).ok();
    }
    let master = cluster.master();
    for name in ["gannet-masterd", "gannet-confd", "gannet-noded"] {
        cluster.daemon(master, name).kill9();
    }
    for name in ["gannet-confd", "gannet-noded", "gannet-masterd"] {
        cluster.daemon(master, name).start();
    }
    assert_eq!(cluster.line("gnt-cluster list-tags").ok().lines().len(), 20);
}

#[test]
fn a_dead_node_stops_only_what_needs_it() {
    let cluster = Cluster::fake(3);
    let (two, three) = (&cluster.nodes[1], &cluster.nodes[2]);
    add(&cluster, "here", &format!("-n {}", two.name)).ok();
    add(&cluster, "there", &format!("-n {}", three.name)).ok();
    cluster.daemon(three, "gannet-noded").kill9();
    cluster.line("gnt-instance shutdown there").refused(&[three.name.as_str()]);
    cluster.line("gnt-instance shutdown here").ok();
    assert_eq!(status(&cluster, "there"), "ERROR_nodedown");
    cluster.line("gnt-cluster verify").refused(&[three.name.as_str()]);
    cluster.daemon(three, "gannet-noded").start();
    let back = wait_for("the node's answer", SOON, || (status(&cluster, "there") == "running").then_some(()));
    back.unwrap();
    cluster.line("gnt-cluster verify").ok();
}

#[test]
fn hooks_run_and_may_refuse() {
    let cluster = Cluster::fake(1);
    let master = cluster.master();
    let script = |dir: &str, text: &str| {
        let dir = cluster.at(master, &format!("/etc/ganeti/hooks/{dir}"));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("10-test");
        std::fs::write(&path, text).unwrap();
        std::os::unix::fs::PermissionsExt::set_mode(&mut std::fs::metadata(&path).unwrap().permissions(), 0o755);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    let record = cluster.at(master, "/srv/ganeti/hook-seen");
    script("instance-add-post.d", &format!("#!/bin/sh\nenv -0 > {}\n", record.display()));
    add(&cluster, "hooked", &format!("-n {}", master.name)).ok();
    let seen = os::environment(&std::fs::read(&record).unwrap());
    let value = |name: &str| seen.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(value("GANETI_HOOKS_PHASE"), Some("post"));
    assert_eq!(value("GANETI_OP_CODE"), Some("OP_INSTANCE_CREATE"));
    assert_eq!(value("GANETI_INSTANCE_NAME"), Some("hooked"));
    script("instance-stop-pre.d", "#!/bin/sh\necho never on fridays\nexit 1\n");
    cluster.line("gnt-instance shutdown hooked").refused(&["never on fridays"]);
    assert_eq!(status(&cluster, "hooked"), "running");
}

#[test]
fn rapi_does_the_same() {
    let cluster = Cluster::fake(2);
    let mut rapi = cluster.rapi();
    assert_eq!(rapi.get("/version").unwrap().json(), 2);
    assert_eq!(rapi.get("/2/info").unwrap().json()["name"], cluster.name.as_str());
    let body = serde_json::json!({"__version__": 1, "mode": "create", "instance_name": "viarapi", "disk_template": "sharedfile",
        "disks": [{"size": 16}], "nics": [], "os_type": "recording+default", "pnode": cluster.nodes[1].name, "hypervisor": "fake"});
    let job = jobs::id(&rapi.request("POST", "/2/instances", Some(&body)).unwrap().json()).unwrap();
    let ended = jobs::wait(&mut cluster.luxi(), job, SOON).unwrap();
    assert_eq!(ended.status, "success", "{}", ended.text());
    assert_eq!(rapi.get("/2/instances/viarapi").unwrap().json()["status"], "running");
    let job = jobs::id(&rapi.request("DELETE", "/2/instances/viarapi", None).unwrap().json()).unwrap();
    assert_eq!(jobs::wait(&mut cluster.luxi(), job, SOON).unwrap().status, "success");
    nothing_left(&cluster, "viarapi");
}

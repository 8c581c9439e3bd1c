//! NICs, disks and the template after requests, and what is refused.

use std::cell::Cell;
use std::sync::Arc;

use gannet_core::config::{Config, Disk, Instance, LogicalId, Nic, Object};
use gannet_core::opcode::InstanceSetParams;
use gannet_core::param::DiskTemplate;
use gannet_core::quantity::Timestamp;
use serde_json::{Value, json};

use super::disks::Outcome;
use super::story::{Story, Told};
use super::{checks, convert, disks, nics, params};
use crate::refusal::Refusal;
use crate::rule::sample;

/// The sample, whose instance has two disks and whose NIC is called `wan`.
fn config() -> Config {
    let mut config = sample::config();
    for (number, name) in [(1, None), (2, Some("data"))] {
        let mut disk = sample::disk(number, 1);
        disk.iv_name = format!("disk/{}", number - 1);
        disk.name = name.map(str::to_owned);
        let path = format!("/srv/ganeti/file-storage/web1.example.com/{number}.file.disk{}", number - 1);
        disk.logical_id = LogicalId::File { driver: "loop".to_owned(), path };
        config.put(Object::Disk(Arc::new(disk)));
    }
    let mut instance = sample::instance(1, 1);
    instance.disks.push(sample::disk(2, 1).uuid);
    instance.nics[0].name = Some("wan".to_owned());
    config.put(Object::Instance(Arc::new(instance)));
    config
}

fn op(field: &str, mods: Value) -> InstanceSetParams {
    let mut op = serde_json::to_value(InstanceSetParams::new("web1")).unwrap();
    op[field] = mods;
    serde_json::from_value(op).unwrap()
}

fn told(story: &Story) -> Vec<Value> {
    let line = |line: &Told| match line {
        Told::Change(name, value) => json!([name, value]),
        Told::Plug(name, _) => json!([name, "hotplug"]),
    };
    story.told.iter().map(line).collect()
}

fn instance(config: &Config) -> Instance {
    (**config.find_instance("web1").unwrap()).clone()
}

/// Addresses that count up.
fn assign() -> impl Fn(&mut Nic) -> Result<(), Refusal> {
    let count = Cell::new(0);
    move |nic: &mut Nic| {
        if nic.mac.is_empty() {
            count.set(count.get() + 1);
            nic.mac = format!("aa:00:00:ff:00:{:02x}", count.get());
        }
        Ok(())
    }
}

fn with_nics(mods: Value, hotplug: bool) -> Result<(Vec<Nic>, Vec<Value>), String> {
    let config = config();
    let mut story = Story::new(hotplug);
    let nics = nics::apply(&config, &instance(&config), &op("nics", mods), &assign(), &mut story).map_err(|refusal| refusal.message)?;
    let told = told(&story);
    Ok((nics, told))
}

#[test]
fn nics_come_change_and_go() {
    let (nics, told) = with_nics(json!([["add", -1, {"link": "br7", "ip": "192.0.2.9", "name": "lan"}]]), true).unwrap();
    assert_eq!(nics.len(), 2);
    assert_eq!(serde_json::to_value(&nics[1].nicparams).unwrap(), json!({"link": "br7"}));
    assert_eq!(
        told,
        [json!(["nic.1", "add:mac=aa:00:00:ff:00:01,ip=192.0.2.9,mode=bridged,link=br7,network=None"]), json!(["nic.1", "hotplug"])]
    );
    let (nics, told) = with_nics(json!([["modify", "wan", {"mac": "generate", "ip": "none", "name": null}]]), false).unwrap();
    assert_eq!((nics[0].mac.as_str(), &nics[0].name), ("aa:00:00:ff:00:01", &None));
    assert_eq!(
        told,
        [
            json!(["nic.mac/0", "aa:00:00:ff:00:01"]),
            json!(["nic.ip/0", null]),
            json!(["nic.name/0", null]),
            json!(["nic.link/0", "br0"]),
            json!(["nic.mode/0", "bridged"]),
            json!(["nic.vlan/0", ""])
        ]
    );
    let (nics, told) = with_nics(json!([["add", 0, {}], ["remove", 1, {}]]), true).unwrap();
    assert_eq!((nics.len(), nics[0].mac.as_str()), (1, "aa:00:00:ff:00:01"));
    assert_eq!(told[2..], [json!(["NIC/1", "remove"]), json!(["NIC/1", "hotplug"])]);
    let (nics, _) = with_nics(json!([["modify", 0, {"bridge": "br9"}], ["modify", 0, {"link": "default"}]]), false).unwrap();
    assert!(nics[0].nicparams.is_empty(), "back to what is inherited");
}

#[test]
fn what_nics_cannot_be_is_refused() {
    let refused = |mods: Value| with_nics(mods, false).unwrap_err();
    let with = |params: Value| refused(json!([["modify", 0, params]]));
    assert_eq!(with(json!({"ip": "1.2.3"})), "Invalid IP address '1.2.3'");
    assert_eq!(with(json!({"ip": "pool"})), "If ip=pool, parameter network cannot be none");
    assert_eq!(with(json!({"mode": "routed"})), "Cannot set the NIC IP address to None on a routed NIC if not attached to a network");
    assert_eq!(with(json!({"mode": "warp"})), "Invalid NIC mode 'warp'");
    assert_eq!(with(json!({"mac": "auto"})), "'auto' is not a valid MAC address when modifying an existing NIC");
    assert_eq!(with(json!({"mac": null})), "Cannot unset the NIC MAC address");
    assert_eq!(with(json!({"mac": "xx"})), "Invalid MAC address specified: xx");
    assert_eq!(with(json!({"network": "lan"})), "Network 'lan' not known");
    assert_eq!(with(json!({"network": "lan", "link": "br0"})), "If network is given mode or link should not");
    assert_eq!(with(json!({"link": "br0", "bridge": "br0"})), "Cannot pass 'bridge' and 'link' at the same time");
    assert!(with(json!({"vlan": ".7"})).contains("Open vSwitch"));
    assert!(with(json!({"name": "7"})).contains("neither a number"));
    assert_eq!(refused(json!([["attach", -1, {}]])), "Attach operation is not supported for NICs");
    assert_eq!(refused(json!([["detach", -1, {}]])), "Detach operation is not supported for NICs");
    assert_eq!(refused(json!([["remove", 0, {"ip": "none"}]])), "No settings should be passed when removing or detaching a NIC");
    assert_eq!(refused(json!([["remove", "lan", {}]])), "Cannot find NIC with identifier lan");
    assert_eq!(refused(json!(vec![json!(["add", -1, {}]); 8])), "Instance has too many network interfaces (8), cannot add more");
    assert!(refused(json!([["add", -1, {"name": "wan"}]])).contains("already used"));
    let same = json!({"mac": "aa:00:00:00:00:99"});
    assert!(refused(json!([["add", -1, same], ["add", -1, same]])).contains("used by two NICs"));
}

fn with_disks_in(config: &Config, mods: Value, hotplug: bool) -> Result<(Outcome, Vec<Value>), String> {
    let mut story = Story::new(hotplug);
    let outcome =
        disks::apply(config, &instance(config), &op("disks", mods), Timestamp(0), &mut story).map_err(|refusal| refusal.message)?;
    Ok((outcome, told(&story)))
}

fn with_disks(mods: Value, hotplug: bool) -> Result<(Outcome, Vec<Value>), String> {
    with_disks_in(&config(), mods, hotplug)
}

fn iv_names(outcome: &Outcome) -> Vec<&str> {
    outcome.disks.iter().map(|disk| disk.iv_name.as_str()).collect()
}

#[test]
fn disks_come_change_and_go() {
    let (added, told) = with_disks(json!([["add", 0, {"size": 64, "mode": "ro", "name": "log"}]]), true).unwrap();
    assert_eq!((added.disks.len(), iv_names(&added)), (3, vec!["disk/0", "disk/1", "disk/2"]));
    assert_eq!((added.new.len(), added.new[0].size.0, added.new[0].dev_type.as_str()), (1, 64, "file"));
    assert!(added.new[0].logical_id.path().unwrap().starts_with("/srv/ganeti/file-storage/web1.example.com/"));
    assert_eq!(told, [json!(["disk/0", "add:size=64,mode=ro"]), json!(["disk/0", "hotplug"])]);

    let (changed, told) = with_disks(json!([["modify", "data", {"mode": "ro", "name": "none"}]]), true).unwrap();
    assert!(changed.is_only_record());
    assert_eq!((changed.disks[1].mode.as_str(), &changed.disks[1].name), ("ro", &None));
    assert_eq!(told, [json!(["disk.mode/1", "ro"]), json!(["disk.name/1", null])]);

    let (removed, told) = with_disks(json!([["remove", 0, {}]]), false).unwrap();
    assert_eq!((removed.removed.len(), iv_names(&removed)), (1, vec!["disk/0"]));
    assert_eq!(removed.disks[0].name.as_deref(), Some("data"));
    assert_eq!(told, [json!(["disk/0", "remove"])]);

    let (detached, told) = with_disks(json!([["detach", -1, {}]]), true).unwrap();
    let (_, kept, index) = &detached.detached[0];
    assert_eq!((*index, kept.logical_id.path().unwrap()), (1, "/srv/ganeti/file-storage/2.file.disk1"));
    assert_eq!(told, [json!(["disk/1", "detach"]), json!(["disk/1", "hotplug"])]);
}

/// The sample with a disk of nobody on node `on`.
fn with_loose_disk(on: u32, name: &str) -> (Config, Disk) {
    let mut config = config();
    let mut loose = sample::disk(7, on);
    loose.name = Some(name.to_owned());
    config.put(Object::Disk(Arc::new(loose.clone())));
    (config, loose)
}

#[test]
fn a_loose_disk_is_attached_by_name_or_uuid() {
    let (config, loose) = with_loose_disk(1, "old");
    for request in [json!({"name": "old"}), json!({"uuid": loose.uuid})] {
        let (outcome, told) = with_disks_in(&config, json!([["attach", 1, request]]), false).unwrap();
        assert_eq!((outcome.attached.len(), &outcome.disks[1].uuid), (1, &loose.uuid));
        assert!(outcome.disks[1].logical_id.path().unwrap().starts_with("/srv/ganeti/file-storage/web1.example.com/"));
        assert_eq!(told, [json!(["disk/1", "attach:size=1024,mode=rw"])]);
    }
    let refused = |config: &Config, request: Value| with_disks_in(config, json!([["attach", -1, request]]), false).unwrap_err();
    assert_eq!(refused(&config, json!({"name": "none"})), "No disk was found with this name: none");
    assert_eq!(refused(&config, json!({"uuid": "x"})), "No disk was found with this UUID: x");
    assert_eq!(refused(&config, json!({})), "Only one argument is permitted in attach op, either name or uuid");
    assert!(refused(&config, json!({"name": "data"})).ends_with("is already attached to instance web1.example.com"));
    let (elsewhere, _) = with_loose_disk(2, "old");
    assert_eq!(
        refused(&elsewhere, json!({"name": "old"})),
        "Disk nodes are node2.example.com while the instance's nodes are node1.example.com"
    );
}

#[test]
fn what_disks_cannot_be_is_refused() {
    let refused = |mods: Value| with_disks(mods, false).unwrap_err();
    let add = |params: Value| refused(json!([["add", -1, params]]));
    assert_eq!(add(json!({})), "Missing disk size");
    assert_eq!(add(json!({"size": 0})), "Invalid disk size '0'");
    assert_eq!(add(json!({"size": 1, "mode": "x"})), "Invalid disk access mode 'x'");
    assert!(add(json!({"size": 1, "dev_type": "sharedfile"})).contains("cannot be part of an instance with the disk template file"));
    assert!(add(json!({"size": 1, "metavg": "x"})).contains("'metavg'"));
    assert!(add(json!({"size": 1, "name": "data"})).contains("already used"));
    assert_eq!(refused(json!([["modify", 0, {"size": 1}]])), "Disk size change not possible, use grow-disk");
    assert!(refused(json!([["modify", 0, {"vg": "x"}]])).contains("'vg' cannot be changed"));
    assert_eq!(refused(json!([["remove", 2, {}]])), "Got disk index 2, but there are only 2");
    assert_eq!(refused(json!([["remove", 0, {"size": 1}]])), "No settings should be passed when removing or detaching a disk");
    assert_eq!(refused(json!(vec![json!(["add", -1, {"size": 1}]); 15])), "Instance has too many disks (16), cannot add more");
    assert!(refused(json!([["add", 0, {"size": 1}], ["remove", 0, {}]])).contains("takes it away again"));
    let mut diskless = config();
    diskless.put(Object::Instance(Arc::new(Instance { disks: Vec::new(), ..instance(&diskless) })));
    let to_diskless = |params: Value| with_disks_in(&diskless, json!([["add", -1, params]]), false);
    assert_eq!(to_diskless(json!({"size": 1})).unwrap_err(), "Must specify disk type on diskless instance");
    assert_eq!(to_diskless(json!({"size": 1, "dev_type": "sharedfile"})).unwrap().0.new[0].dev_type, "sharedfile");
    assert!(to_diskless(json!({"size": 1, "dev_type": "drbd"})).unwrap_err().contains("not available"));
}

#[test]
fn disks_are_converted_to_another_file_based_template() {
    let config = config();
    let web = instance(&config);
    let to = |config: &Config, template| convert::pairs(config, &web, &InstanceSetParams::new("web1"), template, Timestamp(0));
    let pairs = to(&config, DiskTemplate::SharedFile).unwrap();
    assert_eq!(pairs.len(), 2);
    let (old, new) = &pairs[1];
    assert_eq!((new.dev_type.as_str(), new.size, new.nodes.len(), new.name.as_deref()), ("sharedfile", old.size, 0, Some("data")));
    assert_ne!(old.uuid, new.uuid);
    assert!(new.logical_id.path().unwrap().starts_with("/srv/ganeti/shared-file-storage/web1.example.com/"));
    let refused = |template| to(&config, template).unwrap_err().message;
    assert_eq!(refused(DiskTemplate::File), "Instance already has disk template file");
    assert_eq!(refused(DiskTemplate::Diskless), "Conversion to the 'diskless' disk template is not supported");
    assert!(refused(DiskTemplate::Drbd).contains("not available"));
    let diskless = Instance { disks: Vec::new(), ..web.clone() };
    let none = convert::pairs(&config, &diskless, &InstanceSetParams::new("web1"), DiskTemplate::File, Timestamp(0));
    assert_eq!(none.unwrap_err().message, "Conversion from the 'diskless' disk template is not supported");
    let both = convert::pairs(&config, &web, &op("disks", json!([["remove", 0, {}]])), DiskTemplate::SharedFile, Timestamp(0));
    assert!(both.unwrap_err().message.contains("not supported at the same time"));
}

#[test]
fn private_os_parameters_are_stored_and_not_shown() {
    let mut web = instance(&config());
    web.osparams_private.insert("old".to_owned(), "x".to_owned());
    let mut story = Story::new(false);
    let request = op("osparams_private", json!({"token": "sesame", "old": "default"}));
    params::os(&mut web, &request, &mut story).unwrap();
    assert_eq!(web.osparams_private.into_iter().collect::<Vec<_>>(), [("token".to_owned(), "sesame".to_owned())]);
    let told = json!(told(&story)).to_string();
    assert!(told.contains("os_private/token") && !told.contains("sesame"), "{told}");
}

#[test]
fn options_without_a_meaning_are_refused() {
    let refused = |field: &str, value: Value| checks::arguments(&op(field, value)).unwrap_err().message;
    assert!(refused("remote_node", json!("node2")).contains("secondary node"));
    assert!(refused("iallocator", json!("hail")).contains("iallocator"));
    assert!(refused("file_driver", json!("loop")).contains("file driver"));
    assert!(refused("file_storage_dir", json!("x")).contains("file storage directory"));
    assert!(refused("ext_params", json!({"a": "b"})).contains("ext"));
    assert!(refused("instance_communication", json!(true)).contains("not available"));
}

//! What every sub-command submits, with all its options. The command itself reads its opcode with core's strict parser before it is
//! sent, so that a command line that succeeds here has built one that the master takes.

use std::collections::{BTreeMap, BTreeSet};

use gannet_core::opcode::OpCode;
use serde_json::{Value, json};

use crate::support::{Master, response};

/// Command lines that submit a job. Together they give every option of every built sub-command that does.
const LINES: &[&str] = &[
    "gnt-backup remove --dry-run --priority low --submit web1",
    "gnt-cluster activate-master-ip",
    "gnt-cluster add-tags --priority high --print-jobid --from FILE t1 t2",
    "gnt-cluster add-tags --submit t1",
    "gnt-cluster deactivate-master-ip --yes",
    "gnt-cluster modify --add-uids 5 -B vcpus=2,maxmem=1g -C 3 --compression-tools gzip,lzop --data-collector-interval diskstats=5 \
     -I hail --default-iallocator-params a=b -D drbd:resync-rate=3 --disk-state plain/xenvg:disk_reserved=5 --dry-run \
     --drbd-usermode-helper /bin/true --enabled-data-collectors diskstats=no --enabled-disk-templates file,diskless --enabled-hypervisors \
     kvm,fake --file-storage-dir /f --force -H kvm:acpi=true -H fake: --hypervisor-state kvm:mem_total=5 \
     --install-image /i --instance-communication-network net --ipolicy-bounds-specs \
     min:disk-size=1g,cpu-count=1/max:disk-size=2t,cpu-count=9 --ipolicy-disk-templates file,plain --ipolicy-spindle-ratio 3 \
     --ipolicy-std-specs memory-size=1g --ipolicy-vcpu-ratio default -m aa:bb:cc --maintain-node-health yes --master-netdev eth1 \
     --master-netmask 24 --max-running-jobs 5 --max-tracked-jobs 6 --modify-etc-hosts no -N mode=bridged,link=br1 --node-parameters \
     ssh_port=23 --prealloc-wipe-disks no --print-jobid --priority normal --remove-uids 6-7 --reserved-lvs a,b --shared-file-storage-dir /s \
     --uid-pool 1-2,9 --use-external-mip-script no --user-shutdown yes --vg-name xenvg --zeroing-image /z",
    "gnt-cluster modify --submit -C 5",
    "gnt-cluster redist-conf --dry-run --print-jobid --priority low",
    "gnt-cluster redist-conf --submit",
    "gnt-cluster remove-tags --from FILE --print-jobid --priority high t1",
    "gnt-cluster remove-tags --submit t1",
    "gnt-cluster rename --dry-run -f new.example.com",
    "gnt-cluster repair-disk-sizes --dry-run --priority low web1 web2",
    "gnt-cluster search-tags --priority low ^a",
    "gnt-cluster verify --debug-simulate-errors --dry-run --error-codes -I ENODELVM -I ENODEN1 --no-hv-param-assessment --no-nplus1-mem -g g1 \
     --priority low -v --verify-ssh-clutter",
    "gnt-cluster verify-disks --no-strict -g g1 --priority low",
    "gnt-debug delay --dry-run -i -l --no-master --print-jobid --priority low -r 3 -n n1 -n n2 1.5",
    "gnt-debug delay --submit 0",
    "gnt-debug iallocator --count 3 --dir out -t file --disks 1g,2g --dry-run --evac-mode primary-only -I hail --memory 1g -m allocate --nics \
     aa:00:00:00:00:01 -o os --priority low --spindle-use 2 --tags a,b --target-groups g1 -p 2 web1",
    "gnt-debug iallocator -m node-evacuate web1 web2",
    "gnt-debug submit-job --dry-run --each --job-repeat 1 --op-repeat 2 --priority low --timing-stats -v JOB",
    "gnt-debug test-osparams --os-parameters-secret a=b --print-jobid",
    "gnt-debug test-osparams --submit",
    "gnt-group add --alloc-policy preferred -D file: --disk-state plain/xenvg:disk_total=5 --dry-run --hypervisor-state kvm:mem_node=5 \
     --ipolicy-bounds-specs min:disk-count=1/max:disk-count=2 --ipolicy-disk-templates file --ipolicy-spindle-ratio 3 --ipolicy-vcpu-ratio 4.5 \
     --node-parameters ovs=true --print-jobid --priority low g1",
    "gnt-group add --submit g1",
    "gnt-group add-tags --print-jobid g1 t1",
    "gnt-group assign-nodes --dry-run --force --print-jobid --priority low g1 n1 n2",
    "gnt-group assign-nodes --submit g1 n1",
    "gnt-group evacuate --early-release --force-failover -I hail --print-jobid --sequential --to g2 --to g3 g1",
    "gnt-group modify --alloc-policy last_resort -D file: --disk-state plain/xenvg:disk_total=5 --dry-run --hypervisor-state kvm:mem_node=5 \
     --ipolicy-bounds-specs min:disk-count=1/max:disk-count=2 --ipolicy-disk-templates file --ipolicy-spindle-ratio 3 --ipolicy-vcpu-ratio 4.5 \
     --node-parameters ovs=true --print-jobid --priority low g1",
    "gnt-group modify --submit --alloc-policy preferred g1",
    "gnt-group remove --dry-run --print-jobid --priority low g1",
    "gnt-group remove-tags --print-jobid g1 t1",
    "gnt-group rename --dry-run --print-jobid --priority low g1 g2",
    "gnt-instance activate-disks --ignore-size --wait-for-sync --print-jobid --priority low web1",
    "gnt-instance add -B memory=512,vcpus=2 -c no --commit --disk 0:size=1g,mode=rw --disk 1:size=512,name=data -t file --dry-run --file-driver loop \
     --file-storage-dir sub --force-variant --forthcoming --helper-shutdown-timeout 5 --helper-startup-timeout 6 -H kvm:acpi=false,boot_order=-x \
     --ignore-ipolicy --ip-check --name-check --net 0:link=br0,ip=10.0.0.1 --no-conflicts-check --no-install --no-start --no-wait-for-sync \
     -n n1:n2 -g g1 --opportunistic-locking -O a=b --os-parameters-private c=d --os-parameters-secret e=f --print-jobid --priority high -o debian+12 \
     --tags x,y web1",
    "gnt-instance add -t plain -s 10g -I hail --no-nics --no-ip-check --no-name-check --submit -o debian web1",
    "gnt-instance add -t diskless -o debian --reason why --debug -n n1 web1",
    "gnt-instance add-tags --print-jobid --priority low --from FILE web1",
    "gnt-instance batch-create --dry-run -I hail --print-jobid --priority low BATCH",
    "gnt-instance change-group --early-release -I hail --priority low --to g2 web1",
    "gnt-instance console --priority low web1",
    "gnt-instance deactivate-disks --dry-run -f --print-jobid --priority low web1",
    "gnt-instance failover --cleanup --dry-run -f --ignore-consistency --ignore-ipolicy --print-jobid --priority low --shutdown-timeout 5 -n n2 web1",
    "gnt-instance failover -f -I hail --submit web1",
    "gnt-instance grow-disk --absolute --dry-run --ignore-ipolicy --no-wait-for-sync --print-jobid --priority low web1 0 1g",
    "gnt-instance info --priority low --roman -s web1",
    "gnt-instance migrate --allow-failover --cleanup --dry-run -f -I hail --ignore-hvversions --ignore-ipolicy --migration-mode non-live \
     --no-runtime-changes --print-jobid --priority low web1",
    "gnt-instance migrate -f --non-live -n n2 --submit web1",
    "gnt-instance modify -B maxmem=1g -c yes --disk add:size=1g --disk 0:mode=ro --disk 1:remove -t plain --dry-run -e a=b --file-driver loop \
     --file-storage-dir sub -f --force-variant -H acpi=default -I hail --ignore-ipolicy --net 0:ip=none,link=br1 --net add --new-primary n2 \
     --no-conflicts-check --no-hotplug --no-wait-for-sync -n n3 -O a=b --os-parameters-private c=d -o os --print-jobid --priority low -m 512 web1",
    "gnt-instance modify --offline --submit web1",
    "gnt-instance modify --online web1",
    "gnt-instance move --compress gzip --dry-run -f --ignore-consistency --ignore-ipolicy -n n2 --print-jobid --priority low --shutdown-timeout 5 web1",
    "gnt-instance reboot --dry-run --ignore-secondaries --instance --print-jobid --priority low --shutdown-timeout 5 -t soft web1",
    "gnt-instance reboot --all --force-multiple",
    "gnt-instance recreate-disks --disk 1 --disk 0 --dry-run --print-jobid --priority low -n n1:n2 web1",
    "gnt-instance recreate-disks --disk 1:size=1g -I hail web1",
    "gnt-instance reinstall --dry-run -f --force-variant -O a=b --os-parameters-private c=d --os-parameters-secret e=f -o os --print-jobid --priority low web1",
    "gnt-instance reinstall -f --force-multiple --all",
    "gnt-instance remove --dry-run -f --ignore-failures --print-jobid --priority low --shutdown-timeout 5 web1",
    "gnt-instance remove-tags --print-jobid --priority low --from FILE web1",
    "gnt-instance rename --dry-run --ip-check --name-check --print-jobid --priority low web1 web2",
    "gnt-instance replace-disks --dry-run --disks 0,1 --early-release --ignore-ipolicy -p --print-jobid --priority low web1",
    "gnt-instance replace-disks -I hail web1",
    "gnt-instance replace-disks -n n3 web1",
    "gnt-instance replace-disks -s web1",
    "gnt-instance replace-disks -a web1",
    "gnt-instance shutdown --dry-run -f --ignore-offline --no-remember --print-jobid --priority low --timeout 5 web1",
    "gnt-instance shutdown --force-multiple --tags t1",
    "gnt-instance startup -B vcpus=2 --dry-run -f -H acpi=true --ignore-offline --no-remember --paused --print-jobid --priority low web1",
    "gnt-instance startup --force-multiple --node n1",
    "gnt-instance startup --force-multiple --primary n1",
    "gnt-instance startup --force-multiple --secondary n1",
    "gnt-instance startup --force-multiple --node-tags t",
    "gnt-instance startup --force-multiple --pri-node-tags t",
    "gnt-instance startup --force-multiple --sec-node-tags t",
    "gnt-network add --add-reserved-ips 10.0.0.5 --dry-run --gateway 10.0.0.1 --gateway6 fe80::1 -m aa:bb:cc --network 10.0.0.0/24 --network6 \
     fe80::/64 --no-conflicts-check --print-jobid --priority low --tags a net1",
    "gnt-network add-tags --print-jobid net1 t",
    "gnt-network connect -N mode=routed,link=100 --no-conflicts-check --priority low net1 g1",
    "gnt-network disconnect --priority low net1 g1",
    "gnt-network modify --add-reserved-ips 10.0.0.5 --remove-reserved-ips 10.0.0.6 --dry-run --gateway 10.0.0.9 --gateway6 fe80::1 -m aa:bb:cc --network6 \
     fe80::/64 --print-jobid --priority low net1",
    "gnt-network remove --dry-run -f --print-jobid --priority low net1",
    "gnt-network remove-tags --print-jobid net1 t",
    "gnt-network rename --dry-run --print-jobid --priority low net1 net2",
    "gnt-node add-tags --print-jobid n1 t",
    "gnt-node evacuate --early-release -f -I hail --ignore-soft-errors --print-jobid --priority low -p n1",
    "gnt-node evacuate -f -n n3 n1",
    "gnt-node evacuate -f -s n1",
    "gnt-node failover -f -I hail --ignore-consistency --priority low n1",
    "gnt-node health --no-headers --oob-timeout 5 --priority low --separator : n1",
    "gnt-node list-storage --no-headers -o node,name --priority low --separator : -t file --units m n1",
    "gnt-node migrate -f -I hail --ignore-ipolicy --migration-mode live --no-runtime-changes --print-jobid --priority low n1",
    "gnt-node migrate -f --non-live -n n2 n1",
    "gnt-node modify --auto-promote --disk-state plain/xenvg:disk_total=5 -D no --dry-run -f --hypervisor-state kvm:mem_node=5 -C yes \
     --master-capable yes --node-parameters ssh_port=23 --node-powered yes -O no --print-jobid --priority low -s 10.0.0.1 --vm-capable yes n1",
    "gnt-node modify-storage --allocatable no --dry-run --print-jobid --priority low n1 lvm-pv /dev/sda1",
    "gnt-node power -f --ignore-status --no-headers --oob-timeout 5 --power-delay 1.5 --print-jobid --priority low --separator : off n1",
    "gnt-node power --no-headers status",
    "gnt-node powercycle --dry-run -f --print-jobid --priority low --yes n1",
    "gnt-node remove --dry-run --priority low n1",
    "gnt-node remove-tags --print-jobid n1 t",
    "gnt-node repair-storage --dry-run --ignore-consistency --print-jobid --priority low n1 lvm-vg xenvg",
    "gnt-node restricted-command -g g1 --print-jobid --priority low -M --sync cmd",
    "gnt-node volumes --no-headers -o node,size --priority low --separator : --units g n1",
    "gnt-os diagnose --priority low",
    "gnt-os info --priority low os",
    "gnt-os list --no-headers --priority low",
    "gnt-os modify --blacklisted no --dry-run --hidden yes -H kvm:acpi=true -O a=b --os-parameters-private c=d --print-jobid --priority low os",
    "gnt-storage diagnose --priority low",
    "gnt-storage info --priority low p",
    "gnt-cluster destroy --yes-do-it",
];

/// Sub-commands that only ask, or talk to the master in other ways; other tests are theirs.
const OTHERS: &[&str] = &[
    "gnt-backup list",
    "gnt-cluster command",
    "gnt-cluster copyfile",
    "gnt-cluster getmaster",
    "gnt-cluster master-failover",
    "gnt-cluster info",
    "gnt-cluster init",
    "gnt-cluster master-ping",
    "gnt-cluster queue",
    "gnt-cluster recover",
    "gnt-cluster show-ispecs-cmd",
    "gnt-cluster version",
    "gnt-cluster watcher",
    "gnt-debug locks",
    "gnt-debug test-jobqueue",
    "gnt-filter add",
    "gnt-filter delete",
    "gnt-filter info",
    "gnt-filter list",
    "gnt-filter replace",
    "gnt-group info",
    "gnt-group list",
    "gnt-group show-ispecs-cmd",
    "gnt-instance list",
    "gnt-job archive",
    "gnt-job autoarchive",
    "gnt-job cancel",
    "gnt-job change-priority",
    "gnt-job info",
    "gnt-job list",
    "gnt-job wait",
    "gnt-job watch",
    "gnt-network info",
    "gnt-network list",
    "gnt-node add",
    "gnt-node info",
    "gnt-node list",
];

fn master() -> Master {
    let rows = |rows: Value| response(&[("name", "n", "text")], rows);
    Master::new()
        .job(json!([[true, "output"]]))
        .answer("Query", rows(json!([["web1", ["web1"], ["web2"]]])))
        .answer("Query node pinst_list,sinst_list", rows(json!([[["web1", "web2"], ["web3"]]])))
        .answer("Query node name,offline,master", rows(json!([["n1", false, false]])))
        .answer("QueryInstances", json!([["web1"]]))
        .answer("QueryConfigValues", json!(["old.example.com"]))
}

/// The opcodes a command line submits, without what changes from run to run and what is at its default.
fn submitted(line: &str) -> Result<Vec<Value>, String> {
    let master = master();
    let write = |name: &str, text: &str| {
        std::fs::write(master.root().join(name), text).unwrap();
        master.root().join(name).display().to_string()
    };
    std::fs::create_dir_all(master.root().join("var/lib/ganeti")).unwrap();
    let file = write("tags", "f1\n\nf2\n");
    let job = write("job", r#"[{"OP_ID": "OP_TEST_DELAY", "duration": 0.5}]"#);
    let batch = write("batch", r#"[{"instance_name": "web1", "disk_template": "diskless", "os_type": "os"}]"#);
    let words: Vec<&str> = line
        .split_whitespace()
        .map(|word| match word {
            "FILE" => &file,
            "JOB" => &job,
            "BATCH" => &batch,
            word => word,
        })
        .collect();
    let output = master.run_words(&words);
    if output.err.contains("unread option") || output.err.contains("Failure") || output.code == 2 {
        return Err(format!("{line}\n{output:?}"));
    }
    let single = ["SubmitJob", "SubmitJobToDrainedQueue"].iter().flat_map(|method| master.asked(method)).map(|args| args[0].clone());
    let many = master.asked("SubmitManyJobs").into_iter().flat_map(|args| args[0].as_array().unwrap().clone());
    let ops: Vec<Value> = single.chain(many).flat_map(|job| job.as_array().unwrap().clone()).collect();
    if ops.is_empty() { Err(format!("{line}\nsubmitted nothing: {output:?}")) } else { Ok(ops) }
}

fn without_noise(op: &Value) -> Value {
    let read = OpCode::from_json(op.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&read).unwrap(), op, "the opcode changes when it is read");
    read.check_submit().unwrap();
    let mut op = op.clone();
    for entry in op["reason"].as_array_mut().unwrap() {
        entry[2] = json!(0);
    }
    let is_noise = |value: &Value| value.is_null() || *value == json!([]) || *value == json!({}) || *value == json!(false);
    op.as_object_mut().unwrap().retain(|_, value| !is_noise(value));
    op
}

#[test]
fn command_lines_become_opcodes() {
    let mut snapshots: BTreeMap<&str, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in LINES {
        let text = snapshots.entry(line.split(' ').next().unwrap()).or_default();
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.push_str(&format!("{line}\n"));
        match submitted(&line) {
            Ok(ops) => ops.iter().for_each(|op| text.push_str(&format!("    {}\n", without_noise(op)))),
            Err(error) => wrong.push(error),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    for (program, text) in snapshots {
        insta::assert_snapshot!(format!("opcodes_of_{program}"), text);
    }
}

/// A sub-command that submits jobs and is built must be in the list above, with each of its options.
#[test]
fn the_list_is_complete() {
    let mut given: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for line in LINES {
        let words: Vec<&str> = line.split_whitespace().collect();
        given.entry(format!("{} {}", words[0], words[1])).or_default().extend(&words[2..]);
    }
    let mut missing = Vec::new();
    for program in gannet_cli::spec::PROGRAMS {
        for command in program.commands {
            let name = format!("{} {}", program.name, command.name);
            let Some(built) = gannet_cli::built(program, command) else { continue };
            if OTHERS.contains(&name.as_str()) || command.name == "list-tags" || command.name == "list-fields" {
                continue;
            }
            let Some(words) = given.get(&name) else {
                missing.push(name);
                continue;
            };
            // Handled in one place for all commands; tags differ in their kind only.
            let shared = ["submit", "print-jobid", "yes-do-it"];
            let skip = |id: &str| built.missing().contains(&id) || shared.contains(&id) || command.name.ends_with("-tags");
            for option in command.options.iter().filter(|option| !skip(option.id())) {
                let letter = option.short.map(|letter| format!("-{letter}")).unwrap_or_default();
                if !words.contains(option.typed().as_str()) && !words.contains(letter.as_str()) {
                    missing.push(format!("{name} {}", option.typed()));
                }
            }
        }
    }
    // These need a terminal, or are looked at before anything is submitted.
    let exempt = ["gnt-instance reinstall --select-os", "gnt-instance info --all", "gnt-instance console --show-cmd"];
    missing.retain(|name| !exempt.contains(&name.as_str()) && !is_selection(name));
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The options that select instances are the same in four commands; `startup` has lines for all of them.
fn is_selection(name: &str) -> bool {
    const OPTIONS: [&str; 10] = [
        "--all",
        "--instance",
        "--node",
        "--primary",
        "--secondary",
        "--tags",
        "--node-tags",
        "--pri-node-tags",
        "--sec-node-tags",
        "--force-multiple",
    ];
    ["reboot", "reinstall", "shutdown", "startup"].iter().any(|command| name.starts_with(&format!("gnt-instance {command} ")))
        && OPTIONS.iter().any(|option| name.ends_with(option))
}

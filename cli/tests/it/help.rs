//! Help and versions.

use crate::support::Master;

#[test]
fn help_of_commands() {
    let master = Master::new();
    insta::assert_snapshot!("help_startup", master.run("gnt-instance startup --help").all());
    insta::assert_snapshot!("help_add", master.run("gnt instance add -h").all());
    insta::assert_snapshot!("help_program", master.run("gnt-cluster --help").all());
}

#[test]
fn programs_and_versions() {
    let master = Master::new();
    let by_name = master.run("gnt-instance startup --help").out;
    assert_eq!(master.run("gnt instance startup --help").out, by_name);
    assert_eq!(master.run("/usr/bin/gnt-instance start --help").out, by_name);
    let version = master.run("gnt-node --version");
    assert_eq!(version.code, 0);
    assert!(version.out.starts_with("gnt-node (ganeti gannet-") && version.out.ends_with(" 3.1.1\n"), "{}", version.out);
    assert_eq!(master.run("gnt --help").code, 0);
    assert_eq!(master.run("gnt").code, 1);
    assert_eq!(master.run("gnt-node").code, 1);
}

/// A start must take 10 ms in a release build; this is a debug build on a machine that does other things, so the limit is wide:
/// what it finds is a runtime or a compiled expression at start.
#[test]
fn help_is_quick() {
    let master = Master::new();
    let fastest = (0..10)
        .map(|_| {
            let begin = std::time::Instant::now();
            assert_eq!(master.run("gnt-instance --help").code, 0);
            begin.elapsed()
        })
        .min()
        .unwrap();
    assert!(fastest < std::time::Duration::from_millis(100), "{fastest:?}");
}

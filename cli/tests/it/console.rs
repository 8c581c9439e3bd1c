//! `gnt-instance console`

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;

use serde_json::json;

use crate::support::Master;

#[test]
fn a_serial_console_is_relayed() {
    let master = Master::new();
    let path = master.root().join("console-1");
    let listener = UnixListener::bind(&path).unwrap();
    let guest = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"login: ").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        rest
    });
    let master = master.job(json!({"instance": "web1.example.com", "kind": "unix", "command": path}));
    let output = master.run("gnt-instance console web1");
    assert_eq!((output.code, output.out.as_str()), (0, "login: "), "{output:?}");
    assert!(output.err.starts_with("Console of web1.example.com; Ctrl-] leaves it.\n"), "{}", output.err);
    assert!(guest.join().unwrap().is_empty());
    let shown = master.run("gnt-instance console --show-cmd web1");
    assert_eq!(shown.out, "socat -,raw,echo=0,escape=0x1d UNIX-CONNECT:ROOT/console-1\n");
}

#[test]
fn other_consoles_are_told_about() {
    let vnc = Master::new().job(json!({"instance": "web1", "kind": "vnc", "host": "n1", "port": 11000, "display": 5100}));
    assert_eq!(
        vnc.run("gnt-instance console web1").out,
        "Instance web1 has VNC listening on n1:11000 (display 5100), URL <vnc://n1:11000/>\n"
    );
    let message = Master::new().job(json!({"instance": "web1", "kind": "msg", "message": "No console"}));
    assert_eq!(message.run("gnt-instance console web1").out, "No console\n");
    let ssh =
        Master::new().job(json!({"instance": "web1", "kind": "ssh", "host": "n1", "user": "root", "command": ["xl", "console", "web 1"]}));
    assert_eq!(
        ssh.run("gnt-instance console --show-cmd web1").out,
        "ssh -t -oEscapeChar=none -oHashKnownHosts=no root@n1 'xl console '\\''web 1'\\'''\n"
    );
}

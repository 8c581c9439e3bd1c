//! The placement tools beside monitoring daemons that answer, and that do not.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use gannet_qa::htools::command::{self, DATA, Line, REQUEST};
use gannet_qa::htools::compare::Pair;
use gannet_qa::htools::generate::{Profile, cluster};
use gannet_qa::htools::model::Cluster;
use gannet_qa::htools::{iallocator, mond, text};
use gannet_qa::output::run;
use gannet_qa::programs::Programs;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Where monitoring daemons listen.
const PORT: u16 = 1815;
/// What a silent node may cost: the tools wait 5 s for one.
const LIMIT: Duration = Duration::from_secs(60);

/// What a daemon does when it is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    Good,
    /// There is none.
    Absent,
    /// It takes the request and says nothing.
    Silent,
    /// It knows no such report.
    NotFound,
    /// It answers with something else.
    Garbage,
    /// It sends its answer in small pieces, for ever.
    Endless,
}

/// A cluster whose nodes are addresses on loopback, below `127.n`.
fn on_loopback(n: u8, seed: u64) -> Cluster {
    let profile = Profile { nodes: (4, 4), density: 4, groups: 1, unequal: true, ..Profile::default() };
    let mut made = cluster(&profile, seed);
    for (at, node) in made.nodes.iter_mut().enumerate() {
        node.name = address(n, at).to_string();
    }
    made
}

fn address(n: u8, at: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, n, 18, u8::try_from(at + 1).expect("few nodes"))
}

/// Starts daemons; they end with the test program.
fn daemons(n: u8, made: &Cluster, manner: impl Fn(usize) -> Manner) {
    let mut rng = StdRng::seed_from_u64(5);
    for at in (0..made.nodes.len()).filter(|at| manner(*at) != Manner::Absent) {
        let reports = ["cpu-avg-load", "xen-cpu-avg-load"].map(|name| format!("/1/report/default/{name}"));
        let bodies = [mond::of_node(made, at, &mut rng).to_string(), mond::of_instances(made, at, &mut rng).to_string()];
        let pages = Arc::new(reports.into_iter().zip(bodies).collect::<Vec<_>>());
        let listener = TcpListener::bind((address(n, at), PORT)).expect("the port is free");
        let manner = manner(at);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let pages = Arc::clone(&pages);
                std::thread::spawn(move || drop(answer(stream, &pages, manner)));
            }
        });
    }
}

fn answer(mut stream: TcpStream, pages: &[(String, String)], manner: Manner) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default();
    // Up to the end of the head.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let page = pages.iter().find(|(known, _)| known == path).map(|(_, body)| body.as_str());
    let (status, body) = match (manner, page) {
        (Manner::Good, Some(body)) => ("200 OK", body),
        (Manner::Garbage, _) => ("200 OK", "[1, 2"),
        (Manner::Silent, _) => {
            lines.next();
            return Ok(());
        }
        (Manner::Endless, _) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                stream.write_all(b" ")?;
                std::thread::sleep(Duration::from_millis(200));
            }
        }
        _ => ("404 Not Found", "no such report"),
    };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

/// With all daemons in good order, Debian's tools and ours say the same.
#[test]
fn loads_are_asked_for() {
    let made = on_loopback(81, 3);
    daemons(81, &made, |_| Manner::Good);
    let programs = Programs::find().expect("the programs are built");
    let pair = Pair::find(&programs.bin_dir).expect("both programs are there");
    let scratch = tempfile::tempdir().expect("a temporary directory can be made");
    let data = text::write(&made);
    let mut rng = StdRng::seed_from_u64(7);
    let request = iallocator::input(&made, &iallocator::requests(&made, &mut rng)[0]).to_string();
    let line = |tool, args: &[&str]| Line { tool, args: args.iter().map(|arg| (*arg).to_owned()).collect() };
    for line in [
        line("hinfo", &["-t", DATA, "-p", "--mond"]),
        line("hbal", &["-t", DATA, "-p", "--mond=yes", "--exit-on-missing-mond-data", "-C"]),
        line("hbal", &["-t", DATA, "-p", "--mond", "--mond-xen", "-C"]),
        line("hail", &["-p", "--mond", REQUEST]),
        line("hail", &["-p", "--mond", "--mond-xen", REQUEST]),
    ] {
        let verdict = pair.run(&line, &[(DATA, &data), (REQUEST, &request)], scratch.path()).expect("both run").expect("in time");
        assert!(verdict.differences.is_empty(), "{line:?}\n{}", verdict.differences.join("\n"));
        assert_eq!(verdict.code, 0, "{line:?}");
    }
}

/// Whatever a single daemon does: the loads are left alone, the tool says so and ends in time.
#[test]
fn daemons_that_do_not_answer() {
    let programs = Programs::find().expect("the programs are built");
    let scratch = tempfile::tempdir().expect("a temporary directory can be made");
    let cases = [
        (Manner::Absent, true),
        (Manner::Silent, true),
        (Manner::NotFound, true),
        (Manner::Endless, true),
        // The daemon was reached.
        (Manner::Garbage, false),
    ];
    for (n, (manner, unreached)) in (90_u8..).zip(cases) {
        let made = on_loopback(n, 3);
        daemons(n, &made, |at| if at == 2 { manner } else { Manner::Good });
        let path = scratch.path().join(DATA);
        std::fs::write(&path, text::write(&made)).expect("the file can be written");
        let tool = |args: &[&str]| {
            let mut command = Command::new(programs.bin_dir.join("htools"));
            command.env("HTOOLS", "hinfo").arg("-t").arg(&path).args(args);
            if args.contains(&"--exit-on-missing-mond-data") {
                command.env("HTOOLS", "hbal");
            }
            run(&mut command, LIMIT).expect("the tool ends in time")
        };
        let without = tool(&[]);
        let with = tool(&["--mond"]);
        assert_eq!((with.code(), &with.stdout), (0, &without.stdout), "{manner:?}: {}", with.stderr);
        assert!(with.stderr.contains("Didn't receive an answer by all MonDs, cpu-avg-load's data will be ignored."), "{}", with.stderr);
        let named = format!("Failed to contact node's {} MonD for DC cpu-avg-load", made.nodes[2].name);
        assert_eq!(with.stderr.contains(&named), unreached, "{manner:?}: {}", with.stderr);
        assert_eq!(with.stderr.matches("Failed to contact").count(), usize::from(unreached), "{}", with.stderr);
        let strict = tool(&["--mond", "--exit-on-missing-mond-data"]);
        assert_eq!(strict.code(), 1, "{manner:?}");
        assert!(strict.stderr.contains("Error: Not all required data available"), "{}", strict.stderr);
    }
}

/// Without `--mond` nobody is asked, and the other options mean nothing; a file is read only with it.
#[test]
fn nobody_is_asked_without_need() {
    let mut rng = StdRng::seed_from_u64(1);
    let made = on_loopback(99, 3);
    let programs = Programs::find().expect("the programs are built");
    let scratch = tempfile::tempdir().expect("a temporary directory can be made");
    let path = scratch.path().join(DATA);
    std::fs::write(&path, text::write(&made)).expect("the file can be written");
    let line = command::hinfo(&made, &mut rng);
    for args in [&["--mond=no"][..], &["--mond-data=/nonexistent"], &["--mond", "--ignore-dynu"]] {
        let mut command = Command::new(programs.bin_dir.join("htools"));
        command.env("HTOOLS", line.tool).arg("-t").arg(&path).args(args);
        let output = run(&mut command, LIMIT).expect("the tool ends");
        assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "{args:?}");
    }
}

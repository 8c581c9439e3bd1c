//! `docs/status.md` says what the code does.

use std::path::Path;

use gannet_man::status::{self, Endpoint, need};
use gannet_rapi::route::{Route, Verb};

/// Set it to write the file instead of comparing.
const WRITE: &str = "GANNET_WRITE_STATUS";

fn endpoints() -> Vec<Endpoint> {
    let name = |verb| match verb {
        Verb::Get => "GET",
        Verb::Put => "PUT",
        Verb::Post => "POST",
        Verb::Delete => "DELETE",
    };
    Route::all().flat_map(|route| route.endpoints.iter().map(move |endpoint| (route.uri, name(endpoint.verb), endpoint.op_id()))).collect()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn status_is_what_the_code_says() {
    let path = root().join("docs/status.md");
    let is = status::render(&endpoints()).expect("the parity files are read");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, is).expect("written");
        return;
    }
    let says = std::fs::read_to_string(&path).expect("docs/status.md");
    let differs = is.lines().zip(says.lines()).find(|(is, says)| is != says);
    assert!(is == says, "docs/status.md is old ({differs:?}): {WRITE}=1 cargo test -p gannet-man --test it status");
}

/// The table of needs is by hand, so the sources are asked whether it forgot something.
#[test]
fn every_opcode_that_a_command_submits_is_among_its_needs() {
    for program in gannet_cli::spec::PROGRAMS {
        let module = program.name.replace('-', "_");
        let mut sources = vec![root().join(format!("cli/src/{module}.rs"))];
        if let Ok(dir) = std::fs::read_dir(root().join("cli/src").join(&module)) {
            sources.extend(dir.map(|entry| entry.expect("listed").path()).filter(|path| path.is_file()));
        }
        let needs: Vec<_> = program.commands.iter().flat_map(|command| need::of(program.name, command.name)).collect();
        for path in sources {
            let text = std::fs::read_to_string(&path).expect("a source");
            let named = text
                .split('"')
                .skip(1)
                .step_by(2)
                .filter(|word| word.starts_with("OP_") && gannet_core::opcode::Op::ALL_IDS.contains(word));
            for op in named {
                assert!(needs.iter().any(|need| **need == op), "{} submits {op}, which src/status/need.rs does not say", path.display());
            }
        }
    }
}

#[test]
fn resources_with_needs_exist() {
    for endpoint in endpoints().iter().filter(|(uri, verb, op)| op.is_none() && *verb != "GET" && need::of_resource(uri, verb).is_empty()) {
        // What neither submits an opcode nor is in the table only reads.
        assert!(endpoint.0.starts_with("/2/query/") || endpoint.0.starts_with("/2/instances/"), "{endpoint:?}");
    }
}

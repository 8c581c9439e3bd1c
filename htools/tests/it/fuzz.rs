//! Bad input, by the thousand: every file and text that the tools read, changed at random and by plan. A tool may refuse it, with
//! a sentence, the file, and in the text format the line; it may not panic, and knows no other exit code.
//!
//! The good inputs are in tests/corpus. `GANNET_SEED` chooses another seed, which a failure prints together with the input;
//! `GANNET_ROUNDS` how many changes of each file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use gannet_htools::load;
use gannet_htools::program::{self, Io};
use gannet_htools::score::score;
use gannet_htools::state::N1Rule;

use super::mutate::{EXTREMES, Mutator, numbers};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text}")))
}

/// Files of one kind, in order.
fn corpus(kind: &str) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(Path::new(CORPUS).join(kind))
        .expect("the corpus is there")
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    paths.sort();
    let read = |path: &PathBuf| {
        (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), std::fs::read(path).expect("it can be read"))
    };
    paths.iter().map(read).collect()
}

/// A directory of its own, which goes with its value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("gannet-htools-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory can be made");
        Self(dir)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a file can be written");
        path.display().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Runs a tool and checks that it ends as it may. Gives back its code and what it complained about.
#[track_caller]
fn run(line: &[&str], about: &dyn Fn() -> String) -> (u8, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let words: Vec<String> = line[1..].iter().map(ToString::to_string).collect();
    let code = catch_unwind(AssertUnwindSafe(|| {
        program::run(line[0], &words, &mut Io { out: &mut out, err: &mut err, n1_rule: N1Rule::default() })
    }));
    let said = String::from_utf8_lossy(&err).into_owned();
    let Ok(code) = code else { panic!("{} panics\n{}", line.join(" "), about()) };
    assert!(code <= 2, "{} ends with {code}\n{}", line.join(" "), about());
    assert!(code == 0 || !said.is_empty() || !out.is_empty(), "{} fails without a word\n{}", line.join(" "), about());
    (code, said)
}

/// A text file: a refusal names the file, and the line if one can be blamed.
#[track_caller]
fn text_file(tool: &[&str], bytes: &[u8], scratch: &Scratch, about: &dyn Fn() -> String) {
    let path = scratch.write("input", bytes);
    let mut line = tool.to_vec();
    line.extend(["-t", &path]);
    let about = || format!("{}\n{}", about(), String::from_utf8_lossy(bytes));
    let (code, said) = run(&line, &about);
    if let Some(why) = said.strip_prefix("Error: failed to load data, aborting: ") {
        assert_eq!(code, 1, "{said}\n{}", about());
        let named = why.contains(&path) && (why.contains(": line ") || why.contains("sections instead of"));
        assert!(named, "neither file nor line: {said}\n{}", about());
    }
}

const TEXT_TOOLS: [&[&str]; 6] = [
    &["hinfo", "-p", "--print-instances", "-vvv"],
    &["hbal", "-l3", "-C", "-p"],
    &["hbal", "-l2", "-Gone", "--evac-mode", "--ignore-soft-errors"],
    &["hcheck"],
    &["hroller", "-f", "--print-moves"],
    &["hsqueeze", "-C"],
];

#[test]
fn text_files_changed_at_random() {
    let (seed, rounds) = (number("GANNET_SEED", 1), number("GANNET_ROUNDS", 400));
    let scratch = Scratch::new("text");
    let files = corpus("text");
    for (name, good) in &files {
        let mut mutator = Mutator::new(seed);
        for round in 0..rounds {
            let other = &files[mutator.below(files.len())].1;
            let bad = mutator.change(good, other);
            let tool = TEXT_TOOLS[mutator.below(TEXT_TOOLS.len())];
            text_file(tool, &bad, &scratch, &|| format!("{name}, seed {seed}, round {round}"));
        }
    }
}

#[test]
fn every_number_of_a_text_file_at_its_extremes() {
    let scratch = Scratch::new("extreme");
    let mut at = 0;
    for (name, good) in corpus("text") {
        for place in numbers(&good) {
            for extreme in EXTREMES {
                let bad = [&good[..place.start], extreme.as_bytes(), &good[place.end..]].concat();
                at += 1;
                let tool = TEXT_TOOLS[at % TEXT_TOOLS.len()];
                text_file(tool, &bad, &scratch, &|| format!("{name}: {extreme} at {place:?}"));
            }
        }
    }
}

const REQUEST_TOOLS: [&[&str]; 4] = [&["hail"], &["hail", "--no-capacity-checks"], &["hinfo", "-I"], &["hbal", "-Gone", "-l2", "-I"]];

#[track_caller]
fn request(tool: &[&str], bytes: &[u8], scratch: &Scratch, about: &dyn Fn() -> String) {
    let path = scratch.write("request", bytes);
    let mut line = tool.to_vec();
    line.push(&path);
    // A short option takes the next word only when it must have one.
    let about = || format!("{}\n{}", about(), String::from_utf8_lossy(bytes));
    let (code, said) = run(&line, &about);
    if code == 1 && tool[0] == "hail" {
        assert!(said.starts_with("Error: ") && said.contains(&path), "it does not name the file: {said}\n{}", about());
    }
}

#[test]
fn requests_changed_at_random() {
    let (seed, rounds) = (number("GANNET_SEED", 1), number("GANNET_ROUNDS", 250));
    let scratch = Scratch::new("request");
    let files = corpus("request");
    for (name, good) in &files {
        let mut mutator = Mutator::new(seed);
        for round in 0..rounds {
            let other = &files[mutator.below(files.len())].1;
            let bad = mutator.change(good, other);
            let tool = REQUEST_TOOLS[mutator.below(REQUEST_TOOLS.len())];
            request(tool, &bad, &scratch, &|| format!("{name}, seed {seed}, round {round}"));
        }
    }
}

#[test]
fn every_number_of_a_request_at_its_extremes() {
    let scratch = Scratch::new("request-extreme");
    for (name, good) in corpus("request").into_iter().filter(|(name, _)| name == "allocate.json" || name == "evacuate.json") {
        for place in numbers(&good) {
            for extreme in EXTREMES.into_iter().chain(["null", "true", "[]", "{}", "\"x\"", "1.5"]) {
                let bad = [&good[..place.start], extreme.as_bytes(), &good[place.end..]].concat();
                request(REQUEST_TOOLS[0], &bad, &scratch, &|| format!("{name}: {extreme} at {place:?}"));
            }
        }
    }
}

#[test]
fn rapi_files_changed_at_random() {
    let (seed, rounds) = (number("GANNET_SEED", 1), number("GANNET_ROUNDS", 250));
    let scratch = Scratch::new("rapi");
    let files = corpus("rapi");
    let address = format!("file://{}", scratch.0.display());
    for (changed, (name, good)) in files.iter().enumerate() {
        let mut mutator = Mutator::new(seed);
        for round in 0..rounds {
            files.iter().for_each(|(name, bytes)| drop(scratch.write(name, bytes)));
            let other = &files[mutator.below(files.len())].1;
            let bad = mutator.change(good, other);
            scratch.write(&files[changed].0, &bad);
            let about = || format!("{name}, seed {seed}, round {round}\n{}", String::from_utf8_lossy(&bad));
            let (code, said) = run(&["hinfo", "-m", &address], &about);
            assert!(code == 0 || said.starts_with("Error: failed to load data, aborting: "), "{said}\n{}", about());
        }
    }
}

/// Lines of a file of the corpus.
fn lines(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(CORPUS).join("other").join(name)).expect("the corpus is there");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn descriptions_of_clusters_changed_at_random() {
    /// More nodes than this are no error, but take time.
    const MANY: usize = 5000;
    let (seed, rounds) = (number("GANNET_SEED", 1), number("GANNET_ROUNDS", 1000));
    let all = lines("simulate.txt");
    let mut mutator = Mutator::new(seed);
    for round in 0..rounds {
        let (good, other) = (&all[mutator.below(all.len())], &all[mutator.below(all.len())]);
        let bad = String::from_utf8_lossy(&mutator.change(good.as_bytes(), other.as_bytes())).into_owned();
        let count = bad.split(',').nth(1).and_then(|count| count.trim().parse::<usize>().ok());
        if count.is_some_and(|count| count > MANY && count < 2_000_000) {
            continue;
        }
        let read = catch_unwind(|| {
            let cluster = load::simulation::parse(&[bad.clone(), good.clone()])?;
            let found = load::finish(load::merge(cluster, &load::Wishes::default())?, 0, N1Rule::default());
            let nodes: Vec<_> = found.cluster.node_ids().collect();
            Ok::<_, load::Error>(score(&found.cluster, &found.state, &nodes))
        });
        let Ok(read) = read else { panic!("seed {seed}, round {round}: {bad}") };
        if let Err(error) = read {
            assert!(!error.message.is_empty(), "seed {seed}, round {round}: {bad}");
        }
    }
}

#[test]
fn command_lines_changed_at_random() {
    let (seed, rounds) = (number("GANNET_SEED", 1), number("GANNET_ROUNDS", 2000));
    let all = lines("options.txt");
    let mut mutator = Mutator::new(seed);
    for round in 0..rounds {
        let (good, other) = (&all[mutator.below(all.len())], &all[mutator.below(all.len())]);
        let bad = String::from_utf8_lossy(&mutator.change(good.as_bytes(), other.as_bytes())).into_owned();
        let words: Vec<&str> = bad.split_whitespace().collect();
        // These would ask the network, or write files.
        let reaches_out = |word: &&str| {
            ["-m", "-L", "--ma", "--l", "-S", "--sa", "-C", "--print-c", "-d", "--o"].iter().any(|start| word.starts_with(start))
                || !word.starts_with("--") && word.starts_with('-') && word.contains(['m', 'L', 'S', 'C', 'd'])
        };
        if words.is_empty() || words.iter().any(reaches_out) {
            continue;
        }
        run(&words, &|| format!("seed {seed}, round {round}: {bad}"));
    }
}

#[test]
fn files_of_loads_changed_at_random() {
    let (seed, rounds) = (number("GANNET_SEED", 1), number("GANNET_ROUNDS", 1000));
    let good = lines("loads.txt").join("\n") + "\n";
    let mut mutator = Mutator::new(seed);
    for round in 0..rounds {
        let bad = String::from_utf8_lossy(&mutator.change(good.as_bytes(), good.as_bytes())).into_owned();
        if let Err(error) = load::derive::parse_loads(&bad) {
            assert!(error.line.is_some(), "seed {seed}, round {round}: {error}\n{bad}");
        }
    }
}

#[test]
fn the_corpus_is_good() {
    let scratch = Scratch::new("good");
    for (name, bytes) in corpus("text") {
        let path = scratch.write("input", &bytes);
        assert_eq!(run(&["hinfo", "-t", &path], &|| name.clone()).0, 0, "{name}");
    }
    for (name, bytes) in corpus("request") {
        let path = scratch.write("request", &bytes);
        assert_eq!(run(&["hail", &path], &|| name.clone()).0, 0, "{name}");
    }
    let address = format!("file://{CORPUS}/rapi");
    assert_eq!(run(&["hinfo", "-m", &address], &String::new).0, 0);
}

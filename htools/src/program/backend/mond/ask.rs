//! Asking the monitoring daemons: many at a time, and not for ever.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::super::http::{Limits, Site};
use crate::load::mond::{Collector, Loads, Report};
use crate::program::Io;

/// Where monitoring daemons listen.
const PORT: u16 = 1815;
/// Nodes that are asked at the same time.
const AT_ONCE: usize = 32;
/// What one answer may take: reports are ready, and small.
const ONE: Duration = Duration::from_secs(5);
/// What all answers may take: whoever waits for a place for an instance does not want to wait for the loads.
const ALL: Duration = Duration::from_secs(30);
/// The largest report, in bytes.
const LARGEST: u64 = 1 << 20;

/// What all nodes say, in their order; `None`: not all of them say something of use.
pub(super) fn all(nodes: &[&str], collector: Collector, io: &mut Io<'_>) -> Option<Vec<Loads>> {
    let end = Instant::now() + ALL;
    let next = AtomicUsize::new(0);
    let (say, hear) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(nodes.len()) {
            let (say, next) = (say.clone(), &next);
            scope.spawn(move || {
                while let Some((at, node)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, nodes.get(at)?))) {
                    // Who hears lives longer than this thread.
                    drop(say.send((at, one(node, collector, end))));
                }
            });
        }
    });
    drop(say);
    let mut answers: Vec<(usize, Result<Option<Loads>, String>)> = hear.into_iter().collect();
    answers.sort_unstable_by_key(|(at, _)| *at);
    for (at, answer) in &answers {
        if let Err(error) = answer {
            io.complain(&format!("Failed to contact node's {} MonD for DC {}: {error}\n", nodes[*at], collector.name()));
        }
    }
    answers.into_iter().map(|(_, answer)| answer.ok().flatten()).collect()
}

/// What one node says; `None` in it: something else than the collector should.
fn one(node: &str, collector: Collector, end: Instant) -> Result<Option<Loads>, String> {
    let until = Some(end.min(Instant::now() + ONE));
    let limits = Limits { connect: ONE, silence: ONE, until, size: LARGEST };
    let text = Site::open(node, PORT, limits).get(&collector.path())?;
    Ok(Report::parse(&text).ok().and_then(|report| collector.read(&report)))
}

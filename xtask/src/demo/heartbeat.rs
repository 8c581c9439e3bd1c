//! Follows the console logs of a guest on the nodes it may run on, and judges what it heard: each heartbeat once, in order, and
//! how long the longest silence was.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::run;

/// How often the logs are read: the resolution of the measured gap.
const POLL: Duration = Duration::from_millis(2);
const BEAT: &str = "HB ";
const READY: &str = "GANNET-GUEST-READY";

/// One line of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The guest (re)started; heartbeats go on from what its disk held.
    Ready {
        greeting: String,
        count: u32,
    },
    Beat(u32),
}

/// What was heard, in order of arrival.
#[derive(Debug, Clone, Default)]
pub struct Record {
    events: Vec<(Instant, Event)>,
    partial: String,
}

/// The result of a watch in which the guest was not to restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub first: u32,
    pub last: u32,
    pub longest_gap: Duration,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let beats = self.last - self.first + 1;
        write!(
            f,
            "{beats} heartbeats from {:08x} to {:08x}, none lost, none doubled, longest gap {:.3} s",
            self.first,
            self.last,
            self.longest_gap.as_secs_f64()
        )
    }
}

impl Record {
    /// Takes bytes of the console. A line may come in pieces, and its second half from another node's log.
    fn hear(&mut self, at: Instant, bytes: &[u8]) {
        self.partial.push_str(&String::from_utf8_lossy(bytes));
        while let Some(end) = self.partial.find('\n') {
            let line: String = self.partial.drain(..=end).collect();
            if let Some(event) = parse(line.trim_end()) {
                self.events.push((at, event));
            }
        }
    }

    /// How often the guest reported a start.
    pub fn starts(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Ready { .. })).count()
    }

    /// The last start that was heard: greeting, and the count found on the disk.
    pub fn last_start(&self) -> Option<(String, u32)> {
        self.events.iter().rev().find_map(|(_, event)| match event {
            Event::Ready { greeting, count } => Some((greeting.clone(), *count)),
            Event::Beat(_) => None,
        })
    }

    pub fn beats(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Beat(_))).count()
    }

    pub fn last_beat(&self) -> Option<u32> {
        self.events.iter().rev().find_map(|(_, event)| if let Event::Beat(count) = event { Some(*count) } else { None })
    }

    /// Judges all heartbeats after the last start.
    ///
    /// # Errors
    /// One was lost, came twice or out of order, or there were none; the message says which and when.
    pub fn verdict(&self) -> Result<Verdict> {
        let since = self.events.iter().rposition(|(_, event)| matches!(event, Event::Ready { .. })).map_or(0, |at| at + 1);
        let beats: Vec<(Instant, u32)> = self.events[since..]
            .iter()
            .filter_map(|(at, event)| if let Event::Beat(count) = event { Some((*at, *count)) } else { None })
            .collect();
        let (Some(first), Some(last)) = (beats.first(), beats.last()) else { bail!("no heartbeat was heard") };
        let mut longest_gap = Duration::ZERO;
        for pair in beats.windows(2) {
            let ((before, a), (after, b)) = (pair[0], pair[1]);
            if b != a.wrapping_add(1) {
                let what =
                    if b > a { format!("{} heartbeats were lost", b - a - 1) } else { "a heartbeat came twice or out of order".to_owned() };
                bail!("{what}: {a:08x} was followed by {b:08x}, {:.3} s later", after.duration_since(before).as_secs_f64());
            }
            longest_gap = longest_gap.max(after.duration_since(before));
        }
        Ok(Verdict { first: first.1, last: last.1, longest_gap })
    }
}

/// What the console echoes may stand before a heartbeat, so it is looked for anywhere in the line.
fn parse(line: &str) -> Option<Event> {
    if let Some(at) = line.find(READY) {
        let mut words = line[at + READY.len()..].split_whitespace();
        let (greeting, count) = (words.next()?, words.next()?);
        return Some(Event::Ready { greeting: greeting.to_owned(), count: u32::from_str_radix(count, 16).ok()? });
    }
    let digits = line.get(line.rfind(BEAT)? + BEAT.len()..)?;
    (digits.len() == 8).then(|| u32::from_str_radix(digits, 16).ok()).flatten().map(Event::Beat)
}

/// A thread that follows console logs. Logs that do not exist yet are waited for.
#[derive(Debug)]
pub struct Monitor {
    record: Arc<Mutex<Record>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Monitor {
    /// Follows the logs from their present ends.
    pub fn start(logs: Vec<PathBuf>) -> Self {
        let record = Arc::new(Mutex::new(Record::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let mut followed: Vec<Followed> = logs.into_iter().map(Followed::at_end).collect();
        let thread = {
            let (record, stop) = (Arc::clone(&record), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut active = 0;
                while !stop.load(Ordering::Relaxed) && !followed.is_empty() {
                    round(&mut followed, &mut active, &record);
                    std::thread::sleep(POLL);
                }
                if !followed.is_empty() {
                    round(&mut followed, &mut active, &record);
                }
            })
        };
        Self { record, stop, thread: Some(thread) }
    }

    /// What was heard up to now.
    pub fn so_far(&self) -> Record {
        lock(&self.record).clone()
    }

    /// Waits for `count` heartbeats more.
    pub fn wait_for_beats(&self, count: usize, limit: Duration) -> Result<()> {
        let wanted = lock(&self.record).beats() + count;
        run::wait_for("the guest's heartbeats", limit, || (lock(&self.record).beats() >= wanted).then_some(()))
    }

    /// Waits until the guest has started `count` times since the watch began; gives the last start's greeting and count.
    pub fn wait_for_start(&self, count: usize, limit: Duration) -> Result<(String, u32)> {
        run::wait_for("the guest's start", limit, || (lock(&self.record).starts() >= count).then_some(()))?;
        self.so_far().last_start().context("the start was not recorded")
    }

    /// Ends the watch.
    pub fn stop(mut self) -> Record {
        self.end();
        self.so_far()
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.end();
    }
}

/// The data is whole after each `hear`, so a panic elsewhere does not matter.
fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Followed {
    path: PathBuf,
    offset: u64,
}

impl Followed {
    fn at_end(path: PathBuf) -> Self {
        let offset = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        Self { path, offset }
    }

    fn read(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Ok(mut file) = File::open(&self.path) else {
            // It was rotated or its node was made anew.
            self.offset = 0;
            return bytes;
        };
        if file.metadata().is_ok_and(|meta| meta.len() < self.offset) {
            self.offset = 0;
        }
        if file.seek(SeekFrom::Start(self.offset)).is_ok() && file.read_to_end(&mut bytes).is_ok() {
            self.offset += bytes.len() as u64;
        }
        bytes
    }
}

/// Reads every log once. The guest runs in one place at a time, and what was said where it ran before is older than what is said
/// where it runs now: so the log that spoke last is read again after another one has begun to speak.
fn round(followed: &mut [Followed], active: &mut usize, record: &Mutex<Record>) {
    hear(&mut followed[*active], record);
    for index in (0..followed.len()).filter(|index| index != active).collect::<Vec<_>>() {
        let newer = followed[index].read();
        if newer.is_empty() {
            continue;
        }
        hear(&mut followed[*active], record);
        lock(record).hear(Instant::now(), &newer);
        *active = index;
    }
}

fn hear(followed: &mut Followed, record: &Mutex<Record>) {
    let bytes = followed.read();
    lock(record).hear(Instant::now(), &bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn heard(pieces: &[(u64, &str)]) -> Record {
        let start = Instant::now();
        let mut record = Record::default();
        for (at, text) in pieces {
            record.hear(start + Duration::from_millis(*at), text.as_bytes());
        }
        record
    }

    #[test]
    fn a_whole_sequence_is_judged_with_its_longest_gap() {
        let record = heard(&[(0, "\r\nGANNET-GUEST-READY tiny 00000010\r\nHB 00000011\r\nHB 0000"), (700, "0012\r\nechoHB 00000013\r\n")]);
        let verdict = record.verdict().expect("none lost");
        assert_eq!(verdict, Verdict { first: 0x11, last: 0x13, longest_gap: Duration::from_millis(700) });
        assert_eq!(record.last_start(), Some(("tiny".to_owned(), 0x10)));
    }

    #[test]
    fn lost_and_doubled_heartbeats_are_found() {
        let lost = heard(&[(0, "HB 00000001\r\nHB 00000004\r\n")]).verdict().expect_err("two are lost");
        assert!(lost.to_string().starts_with("2 heartbeats were lost"), "{lost}");
        assert!(heard(&[(0, "HB 00000001\r\nHB 00000001\r\n")]).verdict().is_err(), "doubled");
        assert!(heard(&[(0, "nothing\r\n")]).verdict().is_err(), "silence");
    }

    #[test]
    fn two_logs_are_one_stream() {
        let dir = tempfile::tempdir().expect("a directory");
        let logs = [dir.path().join("a"), dir.path().join("b")];
        std::fs::write(&logs[0], "HB 00000001\r\n").expect("written");
        let monitor = Monitor::start(logs.to_vec());
        let mut first = std::fs::OpenOptions::new().append(true).open(&logs[0]).expect("open");
        first.write_all(b"HB 00000002\r\nHB 000").expect("written");
        std::fs::write(&logs[1], "00003\r\nHB 00000004\r\n").expect("written");
        // In all, not from now on: some may have been heard already.
        let heard = || (monitor.so_far().beats() >= 3).then_some(());
        run::wait_for("three heartbeats", Duration::from_secs(10), heard).expect("heard");
        let verdict = monitor.stop().verdict().expect("whole");
        assert_eq!((verdict.first, verdict.last), (2, 4), "what was there before the watch does not count");
    }
}

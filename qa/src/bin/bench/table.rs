//! Rows with ratios, as Markdown.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

const BEGIN: &str = "<!-- rows: begin -->";
const END: &str = "<!-- rows: end -->";

/// What a figure is, and when it is good.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    Ms,
    Seconds,
    PerSecond,
    MiB,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Ms => format!("{value:.2} ms"),
            Self::Seconds => format!("{value:.2} s"),
            Self::PerSecond if value >= 100.0 => format!("{value:.0}/s"),
            Self::PerSecond => format!("{value:.1}/s"),
            Self::MiB => format!("{value:.1} MiB"),
        }
    }

    fn more_is_better(self) -> bool {
        matches!(self, Self::PerSecond)
    }
}

/// All rows of a run.
#[derive(Debug, Default)]
pub(crate) struct Table {
    lines: Vec<String>,
}

impl Table {
    pub(crate) fn new() -> Self {
        let mut table = Self::default();
        table.say("| what | Ganeti 3.0.2 | Gannet | ratio | must be | met |");
        table.say("|---|---|---|---|---|---|");
        table
    }

    /// One row. `ganeti` is absent when it was not measured, `must` when there is no limit. `note` follows the figure.
    pub(crate) fn row(&mut self, what: &str, unit: Unit, ganeti: Option<f64>, gannet: f64, must: Option<f64>, note: &str) {
        let better = ganeti.map(|ganeti| if unit.more_is_better() { gannet / ganeti } else { ganeti / gannet });
        let ratio = better.map_or_else(|| "–".to_owned(), |times| format!("{times:.*} ×", usize::from(times < 10.0)));
        let word = if unit.more_is_better() { "≥" } else { "≤" };
        let limit = must.map_or_else(|| "–".to_owned(), |must| format!("{word} {}", unit.show(must)));
        let met = must.map_or("–", |must| match if unit.more_is_better() { gannet >= must } else { gannet <= must } {
            true => "yes",
            false => "**no**",
        });
        let ganeti = ganeti.map_or_else(|| "–".to_owned(), |ganeti| unit.show(ganeti));
        let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
        self.say(&format!("| {what} | {ganeti} | {}{note} | {ratio} | {limit} | {met} |", unit.show(gannet)));
    }

    fn say(&mut self, line: &str) {
        println!("{line}");
        self.lines.push(line.to_owned());
    }

    /// Puts the rows between the marks in a document.
    ///
    /// # Errors
    /// The document or its marks are not there.
    pub(crate) fn write(&self, path: &Path, about: &str) -> Result<()> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let (before, rest) = text.split_once(BEGIN).with_context(|| format!("no {BEGIN} in {}", path.display()))?;
        let (_, after) = rest.split_once(END).with_context(|| format!("no {END} in {}", path.display()))?;
        let rows = self.lines.join("\n");
        std::fs::write(path, format!("{before}{BEGIN}\n{about}\n\n{rows}\n{END}{after}"))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The value at `part` percent of the times, in ms.
pub(crate) fn percentile(times: &[Duration], part: usize) -> f64 {
    let mut times = times.to_vec();
    times.sort();
    times.get((times.len() * part / 100).min(times.len().saturating_sub(1))).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

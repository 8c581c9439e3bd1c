//! One line of the table.

use crate::case::{Bar, Case};
use crate::run::Ran;

pub(crate) const HEAD: [&str; 2] =
    ["| case | Ganeti 3.0.2: CPU, memory | Gannet: CPU, wall, memory | times less CPU | must be | met |", "|---|---|---|---|---|---|"];

/// A case with what both programs took.
pub(crate) struct Row {
    pub(crate) case: Case,
    pub(crate) theirs: Option<Ran>,
    pub(crate) ours: Ran,
}

impl Row {
    pub(crate) fn line(&self) -> String {
        let Self { case, theirs, ours } = self;
        let usage = ours.usage;
        let plan = moves(&ours.stdout).map(|count| format!(" ({count} moves)")).unwrap_or_default();
        let own = format!("{}, {}, {:.0} MiB{plan}", seconds(usage.cpu_s), seconds(usage.wall_s), usage.rss_mib);
        let must = match case.bar {
            Bar::Times(times) => format!("{times:.0} ×"),
            Bar::TimesPerMove(times) => format!("{times:.0} × per move"),
            Bar::Seconds(most, aim) => format!("{most} s, aim {aim} s"),
        };
        let met = match self.met() {
            _ if !self.runs() => "**does not run**".to_owned(),
            None => "–".to_owned(),
            Some(true) => format!("yes{}", self.agreement()),
            Some(false) => format!("**no**{}", self.agreement()),
        };
        format!("| {} | {} | {own} | {} | {must} | {met} |", case.what, self.reference(theirs.as_ref()), self.ratio_text())
    }

    fn reference(&self, theirs: Option<&Ran>) -> String {
        let Some(ran) = theirs else { return "not run".to_owned() };
        let plan = moves(&ran.stdout).map(|count| format!(" ({count} moves)")).unwrap_or_default();
        match ran.usage.code {
            None => format!("> {} s, {:.0} MiB", self.case.limit_s, ran.usage.rss_mib),
            Some(_) => format!("{}, {:.0} MiB{plan}", seconds(ran.usage.cpu_s), ran.usage.rss_mib),
        }
    }

    /// Whether ours does what is asked; a refusal ends soon, too.
    fn runs(&self) -> bool {
        matches!(self.ours.usage.code, Some(0 | 1)) && !self.ours.stdout.is_empty()
    }

    /// How many times less time ours takes; `true`: at least.
    fn ratio(&self) -> Option<(f64, bool)> {
        if !self.runs() {
            return None;
        }
        let theirs = self.theirs.as_ref()?;
        let unfinished = theirs.usage.code.is_none();
        let times = theirs.usage.cpu_s / self.ours.usage.cpu_s.max(0.001);
        match self.case.bar {
            Bar::TimesPerMove(_) => {
                let (theirs, ours) = (moves(&theirs.stdout)?, moves(&self.ours.stdout)?);
                Some((times * ours / theirs, false))
            }
            _ => Some((times, unfinished)),
        }
    }

    fn ratio_text(&self) -> String {
        let word = if matches!(self.case.bar, Bar::TimesPerMove(_)) { " per move" } else { "" };
        self.ratio().map_or_else(|| "–".to_owned(), |(times, least)| format!("{}{times:.0} ×{word}", if least { "> " } else { "" }))
    }

    fn met(&self) -> Option<bool> {
        match self.case.bar {
            Bar::Seconds(most, _) => Some(self.ours.usage.wall_s <= most),
            Bar::Times(bar) | Bar::TimesPerMove(bar) => {
                let smaller = self.theirs.as_ref().is_none_or(|theirs| self.ours.usage.rss_mib < theirs.usage.rss_mib);
                self.ratio().map(|(times, _)| times >= bar && smaller)
            }
        }
    }

    /// Whether both print the same, where both do the same.
    fn agreement(&self) -> &'static str {
        match &self.theirs {
            Some(theirs) if theirs.usage.code.is_some() && self.case.shorter.is_empty() => {
                if theirs.stdout == self.ours.stdout {
                    ""
                } else {
                    "; **the output differs**"
                }
            }
            _ => "",
        }
    }
}

/// The length of a plan, if this is one.
fn moves(stdout: &str) -> Option<f64> {
    stdout.lines().find_map(|line| line.strip_prefix("Solution length="))?.parse().ok()
}

fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_plan_is_found() {
        assert_eq!(moves("Cluster score improved\nSolution length=55\n"), Some(55.0));
        assert_eq!(moves("no plan"), None);
    }
}

//! The options and arguments of one command line, checked.

use std::cell::RefCell;
use std::collections::BTreeSet;

use clap::ArgMatches;
use clap::parser::ValueSource;
use serde_json::Value;

use crate::parse::{Dict, Ident, Parsed};
use crate::spec::SubCommand;

/// What was given on the command line. Options are found by their long name without dashes.
///
/// It remembers which options a command looked at, so that tests find those that would be ignored.
#[derive(Debug)]
pub struct Args {
    command: &'static SubCommand,
    matches: ArgMatches,
    positional: Vec<String>,
    read: RefCell<BTreeSet<String>>,
}

impl Args {
    /// Wraps what clap found.
    #[must_use]
    pub fn new(command: &'static SubCommand, matches: ArgMatches) -> Self {
        let positional = matches.try_get_many::<String>("args").ok().flatten().map(|args| args.cloned().collect()).unwrap_or_default();
        Self { command, matches, positional, read: RefCell::default() }
    }

    /// The positional arguments.
    #[must_use]
    pub fn positional(&self) -> &[String] {
        &self.positional
    }

    /// The positional argument at `index`; the empty text when there is none, which the count of arguments excludes.
    #[must_use]
    pub fn arg(&self, index: usize) -> &str {
        self.positional.get(index).map_or("", String::as_str)
    }

    /// Whether the sub-command has this option at all.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.command.option(id).is_some()
    }

    /// Whether the option was given.
    #[must_use]
    pub fn given(&self, id: &str) -> bool {
        self.mark(id);
        self.has(id) && self.matches.value_source(id) == Some(ValueSource::CommandLine)
    }

    /// Whether this option without value was given.
    #[must_use]
    pub fn flag(&self, id: &str) -> bool {
        self.mark(id);
        self.matches.try_get_one::<bool>(id).ok().flatten().copied().unwrap_or(false)
    }

    /// How often the option was given.
    #[must_use]
    pub fn count(&self, id: &str) -> u8 {
        self.mark(id);
        self.matches.try_get_one::<u8>(id).ok().flatten().copied().unwrap_or(0)
    }

    /// The text of an option, or its default.
    #[must_use]
    pub fn text(&self, id: &str) -> Option<&str> {
        self.values(id).last().and_then(|value| match value {
            Parsed::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The texts of an option that can be repeated.
    #[must_use]
    pub fn texts(&self, id: &str) -> Vec<&str> {
        let texts = self.values(id).into_iter().map(|value| match value {
            Parsed::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.flatten().collect()
    }

    /// The comma-separated words of a text option; `None` when it was not given.
    #[must_use]
    pub fn words(&self, id: &str) -> Option<Vec<&str>> {
        self.text(id).map(|text| text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect())
    }

    /// The integer of an option, or its default.
    #[must_use]
    pub fn int(&self, id: &str) -> Option<i64> {
        match self.values(id).last() {
            Some(Parsed::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// The number of an option, or its default.
    #[must_use]
    pub fn float(&self, id: &str) -> Option<f64> {
        match self.values(id).last() {
            Some(Parsed::Float(number)) => Some(*number),
            _ => None,
        }
    }

    /// The size in MiB of an option, or its default.
    #[must_use]
    pub fn mib(&self, id: &str) -> Option<u64> {
        match self.values(id).last() {
            Some(Parsed::Mib(size)) => Some(*size),
            _ => None,
        }
    }

    /// The yes or no of an option.
    #[must_use]
    pub fn yes_no(&self, id: &str) -> Option<bool> {
        match self.values(id).last() {
            Some(Parsed::YesNo(value)) => Some(*value),
            _ => None,
        }
    }

    /// The key-value pairs of an option.
    #[must_use]
    pub fn dict(&self, id: &str) -> Option<&Dict> {
        match self.values(id).last() {
            Some(Parsed::Dict(dict)) => Some(dict),
            _ => None,
        }
    }

    /// The groups of parameters of an option.
    #[must_use]
    pub fn idents(&self, id: &str) -> Vec<&Ident> {
        let idents = self.values(id).into_iter().map(|value| match value {
            Parsed::Ident(ident) => Some(ident),
            _ => None,
        });
        idents.flatten().collect()
    }

    /// The list of an option.
    #[must_use]
    pub fn list(&self, id: &str) -> Option<&[String]> {
        match self.values(id).last() {
            Some(Parsed::List(list)) => Some(list),
            _ => None,
        }
    }

    /// The bounds of an option.
    #[must_use]
    pub fn bounds(&self, id: &str) -> Option<&[Dict]> {
        match self.values(id).last() {
            Some(Parsed::Bounds(groups)) => Some(groups),
            _ => None,
        }
    }

    /// The JSON of an option.
    #[must_use]
    pub fn json(&self, id: &str) -> Option<&Value> {
        match self.values(id).last() {
            Some(Parsed::Json(value)) => Some(value),
            _ => None,
        }
    }

    /// Which of these options without value was given last.
    #[must_use]
    pub fn last_of(&self, ids: &[&'static str]) -> Option<&'static str> {
        let given = ids.iter().filter(|id| self.flag(id));
        given.max_by_key(|id| self.matches.indices_of(id).and_then(Iterator::last)).copied()
    }

    /// Options that were given and that nobody looked at.
    #[must_use]
    pub fn unread(&self) -> Vec<String> {
        let read = self.read.borrow();
        let options = self.command.options.iter().filter(|option| !read.contains(option.id()));
        let given = options.filter(|option| self.matches.value_source(option.id()) == Some(ValueSource::CommandLine));
        given.map(crate::spec::Opt::typed).collect()
    }

    fn values(&self, id: &str) -> Vec<&Parsed> {
        self.mark(id);
        self.matches.try_get_many::<Parsed>(id).ok().flatten().map(Iterator::collect).unwrap_or_default()
    }

    fn mark(&self, id: &str) {
        self.read.borrow_mut().insert(id.to_owned());
    }
}

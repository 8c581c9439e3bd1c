//! Reading a command line by a table, with the rules of Haskell's GetOpt, which scripts around the tools rely on. (No library
//! reads optional arguments of short options, `-C` and `-Cfile`, this way.)

use super::Options;

/// Whether an option has an argument, and what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// It has none.
    None,
    /// It must have one.
    Required(&'static str),
    /// It may have one, attached to it.
    Optional(&'static str),
}

/// An option.
pub struct Spec {
    /// One letter.
    pub short: Option<char>,
    /// The long name, without dashes.
    pub long: &'static str,
    /// Its argument.
    pub argument: Argument,
    /// What it does.
    pub help: &'static str,
    /// What its argument is, for shells.
    pub completes: &'static str,
    /// Takes it over; `None`: no argument was given.
    pub set: fn(&mut Options, Option<&str>) -> Result<(), String>,
}

/// What was on a command line.
pub(super) struct Given<'a> {
    pub options: Vec<(&'a Spec, Option<String>)>,
    pub arguments: Vec<String>,
}

/// Reads a command line.
///
/// # Errors
/// All that is wrong with it, one line each.
pub(super) fn parse<'a>(specs: &[&'a Spec], words: &[String]) -> Result<Given<'a>, String> {
    let mut reader = Reader {
        specs,
        rest: words.iter(),
        given: Given { options: Vec::new(), arguments: Vec::new() },
        errors: Vec::new(),
        unknown: Vec::new(),
    };
    while let Some(word) = reader.rest.next() {
        match word.strip_prefix("--") {
            Some("") => reader.given.arguments.extend(reader.rest.by_ref().cloned()),
            Some(long) => reader.long(long),
            None if word.len() > 1 && word.starts_with('-') => reader.shorts(&word[1..]),
            None => reader.given.arguments.push(word.clone()),
        }
    }
    reader.errors.append(&mut reader.unknown);
    if reader.errors.is_empty() { Ok(reader.given) } else { Err(reader.errors.concat()) }
}

struct Reader<'a, 'b> {
    specs: &'b [&'a Spec],
    rest: std::slice::Iter<'b, String>,
    given: Given<'a>,
    errors: Vec<String>,
    unknown: Vec<String>,
}

impl Reader<'_, '_> {
    fn long(&mut self, word: &str) {
        let (name, attached) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let exact: Vec<usize> = (0..self.specs.len()).filter(|at| self.specs[*at].long == name).collect();
        let fitting: Vec<usize> = (0..self.specs.len()).filter(|at| self.specs[*at].long.starts_with(name)).collect();
        let found = if exact.is_empty() { fitting } else { exact };
        match found.as_slice() {
            [] => self.unknown.push(format!("unrecognized option `--{word}'\n")),
            [at] => self.take(*at, &format!("--{name}"), attached, true),
            several => {
                let among: Vec<&Spec> = several.iter().map(|at| self.specs[*at]).collect();
                self.errors.push(format!("option `--{name}' is ambiguous; could be one of:\n{}", lines(&among)));
            }
        }
    }

    fn shorts(&mut self, letters: &str) {
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            let name = format!("-{letter}");
            match (0..self.specs.len()).find(|at| self.specs[*at].short == Some(letter)) {
                None => self.unknown.push(format!("unrecognized option `{name}'\n")),
                Some(at) if self.specs[at].argument == Argument::None => self.take(at, &name, None, false),
                Some(at) => {
                    let attached = if rest.is_empty() { None } else { Some(rest) };
                    self.take(at, &name, attached, false);
                    return;
                }
            }
        }
    }

    fn take(&mut self, at: usize, name: &str, attached: Option<&str>, long: bool) {
        let spec = self.specs[at];
        let value = match (spec.argument, attached) {
            (Argument::None, Some(_)) if long => {
                self.errors.push(format!("option `{name}' doesn't allow an argument\n"));
                return;
            }
            (Argument::None | Argument::Optional(_), None) | (Argument::None, Some(_)) => None,
            (_, Some(value)) => Some(value.to_owned()),
            (Argument::Required(what), None) => match self.rest.next() {
                Some(value) => Some(value.clone()),
                None => {
                    self.errors.push(format!("option `{name}' requires an argument {what}\n"));
                    return;
                }
            },
        };
        self.given.options.push((spec, value));
    }
}

/// The options with their help, in columns.
pub(super) fn lines(specs: &[&Spec]) -> String {
    let short = |spec: &Spec| match (spec.short, spec.argument) {
        (None, _) => String::new(),
        (Some(letter), Argument::None) => format!("-{letter}"),
        (Some(letter), Argument::Required(what)) => format!("-{letter} {what}"),
        (Some(letter), Argument::Optional(what)) => format!("-{letter}[{what}]"),
    };
    let long = |spec: &Spec| match spec.argument {
        Argument::None => format!("--{}", spec.long),
        Argument::Required(what) => format!("--{}={what}", spec.long),
        Argument::Optional(what) => format!("--{}[={what}]", spec.long),
    };
    let widest = |text: &dyn Fn(&Spec) -> String| specs.iter().map(|spec| text(spec).len()).max().unwrap_or(0);
    let (shorts, longs) = (widest(&short), widest(&long));
    specs.iter().map(|spec| format!("  {:<shorts$}  {:<longs$}  {}\n", short(spec), long(spec), spec.help)).collect()
}

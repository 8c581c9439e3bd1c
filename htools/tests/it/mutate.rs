//! Changes texts at random, in ways that readers tend to trip over. Everything follows from a seed.

use std::ops::Range;

/// What a number may become.
pub(crate) const EXTREMES: [&str; 14] = [
    "0",
    "-1",
    "-0",
    "1e308",
    "1e-320",
    "NaN",
    "Infinity",
    "",
    "35184372088832",
    "35184372088833",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "0.5",
];

/// What may be put anywhere.
const PIECES: [&[u8]; 16] =
    [b"|", b",", b";", b"\n", b"\n\n", b"\"", b"{", b"}", b"[", b"]", b":", b"null", b"\0", b"\xff", "\u{202e}é".as_bytes(), b"?"];

/// The places of numbers in a text.
pub(crate) fn numbers(text: &[u8]) -> Vec<Range<usize>> {
    tokens(text, |byte| byte.is_ascii_digit() || *byte == b'.')
}

fn tokens(text: &[u8], belongs: impl Fn(&u8) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, byte) in text.iter().chain(b"\n").enumerate() {
        match start {
            None if belongs(byte) => start = Some(at),
            Some(from) if !belongs(byte) => {
                found.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// A source of changes.
pub(crate) struct Mutator(u64);

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    /// One to three changes; `other` is where pieces may come from.
    pub(crate) fn change(&mut self, text: &[u8], other: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        for _ in 0..=self.below(3) {
            text = self.change_once(text, other);
        }
        text
    }

    fn change_once(&mut self, mut text: Vec<u8>, other: &[u8]) -> Vec<u8> {
        match self.below(8) {
            0 => self.replace(text, numbers, |mutator, _| EXTREMES[mutator.below(EXTREMES.len())].as_bytes().to_vec()),
            // A word becomes another word of the same text: names that are there twice, or mean something else.
            1 => {
                let words: Vec<Vec<u8>> = word(&text).into_iter().map(|place| text[place].to_vec()).collect();
                self.replace(text, word, |mutator, _| words[mutator.below(words.len())].clone())
            }
            2 => self.replace(text, word, |_, _| Vec::new()),
            3 => self.replace(text, line, |_, line| [line, b"\n", line].concat()),
            4 => self.replace(text, line, |_, _| Vec::new()),
            5 => {
                let at = self.below(text.len() + 1);
                let piece = PIECES[self.below(PIECES.len())];
                text.splice(at..at, piece.iter().copied());
                text
            }
            6 => {
                let at = self.below(text.len() + 1);
                let end = (at + self.below(40)).min(text.len());
                text.drain(at..end);
                text
            }
            _ => {
                let (at, from) = (self.below(text.len() + 1), self.below(other.len() + 1));
                let end = (from + self.below(60)).min(other.len());
                text.splice(at..at, other[from..end].iter().copied());
                text
            }
        }
    }

    /// Puts something else in one of the places that `find` finds, if there is one.
    fn replace(
        &mut self,
        mut text: Vec<u8>,
        find: impl Fn(&[u8]) -> Vec<Range<usize>>,
        with: impl Fn(&mut Self, &[u8]) -> Vec<u8>,
    ) -> Vec<u8> {
        let places = find(&text);
        if places.is_empty() {
            return text;
        }
        let place = places[self.below(places.len())].clone();
        let new = with(self, &text[place.clone()]);
        text.splice(place, new);
        text
    }
}

fn word(text: &[u8]) -> Vec<Range<usize>> {
    tokens(text, |byte| !b"|,;:\n\" {}[]".contains(byte))
}

fn line(text: &[u8]) -> Vec<Range<usize>> {
    tokens(text, |byte| *byte != b'\n')
}

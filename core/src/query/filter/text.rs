//! The text of `--filter`.
//!
//! ```text
//! or    := and ("or" and)*
//! and   := not ("and" not)*
//! not   := "not" not | "(" or ")" | condition
//! condition := field [ ("==" | "=" | "!=" | "<" | "<=" | ">" | ">=") value
//!                    | ("=~" | "!~") [m] delimiter regex delimiter [flags]
//!                    | ("=*" | "!*") string ]
//!            | value ["not"] "in" field
//! ```
//!
//! Ganeti's grammar, with its habits: a list of `and`s is one flat `And` and parentheses keep their own; a backslash in a string keeps
//! the quote after it from ending the string but stays in the value; in a regex a backslash is taken away (so `\.` is any character and
//! `\\.` a dot). Three things Ganeti trips over are taken: flags repeated, `and`/`or` right after a regex, numbers glued to a keyword.
//! Two oddities are refused, because they hide typing mistakes: `and`, `or` and `not` as fields, and `in` glued to the field after it.

use super::{Comparison, Filter, FilterRegex, FilterValue, dns_name_glob};

/// How many parentheses and `not`s may be open at once. Each adds at most two levels to the tree, which so stays below
/// [`super::MAX_DEPTH`].
const MAX_NESTING: usize = 32;

/// What may stand around a regular expression.
const DELIMITERS: [char; 4] = ['/', '#', '^', '|'];

/// A mistake in the text of a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Failed to parse query filter '{text}': {}", self.inner())]
pub struct ParseError {
    text: String,
    /// Where, in bytes.
    at: usize,
    problem: String,
}

impl ParseError {
    /// Where the mistake is: how many characters come before it.
    #[must_use]
    pub fn position(&self) -> usize {
        self.text[..self.at].chars().count()
    }

    /// What the command line prints below the message: the line with the mistake, a caret under it, and what is wrong.
    #[must_use]
    pub fn details(&self) -> [String; 3] {
        let (_, column) = self.line_and_column();
        let line = self.text[self.line_start()..].lines().next().unwrap_or_default();
        [line.to_owned(), format!("{}^", " ".repeat(column - 1)), self.inner()]
    }

    fn inner(&self) -> String {
        let (line, column) = self.line_and_column();
        format!("{} (at char {}), (line:{line}, col:{column})", self.problem, self.position())
    }

    fn line_start(&self) -> usize {
        self.text[..self.at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Both count from 1.
    fn line_and_column(&self) -> (usize, usize) {
        let line = self.text[..self.at].matches('\n').count() + 1;
        (line, self.text[self.line_start()..self.at].chars().count() + 1)
    }
}

pub(super) fn parse(text: &str) -> Result<Filter, ParseError> {
    let mut parser = Parser { text, at: 0, nesting: 0 };
    let filter = parser.or()?;
    if parser.peek().is_some() {
        return Err(parser.expected("'and', 'or' or end of text"));
    }
    Ok(filter)
}

/// Whether a text can be the name of a field here.
pub(super) fn is_field_name(text: &str) -> bool {
    let mut parser = Parser { text, at: 0, nesting: 0 };
    parser.field().is_ok_and(|field| field == text)
}

/// Reads the value of a quoted string, if the whole text is one.
pub(super) fn unquote(text: &str) -> Option<String> {
    let mut parser = Parser { text, at: 0, nesting: 0 };
    let value = parser.string().ok()?;
    (parser.at == text.len()).then_some(value)
}

struct Parser<'a> {
    text: &'a str,
    /// In bytes, always between two characters.
    at: usize,
    nesting: usize,
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Filter, ParseError> {
        self.list("or", Self::and, Filter::Or)
    }

    fn and(&mut self) -> Result<Filter, ParseError> {
        self.list("and", Self::not, Filter::And)
    }

    fn list(
        &mut self,
        keyword: &str,
        item: fn(&mut Self) -> Result<Filter, ParseError>,
        join: fn(Vec<Filter>) -> Filter,
    ) -> Result<Filter, ParseError> {
        let first = item(self)?;
        let mut filters = vec![first];
        while self.take_keyword(keyword) {
            filters.push(item(self)?);
        }
        // One alone is itself.
        Ok(if filters.len() == 1 { filters.remove(0) } else { join(filters) })
    }

    fn not(&mut self) -> Result<Filter, ParseError> {
        if self.take_keyword("not") {
            return Ok(self.nested(Self::not)?.negated());
        }
        if self.take("(") {
            let filter = self.nested(Self::or)?;
            if !self.take(")") {
                return Err(self.expected("'and', 'or' or ')'"));
            }
            return Ok(filter);
        }
        self.condition()
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Result<Filter, ParseError>) -> Result<Filter, ParseError> {
        if self.nesting == MAX_NESTING {
            return Err(self.error(format!("More than {MAX_NESTING} parentheses and 'not's inside each other")));
        }
        self.nesting += 1;
        let filter = inner(self);
        self.nesting -= 1;
        filter
    }

    fn condition(&mut self) -> Result<Filter, ParseError> {
        match self.peek() {
            Some('"' | '\'' | '+' | '-' | '0'..='9') => self.containment(),
            Some(c) if c.is_ascii_alphabetic() => {
                let field = self.field()?;
                self.field_condition(field)
            }
            _ => Err(self.expected("field, value, 'not' or '('")),
        }
    }

    fn containment(&mut self) -> Result<Filter, ParseError> {
        let value = self.value()?;
        let negated = self.take_keyword("not");
        if !self.take_keyword("in") {
            return Err(self.expected(if negated { "'in'" } else { "'in' or 'not in'" }));
        }
        let filter = Filter::Contains(self.field()?, value);
        Ok(if negated { filter.negated() } else { filter })
    }

    fn field_condition(&mut self, field: String) -> Result<Filter, ParseError> {
        // Longer ones first.
        if self.take("=~") {
            Ok(Filter::Regex(field, self.regex()?))
        } else if self.take("!~") {
            Ok(Filter::Regex(field, self.regex()?).negated())
        } else if self.take("=*") {
            Ok(Filter::Regex(field, self.glob()?))
        } else if self.take("!*") {
            Ok(Filter::Regex(field, self.glob()?).negated())
        } else if self.take("!=") {
            Ok(Filter::Compare(Comparison::Equal, field, self.value()?).negated())
        } else if let Some(comparison) = self.comparison() {
            Ok(Filter::Compare(comparison, field, self.value()?))
        } else {
            Ok(Filter::True(field))
        }
    }

    fn comparison(&mut self) -> Option<Comparison> {
        // Longer ones first.
        const OPERATORS: [(&str, Comparison); 6] = [
            ("==", Comparison::Equal),
            ("=", Comparison::Equal),
            ("<=", Comparison::LessOrEqual),
            ("<", Comparison::Less),
            (">=", Comparison::GreaterOrEqual),
            (">", Comparison::Greater),
        ];
        OPERATORS.into_iter().find(|(word, _)| self.take(word)).map(|(_, comparison)| comparison)
    }

    fn field(&mut self) -> Result<String, ParseError> {
        self.skip_space();
        let rest = self.rest();
        let end = rest.find(|c: char| !is_field_char(c)).unwrap_or(rest.len());
        let name = &rest[..end];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || matches!(name, "and" | "or" | "not") {
            return Err(self.expected("field"));
        }
        self.at += end;
        Ok(name.to_owned())
    }

    fn value(&mut self) -> Result<FilterValue, ParseError> {
        match self.peek() {
            Some('"' | '\'') => self.string().map(FilterValue::Text),
            Some('+' | '-' | '0'..='9') => self.number().map(FilterValue::Number),
            _ => Err(self.expected("quoted string or integer")),
        }
    }

    fn number(&mut self) -> Result<i64, ParseError> {
        let rest = self.rest();
        let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        let sign = rest.len() - digits.len();
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if end == 0 {
            return Err(self.expected("integer"));
        }
        let number = rest[..sign + end].parse().map_err(|_| self.error("Integer out of range".to_owned()))?;
        self.at += sign + end;
        Ok(number)
    }

    /// A quoted string. Doubled quotes and backslashes keep the string open and are part of the value.
    fn string(&mut self) -> Result<String, ParseError> {
        let rest = self.rest();
        let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return Err(self.expected("quoted string"));
        };
        let body = &rest[1..];
        let mut chars = body.char_indices().peekable();
        while let Some((index, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    // Ganeti: `\x` without digits ends the search.
                    Some((_, 'x')) if !chars.peek().is_some_and(|(_, c)| c.is_ascii_hexdigit()) => break,
                    _ => {}
                },
                '\n' | '\r' => break,
                c if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() => {
                    self.at += index + 2;
                    return Ok(body[..index].to_owned());
                }
                _ => {}
            }
        }
        Err(self.error(format!("String without closing {quote}")))
    }

    fn glob(&mut self) -> Result<FilterRegex, ParseError> {
        self.skip_space();
        let start = self.at;
        let pattern = self.string()?;
        FilterRegex::new(dns_name_glob(&pattern)).map_err(|e| self.error_at(start, e.to_string()))
    }

    fn regex(&mut self) -> Result<FilterRegex, ParseError> {
        self.skip_space();
        let start = self.at;
        self.take("m");
        let body = self.delimited()?;
        let flags = self.flags(start)?;
        let expression = if flags.is_empty() { body } else { format!("(?{flags}){body}") };
        FilterRegex::new(expression).map_err(|e| self.error_at(start, e.to_string()))
    }

    /// What is between two delimiters, without the backslashes.
    fn delimited(&mut self) -> Result<String, ParseError> {
        self.skip_space();
        let mut chars = self.rest().char_indices();
        let Some((_, delimiter)) = chars.next().filter(|(_, c)| DELIMITERS.contains(c)) else {
            return Err(self.expected("regular expression between /, #, ^ or |"));
        };
        let mut body = String::new();
        while let Some((index, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, 't')) => body.push('\t'),
                    Some((_, 'n')) => body.push('\n'),
                    Some((_, 'r')) => body.push('\r'),
                    Some((_, 'f')) => body.push('\x0c'),
                    Some((_, '\n')) | None => break,
                    Some((_, other)) => body.push(other),
                },
                '\n' | '\r' => break,
                c if c == delimiter => {
                    self.at += index + 1;
                    return Ok(body);
                }
                c => body.push(c),
            }
        }
        Err(self.error(format!("Regular expression without closing {delimiter}")))
    }

    /// The flags after a regular expression, sorted.
    fn flags(&mut self, start: usize) -> Result<String, ParseError> {
        self.skip_space();
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let word = &rest[..end];
        if matches!(word, "and" | "or") {
            return Ok(String::new());
        }
        let unknown: String = word.chars().filter(|c| !matches!(c, 'i' | 's')).collect();
        if !unknown.is_empty() {
            return Err(self.error_at(start, format!("Unknown regular expression flags: '{unknown}'")));
        }
        self.at += end;
        Ok(['i', 's'].into_iter().filter(|flag| word.contains(*flag)).collect())
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// The next character that is not white space.
    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.rest().chars().next()
    }

    fn take(&mut self, word: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn take_keyword(&mut self, word: &str) -> bool {
        self.skip_space();
        let found = self.rest().strip_prefix(word).is_some_and(|after| !after.starts_with(is_field_char));
        if found {
            self.at += word.len();
        }
        found
    }

    fn expected(&mut self, what: &str) -> ParseError {
        let problem = match self.peek() {
            Some(found) => format!("Expected {what}, found '{found}'"),
            None => format!("Expected {what}, found end of text"),
        };
        self.error(problem)
    }

    fn error(&self, problem: String) -> ParseError {
        self.error_at(self.at, problem)
    }

    fn error_at(&self, at: usize, problem: String) -> ParseError {
        ParseError { text: self.text.to_owned(), at, problem }
    }
}

fn is_field_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.')
}

#[cfg(test)]
mod tests;

//! Cuts JSON text into its elements without building values: a bulk answer of some megabytes is rearranged in one pass.

/// The text is not the JSON that was expected, at this byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unexpected JSON at byte {0} of the answer")]
pub(crate) struct Unexpected(usize);

/// A place in a JSON text. It finds where values end; it does not judge what is inside of strings and numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Steps into an array.
    pub(crate) fn enter(&mut self) -> Result<(), Unexpected> {
        self.expect(b'[')
    }

    /// Whether an element follows; steps over the comma before it, or over the array's end.
    pub(crate) fn more(&mut self, first: bool) -> Result<bool, Unexpected> {
        match self.peek()? {
            b']' => {
                self.at += 1;
                Ok(false)
            }
            _ if first => Ok(true),
            b',' => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(Unexpected(self.at)),
        }
    }

    /// Steps over a value and gives its text.
    pub(crate) fn value(&mut self) -> Result<&'a [u8], Unexpected> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => self.string()?,
            b'[' | b'{' => self.nested()?,
            b',' | b':' | b']' | b'}' => return Err(Unexpected(start)),
            _ => self.scalar(),
        }
        Ok(&self.text[start..self.at])
    }

    /// The error that says: not what was expected here.
    pub(crate) fn unexpected(&self) -> Unexpected {
        Unexpected(self.at)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Unexpected> {
        if self.peek()? != byte {
            return Err(Unexpected(self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&mut self) -> Result<u8, Unexpected> {
        while let Some(byte) = self.text.get(self.at) {
            if !byte.is_ascii_whitespace() {
                return Ok(*byte);
            }
            self.at += 1;
        }
        Err(Unexpected(self.at))
    }

    fn scalar(&mut self) {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t'));
        self.at += end.unwrap_or(rest.len());
    }

    fn string(&mut self) -> Result<(), Unexpected> {
        let start = self.at;
        let mut at = start + 1;
        loop {
            match self.text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
                None => return Err(Unexpected(start)),
            }
        }
        self.at = at + 1;
        Ok(())
    }

    fn nested(&mut self) -> Result<(), Unexpected> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.string()?;
                    continue;
                }
                Some(b'[' | b'{') => depth += 1,
                Some(b']' | b'}') => depth -= 1,
                Some(_) => {}
                None => return Err(Unexpected(start)),
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&[&str]>) {
        let elements = || -> Result<Vec<String>, Unexpected> {
            let mut cursor = Cursor::new(text.as_bytes());
            let mut found = Vec::new();
            cursor.enter()?;
            while cursor.more(found.is_empty())? {
                found.push(String::from_utf8(cursor.value()?.to_vec()).unwrap());
            }
            Ok(found)
        };
        assert_eq!(elements().ok(), expected.map(|texts| texts.iter().map(|text| (*text).to_owned()).collect()), "{text}");
    }

    #[test]
    fn elements() {
        check("[]", Some(&[]));
        check(" [ ] ", Some(&[]));
        check("[1, -2.5e3 ,true,null]", Some(&["1", "-2.5e3", "true", "null"]));
        check(r#"["a,]\"","\\",{"k":[1,{"]":"}"}]},[[],[2]]]"#, Some(&[r#""a,]\"""#, r#""\\""#, r#"{"k":[1,{"]":"}"}]}"#, "[[],[2]]"]));
        for broken in ["", "[", "{}", "[1", "[1 2]", "[\"a]", "[,1]", "[1,", "[[1]", "[\"\\", "[1,]"] {
            check(broken, None);
        }
    }
}

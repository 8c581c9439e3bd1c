//! A tree of elements that is written by quick-xml.

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

use crate::Error;

/// An XML element.
#[derive(Debug, Clone)]
pub(super) struct Element {
    name: &'static str,
    attrs: Vec<(&'static str, String)>,
    children: Vec<Element>,
    text: Option<String>,
}

pub(super) fn element(name: &'static str) -> Element {
    Element { name, attrs: Vec::new(), children: Vec::new(), text: None }
}

impl Element {
    pub(super) fn attr(mut self, name: &'static str, value: impl ToString) -> Element {
        self.attrs.push((name, value.to_string()));
        self
    }

    /// The attribute, if there is a value.
    pub(super) fn maybe(self, name: &'static str, value: Option<impl ToString>) -> Element {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    pub(super) fn text(mut self, text: impl ToString) -> Element {
        self.text = Some(text.to_string());
        self
    }

    pub(super) fn child(mut self, child: Element) -> Element {
        self.children.push(child);
        self
    }

    /// The children, of which there may be none.
    pub(super) fn children(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.children.extend(children);
        self
    }

    pub(super) fn to_xml(&self) -> Result<String, Error> {
        self.check()?;
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        self.write(&mut writer).map_err(|error| Error::invalid("domain XML", error.to_string()))?;
        String::from_utf8(writer.into_inner()).map_err(|error| Error::invalid("domain XML", error.to_string()))
    }

    /// XML 1.0 has no way to say most control characters, and in attributes a line break would become a space.
    fn check(&self) -> Result<(), Error> {
        let attrs = self.attrs.iter().map(|(name, value)| (*name, value));
        for (name, value) in attrs.chain(self.text.iter().map(|text| ("text", text))) {
            if value.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')) {
                return Err(Error::invalid(format!("<{}> {name}", self.name), "it contains a control character"));
            }
        }
        self.children.iter().try_for_each(Element::check)
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        let mut start = BytesStart::new(self.name);
        for (name, value) in &self.attrs {
            start.push_attribute((*name, value.as_str()));
        }
        if self.children.is_empty() && self.text.is_none() {
            return writer.write_event(Event::Empty(start));
        }
        writer.write_event(Event::Start(start))?;
        if let Some(text) = &self.text {
            writer.write_event(Event::Text(BytesText::new(text)))?;
        }
        for child in &self.children {
            child.write(writer)?;
        }
        writer.write_event(Event::End(BytesEnd::new(self.name)))
    }
}

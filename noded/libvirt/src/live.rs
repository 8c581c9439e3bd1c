//! Reads facts out of libvirt's XML.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use crate::Error;

/// Nesting beyond this is not a domain (libvirt's deepest is about ten).
const MAX_DEPTH: usize = 64;

/// An element with its attributes, children and text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    name: String,
    attrs: Vec<(String, String)>,
    children: Vec<Tree>,
    text: String,
}

impl Tree {
    /// The root element of `xml`; `what` is for the error.
    pub(crate) fn parse(what: &'static str, xml: &str) -> Result<Tree, Error> {
        let bad = |reason: String| Error::Parse { what, reason };
        let mut reader = Reader::from_str(xml);
        // open elements, outermost first; the root ends up in the first one
        let mut open = vec![Tree::default()];
        loop {
            match reader.read_event().map_err(|error| bad(error.to_string()))? {
                Event::Start(start) => {
                    if open.len() > MAX_DEPTH {
                        return Err(bad("nested too deeply".to_owned()));
                    }
                    open.push(Tree::begin(&start).map_err(bad)?);
                }
                Event::Empty(start) => {
                    let element = Tree::begin(&start).map_err(bad)?;
                    adopt(&mut open, element);
                }
                Event::End(_) => {
                    if let Some(element) = open.pop() {
                        adopt(&mut open, element);
                    }
                }
                Event::Text(text) => append(&mut open, &text.xml10_content()),
                Event::CData(text) => append(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => {
                    if let Some(c) = reference.resolve_char_ref().map_err(|error| bad(error.to_string()))? {
                        append(&mut open, c.encode_utf8(&mut [0; 4]));
                    } else {
                        let name = reference.xml10_content();
                        let text =
                            quick_xml::escape::resolve_predefined_entity(&name).ok_or_else(|| bad(format!("unknown entity &{name};")))?;
                        append(&mut open, text);
                    }
                }
                Event::Eof => break,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
        open.pop()
            .filter(|_| open.is_empty())
            .and_then(|mut top| top.children.pop())
            .ok_or_else(|| bad("no complete root element".to_owned()))
    }

    fn begin(start: &BytesStart<'_>) -> Result<Tree, String> {
        let mut attrs = Vec::new();
        for attr in start.attributes() {
            let attr = attr.map_err(|error| error.to_string())?;
            let value = attr.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
            attrs.push((attr.key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(Tree { name: start.name().as_ref().to_owned(), attrs, ..Tree::default() })
    }

    pub(crate) fn attr(&self, name: &str) -> Option<&str> {
        self.attrs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All elements at a path of names below this one (`devices/disk`).
    pub(crate) fn all<'a>(&'a self, path: &str) -> Box<dyn Iterator<Item = &'a Tree> + 'a> {
        match path.split_once('/') {
            Some((first, rest)) => {
                let (first, rest) = (first.to_owned(), rest.to_owned());
                Box::new(self.children.iter().filter(move |c| c.name == first).flat_map(move |c| c.all(&rest)))
            }
            None => {
                let name = path.to_owned();
                Box::new(self.children.iter().filter(move |c| c.name == name))
            }
        }
    }

    pub(crate) fn first(&self, path: &str) -> Option<&Tree> {
        self.all(path).next()
    }

    /// The text of the first element at a path; of this one with an empty path.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let element = if path.is_empty() { self } else { self.first(path)? };
        Some(element.text.trim().to_owned())
    }

    fn owned_attr(&self, path: &str, name: &str) -> Option<String> {
        self.first(path)?.attr(name).map(str::to_owned)
    }
}

fn adopt(open: &mut [Tree], element: Tree) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(element);
    }
}

fn append(open: &mut [Tree], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Where a guest's screen can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graphics {
    /// `vnc` or `spice`.
    pub kind: String,
    /// Address; `None` with a socket.
    pub listen: Option<String>,
    pub port: Option<u16>,
    pub tls_port: Option<u16>,
    pub socket: Option<String>,
}

/// A disk of a running guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveDisk {
    /// `disk`, `cdrom`, `floppy`, `lun`.
    pub device: String,
    /// `vda`.
    pub target: String,
    /// File, device or image name; `None`: no medium.
    pub source: Option<String>,
    pub alias: Option<String>,
    pub serial: Option<String>,
}

/// A NIC of a running guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveNic {
    pub mac: String,
    /// Device name on the node.
    pub ifname: Option<String>,
    pub bridge: Option<String>,
    pub alias: Option<String>,
}

fn domain(xml: &str) -> Result<Tree, Error> {
    Tree::parse("domain XML", xml)
}

pub(crate) fn graphics(xml: &str) -> Result<Vec<Graphics>, Error> {
    // libvirt says -1 for a port that is not (yet) chosen
    let port = |element: &Tree, name| element.attr(name).and_then(|port| port.parse().ok()).filter(|port| *port != 0);
    Ok(domain(xml)?
        .all("devices/graphics")
        .map(|graphics| Graphics {
            kind: graphics.attr("type").unwrap_or_default().to_owned(),
            listen: graphics.owned_attr("listen", "address").or_else(|| graphics.attr("listen").map(str::to_owned)),
            port: port(graphics, "port"),
            tls_port: port(graphics, "tlsPort"),
            socket: graphics.owned_attr("listen", "socket").or_else(|| graphics.attr("socket").map(str::to_owned)),
        })
        .collect())
}

pub(crate) fn console_pty(xml: &str) -> Result<Option<String>, Error> {
    let domain = domain(xml)?;
    let path = domain
        .all("devices/serial")
        .chain(domain.all("devices/console"))
        .filter(|port| port.attr("type") == Some("pty"))
        .find_map(|port| port.owned_attr("source", "path"));
    Ok(path)
}

pub(crate) fn disks(xml: &str) -> Result<Vec<LiveDisk>, Error> {
    Ok(domain(xml)?
        .all("devices/disk")
        .map(|disk| LiveDisk {
            device: disk.attr("device").unwrap_or("disk").to_owned(),
            target: disk.owned_attr("target", "dev").unwrap_or_default(),
            source: ["file", "dev", "name"].iter().find_map(|name| disk.owned_attr("source", name)),
            alias: disk.owned_attr("alias", "name"),
            serial: disk.text("serial"),
        })
        .collect())
}

pub(crate) fn nics(xml: &str) -> Result<Vec<LiveNic>, Error> {
    Ok(domain(xml)?
        .all("devices/interface")
        .map(|nic| LiveNic {
            mac: nic.owned_attr("mac", "address").unwrap_or_default(),
            ifname: nic.owned_attr("target", "dev"),
            bridge: nic.owned_attr("source", "bridge"),
            alias: nic.owned_attr("alias", "name"),
        })
        .collect())
}

/// Runs by emulation, without KVM.
pub(crate) fn is_emulated(xml: &str) -> Result<bool, Error> {
    Ok(domain(xml)?.attr("type") == Some("qemu"))
}

pub(crate) fn has_alias(xml: &str, alias: &str) -> Result<bool, Error> {
    Ok(domain(xml)?
        .first("devices")
        .is_some_and(|devices| devices.children.iter().any(|d| d.owned_attr("alias", "name").as_deref() == Some(alias))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: &str = "<?xml version='1.0'?><domain type='qemu' id='3'><name>a&amp;b&#33;</name><devices>\
        <disk type='file' device='disk'><source file='/srv/a &amp; b'/><target dev='vda' bus='virtio'/>\
        <serial>s1</serial><alias name='ua-disk-1'/></disk>\
        <disk type='file' device='cdrom'><target dev='hdc'/><alias name='ide0-1-0'/></disk>\
        <interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><target dev='gnt0'/>\
        <alias name='ua-nic-1'/></interface>\
        <serial type='pty'><source path='/dev/pts/4'/></serial><console type='pty' tty='/dev/pts/4'/>\
        <graphics type='vnc' port='5901' autoport='yes' listen='10.0.0.1'><listen type='address' address='10.0.0.1'/></graphics>\
        <graphics type='spice' port='-1'/></devices></domain>";

    #[test]
    fn facts_of_a_live_domain() {
        let found = disks(LIVE).unwrap();
        assert_eq!(found[0].source.as_deref(), Some("/srv/a & b"));
        assert_eq!(found[0].serial.as_deref(), Some("s1"));
        assert_eq!(found[1].source, None);
        assert_eq!(nics(LIVE).unwrap()[0].ifname.as_deref(), Some("gnt0"));
        assert_eq!(console_pty(LIVE).unwrap().as_deref(), Some("/dev/pts/4"));
        let screens = graphics(LIVE).unwrap();
        assert_eq!((screens[0].port, screens[0].listen.as_deref()), (Some(5901), Some("10.0.0.1")));
        assert_eq!(screens[1].port, None);
        assert!(is_emulated(LIVE).unwrap());
        assert!(has_alias(LIVE, "ua-nic-1").unwrap());
        assert!(!has_alias(LIVE, "ua-nic-2").unwrap());
        assert_eq!(domain(LIVE).unwrap().text("name").as_deref(), Some("a&b!"));
    }

    #[test]
    fn broken_xml_is_an_error() {
        for xml in ["", "<a>", "<a></b>", "</a>", "<a x='1' x='2'/>", "<a>&nope;</a>"] {
            assert!(matches!(domain(xml), Err(Error::Parse { .. })), "{xml}");
        }
        assert!(domain(&"<a>".repeat(1000)).is_err());
    }
}

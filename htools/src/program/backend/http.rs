//! The few requests that the tools make by HTTP: one connection each, one answer, with limits.

mod answer;
mod credential;
mod tls;

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::super::Io;
use credential::Login;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long the other side may be silent.
const SILENCE: Duration = Duration::from_secs(60);
/// The largest answer, in bytes: a hundred thousand instances stay below it.
const LARGEST: u64 = 1 << 30;

/// Where to ask.
pub(super) struct Site {
    host: String,
    port: u16,
    tls: bool,
    login: Option<Login>,
}

impl Site {
    /// The site of a URL. A password in it is accepted, but other users of this machine can see it.
    pub(super) fn new(url: &str, io: &mut Io<'_>) -> Result<Self, String> {
        let (tls, rest) = match url.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            Some((scheme, _)) => return Err(format!("{url}: the scheme {scheme} is not known, use https, http or file")),
            // Ganeti: curl takes an address without a scheme as HTTP.
            None => (false, url),
        };
        let (userinfo, host) =
            rest.trim_end_matches('/').rsplit_once('@').map_or((None, rest.trim_end_matches('/')), |(u, h)| (Some(u), h));
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| format!("{}: '{port}' is not a port", without_password(url)))?)
            }
            _ => (host, if tls { 443 } else { 80 }),
        };
        let login = match userinfo {
            Some(userinfo) => {
                if userinfo.contains(':') {
                    io.complain("Warning: a password on the command line can be seen by others; use ~/.netrc instead\n");
                }
                Some(Login::from_userinfo(userinfo))
            }
            None => credential::find(host)?,
        };
        Ok(Self { host: host.to_owned(), port, tls, login })
    }

    /// The body of a path.
    pub(super) fn get(&self, path: &str) -> Result<String, String> {
        let url = format!("{}://{}:{}{path}", if self.tls { "https" } else { "http" }, self.host, self.port);
        self.ask(path).map_err(|error| format!("{url}: {error}"))
    }

    fn ask(&self, path: &str) -> Result<String, String> {
        let tcp = self.connect()?;
        let login = self.login.as_ref().map(|login| format!("Authorization: Basic {}\r\n", login.encoded())).unwrap_or_default();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}:{}\r\nAccept: application/json\r\nConnection: close\r\n{login}\r\n",
            self.host, self.port
        );
        if self.tls { exchange(tls::open(tcp, &self.host)?, &request) } else { exchange(tcp, &request) }
    }

    fn connect(&self) -> Result<TcpStream, String> {
        let name = self.host.trim_start_matches('[').trim_end_matches(']');
        let addresses = (name, self.port).to_socket_addrs().map_err(|error| error.to_string())?;
        let mut last = "the name has no address".to_owned();
        for address in addresses {
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(tcp) => {
                    let limited = tcp.set_read_timeout(Some(SILENCE)).and_then(|()| tcp.set_write_timeout(Some(SILENCE)));
                    return limited.map(|()| tcp).map_err(|error| error.to_string());
                }
                Err(error) => last = error.to_string(),
            }
        }
        Err(last)
    }
}

fn exchange(mut stream: impl Read + Write, request: &str) -> Result<String, String> {
    stream.write_all(request.as_bytes()).and_then(|()| stream.flush()).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    match stream.take(LARGEST).read_to_end(&mut bytes) {
        Ok(_) => {}
        // Many servers close without TLS's farewell; whether the answer is complete shows its length.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {}
        Err(error) => return Err(error.to_string()),
    }
    answer::body(&bytes)
}

/// A URL for messages.
fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(start), Some(end)) if start < end => format!("{}…{}", &url[..start + 3], &url[end..]),
        _ => url.to_owned(),
    }
}

//! The few requests that the tools make by HTTP: one connection each, one answer, with limits.

mod answer;
mod credential;
mod tls;

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::super::Io;
use credential::Login;

/// What a request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How long a connection may take.
    pub connect: Duration,
    /// How long the other side may be silent.
    pub silence: Duration,
    /// When the answer must be there; `None`: whenever it comes.
    pub until: Option<Instant>,
    /// The largest answer, in bytes.
    pub size: u64,
}

/// Those of RAPI: a hundred thousand instances stay below the size.
const RAPI: Limits = Limits { connect: Duration::from_secs(15), silence: Duration::from_secs(60), until: None, size: 1 << 30 };

/// Where to ask.
pub(super) struct Site {
    host: String,
    port: u16,
    tls: bool,
    login: Option<Login>,
    limits: Limits,
}

impl Site {
    /// A site that everyone may ask, without TLS.
    pub(super) fn open(host: &str, port: u16, limits: Limits) -> Self {
        Self { host: host.to_owned(), port, tls: false, login: None, limits }
    }

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
        Ok(Self { host: host.to_owned(), port, tls, login, limits: RAPI })
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
        if self.tls { self.exchange(tls::open(tcp, &self.host)?, &request) } else { self.exchange(tcp, &request) }
    }

    fn connect(&self) -> Result<Timed, String> {
        let name = self.host.trim_start_matches('[').trim_end_matches(']');
        let addresses = (name, self.port).to_socket_addrs().map_err(|error| error.to_string())?;
        let mut last = "the name has no address".to_owned();
        for address in addresses {
            let connected = self.limits.left(self.limits.connect).and_then(|limit| TcpStream::connect_timeout(&address, limit));
            match connected {
                Ok(tcp) => return Ok(Timed { tcp, limits: self.limits }),
                Err(error) => last = error.to_string(),
            }
        }
        Err(last)
    }

    fn exchange(&self, mut stream: impl Read + Write, request: &str) -> Result<String, String> {
        stream.write_all(request.as_bytes()).and_then(|()| stream.flush()).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        match stream.take(self.limits.size).read_to_end(&mut bytes) {
            Ok(_) => {}
            // Many servers close without TLS's farewell; whether the answer is complete shows its length.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(error.to_string()),
        }
        answer::body(&bytes)
    }
}

impl Limits {
    /// How much of `limit` there is before the end.
    fn left(&self, limit: Duration) -> std::io::Result<Duration> {
        let left = self.until.map_or(limit, |until| until.saturating_duration_since(Instant::now()).min(limit));
        // A timeout of zero would mean none.
        if left.is_zero() { Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time")) } else { Ok(left) }
    }
}

/// A connection that keeps to its limits, however small the pieces are that come.
#[derive(Debug)]
struct Timed {
    tcp: TcpStream,
    limits: Limits,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.tcp.set_read_timeout(Some(self.limits.left(self.limits.silence)?))?;
        self.tcp.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.tcp.set_write_timeout(Some(self.limits.left(self.limits.silence)?))?;
        self.tcp.write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.tcp.flush()
    }
}

/// A URL for messages.
fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(start), Some(end)) if start < end => format!("{}…{}", &url[..start + 3], &url[end..]),
        _ => url.to_owned(),
    }
}

//! An HTTP answer as bytes.

/// The body of a good and complete answer.
pub(super) fn body(bytes: &[u8]) -> Result<String, String> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or("the answer is not HTTP")?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    let code = status.split(' ').nth(1).unwrap_or_default();
    let header = |wanted: &str| {
        let found = head.lines().skip(1).filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim().to_owned())
    };
    let rest = &bytes[end + 4..];
    let body = match (header("transfer-encoding"), header("content-length")) {
        (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => unchunked(rest)?,
        (_, Some(length)) => {
            let length: usize = length.parse().map_err(|_| "the answer's length is no number")?;
            rest.get(..length).ok_or_else(|| format!("the answer ends after {} of {length} bytes", rest.len()))?.to_vec()
        }
        _ => rest.to_vec(),
    };
    let text = String::from_utf8(body).map_err(|_| "the answer is not text in UTF-8")?;
    match code {
        "200" => Ok(text),
        "401" => Err(format!("{status}: a user and a password are needed; put them into ~/.netrc")),
        _ => Err(status.to_owned()),
    }
}

fn unchunked(mut rest: &[u8]) -> Result<Vec<u8>, String> {
    let broken = "the answer is cut off";
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").ok_or(broken)?;
        let size = String::from_utf8_lossy(&rest[..end]);
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).map_err(|_| broken)?;
        if size == 0 {
            return Ok(body);
        }
        let start = end + 2;
        let stop = start.checked_add(size).ok_or(broken)?;
        body.extend_from_slice(rest.get(start..stop).ok_or(broken)?);
        rest = rest.get(stop + 2..).ok_or(broken)?;
    }
}

#[cfg(test)]
mod tests {
    use super::body;

    #[test]
    fn bodies() {
        assert_eq!(body(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"), Ok("[]".to_owned()));
        assert_eq!(body(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n"), Ok("[]".to_owned()));
        assert_eq!(body(b"HTTP/1.0 200 OK\r\n\r\n[]"), Ok("[]".to_owned()));
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        for wrong in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[]"[..],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n[",
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            b"hello",
        ] {
            assert!(body(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
    }
}

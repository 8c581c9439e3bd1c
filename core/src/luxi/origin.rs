//! Where an answer comes from: said in front of those that do not come from a master that is sure of itself.
//!
//! On the wire it is one more key of the answer, `{"origin":{…},"success":true,"result":…}`, which other clients of LUXI pass over.

use serde::{Deserialize, Serialize};

use super::Error;

/// How an answer with an origin begins.
const MARK: &[u8] = b"{\"origin\":";

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The node whose daemon answered, or passed the master's answer on.
    pub node: String,
    /// The master, as far as that node knows.
    pub master: Option<String>,
    /// Why the answer may be old. Without: it is as good as the master's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
}

impl Origin {
    /// Whether the node that answered is the master itself.
    #[must_use]
    pub fn is_master(&self) -> bool {
        self.master.as_deref() == Some(self.node.as_str())
    }

    /// What stands in front of an answer, in the place of its opening brace.
    #[must_use]
    pub fn prefix(&self) -> Vec<u8> {
        let mut prefix = MARK.to_vec();
        prefix.extend_from_slice(serde_json::json!(self).to_string().as_bytes());
        prefix.push(b',');
        prefix
    }
}

/// Takes the origin off an answer, which is a plain one then.
///
/// # Errors
/// [`Error::Protocol`] when it is not an origin.
pub fn take_origin(answer: &mut Vec<u8>) -> Result<Option<Origin>, Error> {
    if !answer.starts_with(MARK) {
        return Ok(None);
    }
    let mut values = serde_json::Deserializer::from_slice(&answer[MARK.len()..]).into_iter::<Origin>();
    let unexpected = || Error::Protocol("an answer without its origin".to_owned());
    let origin = values.next().ok_or_else(unexpected)?.map_err(|error| Error::Protocol(error.to_string()))?;
    let comma = MARK.len() + values.byte_offset();
    if answer.get(comma) != Some(&b',') {
        return Err(unexpected());
    }
    answer[comma] = b'{';
    answer.drain(..comma);
    Ok(Some(origin))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::luxi::{decode_response, encode_success};

    #[test]
    fn an_origin_is_put_in_front_and_taken_off() {
        let origin = Origin { node: "node2".into(), master: Some("node1".into()), old: Some("no master, \"},\" it says".into()) };
        let mut plain = encode_success(&json!([1, "x"]));
        plain.pop();
        let mut marked = origin.prefix();
        marked.extend_from_slice(&plain[1..]);
        // Who does not know it reads the answer all the same.
        assert_eq!(decode_response(&marked).unwrap(), json!([1, "x"]));
        assert_eq!(take_origin(&mut marked).unwrap(), Some(origin.clone()));
        assert_eq!(marked, plain);
        assert_eq!(take_origin(&mut marked).unwrap(), None);
        assert!(!origin.is_master() && Origin { master: Some("node2".into()), ..origin }.is_master());
    }

    #[test]
    fn what_only_begins_like_one_is_refused() {
        for bad in ["{\"origin\":", "{\"origin\":{}}", "{\"origin\":{\"node\":\"a\",\"master\":null}}", "{\"origin\":7,\"success\":true}"] {
            assert!(take_origin(&mut bad.as_bytes().to_vec()).is_err(), "{bad}");
        }
    }
}

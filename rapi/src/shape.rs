//! From a LUXI answer to the body of a resource. Cells are copied as they came.

use bytes::Bytes;
use gannet_core::error::WireError;
use gannet_core::luxi;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::cursor::{Cursor, Unexpected};
use crate::error::ApiError;

/// How a positive answer of gannet-masterd begins; it ends with a brace.
const POSITIVE: &[u8] = br#"{"success":true,"result":"#;

/// What the body of a read resource is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The result itself.
    AsIs,
    /// The result itself, which has to be a list.
    List,
    /// `[{KEY: first cell, "uri": PREFIX + first cell}]`, sorted by the cell.
    Uris { key: &'static str, prefix: &'static str },
    /// One object for each row.
    Objects { fields: &'static [&'static str], extra: Extra },
    /// The object of the first row; 404 without one.
    Object { fields: &'static [&'static str], extra: Extra },
    /// The cluster's settings, with two of them also under their older names.
    Info,
    /// The first cell, a letter, as the role's name.
    Role,
    /// The console of a running instance: the cells are `console` and `oper_state`.
    Console,
}

/// Keys that are not query fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    None,
    /// `beparams` also has `memory`, equal to `maxmem`.
    Memory,
    /// `sip` is also there as `secondary_ip`.
    SecondaryIp,
}

/// Makes the body out of the LUXI answer's bytes.
pub(crate) fn body(mut answer: Vec<u8>, shape: Shape) -> Result<Bytes, ApiError> {
    // A long result that is the body itself is not copied.
    let as_is = shape == Shape::AsIs || shape == Shape::List && answer.get(POSITIVE.len()) == Some(&b'[');
    if as_is && answer.starts_with(POSITIVE) && answer.ends_with(b"}") {
        answer.pop();
        answer.push(b'\n');
        return Ok(Bytes::from(answer).slice(POSITIVE.len()..));
    }
    let result = result(&answer)?;
    let mut body = match shape {
        Shape::AsIs => result.to_vec(),
        Shape::List if result.starts_with(b"[") => result.to_vec(),
        Shape::List => return Err(ApiError::bad_gateway("the answer is not a list")),
        Shape::Uris { key, prefix } => uris(result, key, prefix)?,
        Shape::Objects { fields, extra } => objects(result, fields, extra).map_err(unexpected)?,
        Shape::Object { fields, extra } => object(result, fields, extra)?,
        Shape::Info => info(result)?,
        Shape::Role => role(result)?,
        Shape::Console => console(result)?,
    };
    body.push(b'\n');
    Ok(body.into())
}

/// The result within a positive answer; the refusal of a negative one.
pub(crate) fn result(answer: &[u8]) -> Result<&[u8], ApiError> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        success: bool,
        #[serde(borrow)]
        result: Option<&'a RawValue>,
    }
    // what gannet-masterd writes; any other order or spacing goes the long way
    if let Some(result) = answer.strip_prefix(POSITIVE).and_then(|rest| rest.strip_suffix(b"}")) {
        return Ok(result);
    }
    let parsed: Answer<'_> = serde_json::from_slice(answer).map_err(|error| luxi::Error::Protocol(error.to_string()))?;
    let result = parsed.result.map_or("null", RawValue::get);
    if parsed.success {
        return Ok(result.as_bytes());
    }
    let value: Value = serde_json::from_str(result).map_err(|error| luxi::Error::Protocol(error.to_string()))?;
    let refusal = WireError::from_json(&value).unwrap_or_else(|| match value {
        Value::String(text) => WireError::new("GenericError", text),
        other => WireError::new("GenericError", other.to_string()),
    });
    Err(luxi::Error::Remote(refusal).into())
}

fn unexpected(error: Unexpected) -> ApiError {
    ApiError::bad_gateway(error.to_string())
}

fn uris(result: &[u8], key: &str, prefix: &str) -> Result<Vec<u8>, ApiError> {
    let rows: Vec<(Value,)> = serde_json::from_slice(result).map_err(|error| ApiError::bad_gateway(error.to_string()))?;
    let mut cells: Vec<Value> = rows.into_iter().map(|(cell,)| cell).collect();
    cells.sort_by(|a, b| (a.as_u64(), a.as_str()).cmp(&(b.as_u64(), b.as_str())));
    let list: Vec<Value> = cells
        .into_iter()
        .map(|cell| {
            let uri = cell.as_str().map_or_else(|| format!("{prefix}{cell}"), |text| format!("{prefix}{text}"));
            json!({key: cell, "uri": uri})
        })
        .collect();
    Ok(Value::Array(list).to_string().into_bytes())
}

fn objects(rows: &[u8], fields: &[&str], extra: Extra) -> Result<Vec<u8>, Unexpected> {
    let names: Vec<String> =
        fields.iter().enumerate().map(|(index, field)| format!("{}\"{field}\":", if index == 0 { "{" } else { "," })).collect();
    // names of fields take less room than the values, mostly
    let mut body = Vec::with_capacity(rows.len() * 3 / 2 + 16);
    let mut cursor = Cursor::new(rows);
    cursor.enter()?;
    body.push(b'[');
    let mut first = true;
    while cursor.more(first)? {
        if !first {
            body.push(b',');
        }
        row(&mut cursor, fields, &names, extra, &mut body)?;
        first = false;
    }
    body.push(b']');
    Ok(body)
}

/// One object for the row at the cursor. A row has one cell for each field: not fewer, not more.
fn row(cursor: &mut Cursor<'_>, fields: &[&str], names: &[String], extra: Extra, body: &mut Vec<u8>) -> Result<(), Unexpected> {
    cursor.enter()?;
    for (index, (field, name)) in fields.iter().zip(names).enumerate() {
        if !cursor.more(index == 0)? {
            return Err(cursor.unexpected());
        }
        let cell = cursor.value()?;
        body.extend_from_slice(name.as_bytes());
        match (extra, *field) {
            (Extra::Memory, "beparams") => with_memory(cell, body),
            (Extra::SecondaryIp, "sip") => {
                body.extend_from_slice(cell);
                body.extend_from_slice(b",\"secondary_ip\":");
                body.extend_from_slice(cell);
            }
            _ => body.extend_from_slice(cell),
        }
    }
    if cursor.more(fields.is_empty())? {
        return Err(cursor.unexpected());
    }
    body.push(b'}');
    Ok(())
}

fn with_memory(beparams: &[u8], body: &mut Vec<u8>) {
    #[derive(Deserialize)]
    struct Beparams<'a> {
        #[serde(borrow)]
        maxmem: &'a RawValue,
    }
    body.extend_from_slice(beparams);
    if let Ok(parsed) = serde_json::from_slice::<Beparams<'_>>(beparams) {
        body.pop();
        body.extend_from_slice(b",\"memory\":");
        body.extend_from_slice(parsed.maxmem.get().as_bytes());
        body.push(b'}');
    }
}

/// Ganeti's daemon answers a row that is null for a job that was never there.
fn object(result: &[u8], fields: &[&str], extra: Extra) -> Result<Vec<u8>, ApiError> {
    let mut cursor = Cursor::new(result);
    cursor.enter().map_err(unexpected)?;
    if !cursor.more(true).map_err(unexpected)? {
        return Err(ApiError::not_found());
    }
    let row = cursor.value().map_err(unexpected)?;
    if row == b"null" {
        return Err(ApiError::not_found());
    }
    let list = objects(&[b"[", row, b"]"].concat(), fields, extra).map_err(unexpected)?;
    Ok(list[1..list.len() - 1].to_vec())
}

fn info(result: &[u8]) -> Result<Vec<u8>, ApiError> {
    #[derive(Deserialize)]
    struct Info<'a> {
        #[serde(borrow, default)]
        volume_group_name: Option<&'a RawValue>,
        #[serde(borrow, default)]
        drbd_usermode_helper: Option<&'a RawValue>,
    }
    let parsed: Info<'_> = serde_json::from_slice(result).map_err(|error| ApiError::bad_gateway(error.to_string()))?;
    let end = result.iter().rposition(|byte| *byte == b'}').unwrap_or(0);
    let mut body = result[..end].to_vec();
    for (alias, value) in [("vg_name", parsed.volume_group_name), ("drbd_helper", parsed.drbd_usermode_helper)] {
        let value = value.map_or("null", RawValue::get);
        body.extend_from_slice(format!(",\"{alias}\":{value}").as_bytes());
    }
    body.push(b'}');
    Ok(body)
}

fn role(result: &[u8]) -> Result<Vec<u8>, ApiError> {
    let rows: Vec<(String,)> = serde_json::from_slice(result).map_err(|error| ApiError::bad_gateway(error.to_string()))?;
    let name = match rows.first().map(|(letter,)| letter.as_str()) {
        Some("M") => "master",
        Some("C") => "master-candidate",
        Some("R") => "regular",
        Some("D") => "drained",
        Some("O") => "offline",
        other => return Err(ApiError::internal(format!("the node's role is unknown: {other:?}"))),
    };
    Ok(format!("\"{name}\"").into_bytes())
}

fn console(result: &[u8]) -> Result<Vec<u8>, ApiError> {
    let rows: Vec<(&RawValue, Option<bool>)> = serde_json::from_slice(result).map_err(|error| ApiError::bad_gateway(error.to_string()))?;
    match rows.first() {
        None => Err(ApiError::not_found()),
        Some((console, Some(true))) if console.get() != "null" => Ok(console.get().as_bytes().to_vec()),
        Some(_) => Err(ApiError::new(http::StatusCode::SERVICE_UNAVAILABLE, "Instance console unavailable")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[&str] = &["name", "beparams"];

    #[track_caller]
    fn check(result: &str, shape: Shape, expected: Result<Value, u16>) {
        let answer = format!(r#"{{"success":true,"result":{result}}}"#);
        let spaced = format!(r#"{{"result": {result} , "success": true}}"#);
        for text in [answer, spaced] {
            let found = body(text.clone().into_bytes(), shape)
                .map(|body| serde_json::from_slice::<Value>(&body).unwrap())
                .map_err(|error| error.status.as_u16());
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn lists() {
        let by_id = Shape::Uris { key: "id", prefix: "/2/jobs/" };
        check("[]", by_id, Ok(json!([])));
        check("[[10],[9]]", by_id, Ok(json!([{"id": 9, "uri": "/2/jobs/9"}, {"id": 10, "uri": "/2/jobs/10"}])));
        check(
            r#"[["b"],["a"]]"#,
            Shape::Uris { key: "name", prefix: "/2/x/" },
            Ok(json!([{"name": "a", "uri": "/2/x/a"}, {"name": "b", "uri": "/2/x/b"}])),
        );
        check("[[1,2]]", by_id, Err(502));
    }

    #[test]
    fn objects_have_all_fields_and_the_extras() {
        let many = Shape::Objects { fields: FIELDS, extra: Extra::Memory };
        let one = Shape::Object { fields: FIELDS, extra: Extra::Memory };
        let row = r#"["web1",{"maxmem":512,"vcpus":1}]"#;
        let object = json!({"name": "web1", "beparams": {"maxmem": 512, "vcpus": 1, "memory": 512}});
        check("[]", many, Ok(json!([])));
        check(&format!("[{row},{row}]"), many, Ok(json!([object, object])));
        check(&format!("[{row}]"), one, Ok(object));
        check(r#"[["web1",null]]"#, one, Ok(json!({"name": "web1", "beparams": null})));
        check(r#"[["web1",{}]]"#, one, Ok(json!({"name": "web1", "beparams": {}})));
        check("[]", one, Err(404));
        check("[null]", one, Err(404));
        check(r#"[["web1"]]"#, many, Err(502));
        check(r#"[["web1",{},3]]"#, many, Err(502));
        check(r#"[["web1",{},[]]]"#, many, Err(502));
        check("{}", many, Err(502));
        let node = Shape::Object { fields: &["sip", "name"], extra: Extra::SecondaryIp };
        check(r#"[["10.0.0.1","n"]]"#, node, Ok(json!({"sip": "10.0.0.1", "secondary_ip": "10.0.0.1", "name": "n"})));
    }

    #[test]
    fn the_rest() {
        check("[{},1]", Shape::List, Ok(json!([{}, 1])));
        check("{}", Shape::List, Err(502));
        check("null", Shape::AsIs, Ok(Value::Null));
        check(
            r#"{"name":"c","volume_group_name":"xenvg"}"#,
            Shape::Info,
            Ok(json!({"name": "c", "volume_group_name": "xenvg", "vg_name": "xenvg", "drbd_helper": null})),
        );
        check("3", Shape::Info, Err(502));
        check(r#"[["C"]]"#, Shape::Role, Ok(json!("master-candidate")));
        check(r#"[["X"]]"#, Shape::Role, Err(500));
        check(r#"[[{"kind":"ssh"},true]]"#, Shape::Console, Ok(json!({"kind": "ssh"})));
        check(r#"[[null,false]]"#, Shape::Console, Err(503));
        check(r#"[[{"kind":"ssh"},null]]"#, Shape::Console, Err(503));
    }

    #[test]
    fn refusals() {
        let refused = |answer: &str| body(answer.as_bytes().to_vec(), Shape::AsIs).unwrap_err();
        assert_eq!(refused(r#"{"success":false,"result":["OpPrereqError",["no","unknown_entity"]]}"#).status.as_u16(), 404);
        assert_eq!(refused(r#"{"success":false,"result":"bad"}"#), ApiError::internal("bad"));
        assert_eq!(refused("nonsense").status.as_u16(), 502);
    }
}

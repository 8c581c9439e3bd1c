//! Reads parameters from a JSON object and remembers which one was at fault.

use std::fmt::Display;

use serde::de::value::StringDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Map, Value};

use super::Error;

/// Reads the parameters of `op_id`. Strict: every key must be a parameter and every value of its type.
pub(super) fn parameters<T: DeserializeOwned>(op_id: &'static str, object: Map<String, Value>) -> Result<T, Error> {
    let entries = Entries { rest: object.into_iter(), current: None };
    T::deserialize(entries).map_err(|problem| match problem {
        Problem::Missing(parameter) => Error::Missing { op_id, parameter },
        Problem::Unknown(parameter) => Error::Unknown { op_id, parameter },
        Problem::Invalid { parameter, detail } => {
            let detail = if super::is_confidential(&parameter) { "wrong type".to_owned() } else { detail };
            Error::Invalid { op_id, parameter, detail }
        }
    })
}

#[derive(Debug)]
enum Problem {
    Missing(String),
    Unknown(String),
    Invalid { parameter: String, detail: String },
}

impl Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(parameter) => write!(f, "missing parameter {parameter}"),
            Self::Unknown(parameter) => write!(f, "unknown parameter {parameter}"),
            Self::Invalid { parameter, detail } => write!(f, "{parameter}: {detail}"),
        }
    }
}

impl std::error::Error for Problem {}

impl serde::de::Error for Problem {
    fn custom<T: Display>(message: T) -> Self {
        Self::Invalid { parameter: String::new(), detail: message.to_string() }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field.to_owned())
    }

    fn unknown_field(field: &str, _expected: &'static [&'static str]) -> Self {
        Self::Unknown(field.to_owned())
    }
}

struct Entries {
    rest: serde_json::map::IntoIter,
    current: Option<(String, Value)>,
}

impl<'de> Deserializer<'de> for Entries {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Problem> {
        self.current = self.rest.next();
        match &self.current {
            None => Ok(None),
            Some((parameter, _)) => {
                let parameter: StringDeserializer<Problem> = parameter.clone().into_deserializer();
                seed.deserialize(parameter).map(Some)
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let (parameter, value) = self.current.take().unwrap_or_default();
        seed.deserialize(value).map_err(|error| Problem::Invalid { parameter, detail: error.to_string() })
    }
}

//! JSON as strictly as a request must be.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::problem::Problem;

/// An object whose fields are each there once: of two with one name nobody knows which is meant.
struct Object(Map<String, Value>);

/// The body as an object.
///
/// # Errors
/// 400 with the place, for what is no UTF-8, no JSON, nested too deep, no object, or has a field
/// twice.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_slice::<Object>(bytes) {
        Ok(Object(object)) => Ok(object),
        Err(error) => Err(Problem::malformed(&told(&error))),
    }
}

/// The messages of the parser hold nothing of the body; those about other types would.
fn told(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof => "the body ends in the middle of its JSON".to_owned(),
        serde_json::error::Category::Data if error.to_string().starts_with(TWICE) => {
            format!("a field is there twice, the second at line {line}, column {column}")
        }
        serde_json::error::Category::Data => {
            "the body is no JSON object; send one, as in {\"message\": \"hello\"}".to_owned()
        }
        _ => format!("the body is no JSON at line {line}, column {column}"),
    }
}

const TWICE: &str = "a field twice";

// === impl Object ===

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Object, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = fields.next_entry::<String, Value>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(body: &str) -> String {
        object(body.as_bytes()).unwrap_err().detail().to_owned()
    }

    #[test]
    fn a_refusal_names_the_place_and_nothing_of_the_body() {
        assert_eq!(
            detail("{\"message\": \"a\",\n \"message\": \"b\"}"),
            "a field is there twice, the second at line 2, column 16"
        );
        assert_eq!(
            detail("{\"message\": secret}"),
            "the body is no JSON at line 1, column 13"
        );
        assert!(detail("[\"secret\"]").starts_with("the body is no JSON object"));
        assert_eq!(
            detail("{\"a\": "),
            "the body ends in the middle of its JSON"
        );
    }

    /// A parser that recurses for each bracket is ended by a small body.
    #[test]
    fn depth_is_refused_without_overflowing_the_stack() {
        let deep = format!(
            "{{\"message\": {}{}}}",
            "[".repeat(30_000),
            "]".repeat(30_000)
        );
        assert!(detail(&deep).starts_with("the body is no JSON at line 1"));
    }
}

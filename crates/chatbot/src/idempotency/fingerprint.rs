//! Whether two requests are the same.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// A SHA-256 of what a request asks for. The order of fields and white space do not matter, and
/// neither does the case of the method; anything else does, also whether a number is written `1` or
/// `1.0`.
pub fn fingerprint(method: &str, path: &str, body: &Value) -> [u8; 32] {
    let mut hash = Sha256::new();
    text(&mut hash, &method.to_ascii_uppercase());
    text(&mut hash, path);
    value(&mut hash, body);
    hash.finalize().into()
}

/// Each value begins with its kind and, where it has parts, their number: no two values hash the
/// same bytes.
fn value(hash: &mut Sha256, of: &Value) {
    match of {
        Value::Null => hash.update(b"z"),
        Value::Bool(false) => hash.update(b"f"),
        Value::Bool(true) => hash.update(b"t"),
        Value::Number(number) => {
            hash.update(b"n");
            text(hash, &number.to_string());
        }
        Value::String(string) => {
            hash.update(b"s");
            text(hash, string);
        }
        Value::Array(items) => {
            hash.update(b"a");
            length(hash, items.len());
            for item in items {
                value(hash, item);
            }
        }
        Value::Object(fields) => {
            hash.update(b"o");
            length(hash, fields.len());
            // Sorted here: a feature of serde_json, switched on by any crate, keeps their order.
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            for (name, field) in fields {
                text(hash, name);
                value(hash, field);
            }
        }
    }
}

fn text(hash: &mut Sha256, text: &str) {
    length(hash, text.len());
    hash.update(text.as_bytes());
}

fn length(hash: &mut Sha256, length: usize) {
    hash.update((length as u64).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(body: &str) -> [u8; 32] {
        fingerprint("POST", "/api/chatbot", &serde_json::from_str(body).unwrap())
    }

    #[test]
    fn the_order_of_fields_and_white_space_do_not_matter() {
        let one = of(r#"{"message":"10 boxes","outlet":{"id":7,"name":"Roma"}}"#);
        let other =
            of("{ \"outlet\" : {\"name\":\"Roma\", \"id\":7},\n \"message\":\"10 boxes\" }");
        assert_eq!(one, other);
        assert_eq!(of(r#""\u0031""#), of(r#""1""#));
        let body = json!({"a": 1});
        assert_eq!(
            fingerprint("post", "/x", &body),
            fingerprint("POST", "/x", &body)
        );
    }

    #[test]
    fn anything_else_does() {
        let bodies = [
            "null",
            "false",
            "true",
            "0",
            "1",
            "1.0",
            "-1",
            r#""1""#,
            r#""""#,
            "[]",
            "{}",
            "[[]]",
            "[[],[]]",
            "[[[]]]",
            r#"["ab","c"]"#,
            r#"["a","bc"]"#,
            r#"["abc"]"#,
            "[1,2]",
            "[2,1]",
            r#"{"a":1}"#,
            r#"{"a":2}"#,
            r#"{"b":1}"#,
            r#"{"a":1,"b":null}"#,
            r#"{"a":{"b":null}}"#,
            r#""z""#,
            r#""10 boxes""#,
            r#""10  boxes""#,
            r#""10 Boxes""#,
        ];
        for (index, body) in bodies.iter().enumerate() {
            for other in &bodies[..index] {
                assert_ne!(of(body), of(other), "{body} {other}");
            }
        }
        let empty = Value::Null;
        assert_ne!(
            fingerprint("POST", "/a", &empty),
            fingerprint("PUT", "/a", &empty)
        );
        assert_ne!(
            fingerprint("POST", "/a", &empty),
            fingerprint("POST", "/b", &empty)
        );
        assert_ne!(
            fingerprint("POS", "T/a", &empty),
            fingerprint("POST", "/a", &empty)
        );
    }
}

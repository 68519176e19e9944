//! What a client sends, judged as a whole: every problem is told at once.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::{
    json,
    problem::{FieldProblem, Problem},
};
use crate::idempotency::Key;

/// The longest body, in bytes.
pub const MOST_BYTES: usize = 64 * 1024;
/// The longest message, in characters.
pub const LONGEST_MESSAGE: usize = 4_000;
/// The longest user id, in characters; the database keeps no longer one.
pub const LONGEST_USER: usize = 255;
/// The longest name of an outlet, in characters.
const LONGEST_NAME: usize = 200;
/// Longer than any token of a session.
const LONGEST_TOKEN: usize = 200;
/// Users that this service names itself begin with it.
pub(crate) const GUEST: &str = "guest-";

const KEY: &str = "idempotency-key";

/// A request that has the right form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChatRequest {
    pub(crate) key: Key,
    /// Trimmed; 1 to [`LONGEST_MESSAGE`] characters.
    pub(crate) message: String,
    pub(crate) user_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) outlet_id: Option<i64>,
    pub(crate) outlet_name: Option<String>,
    pub(crate) language: Option<String>,
    /// The whole body, by which a repetition is known.
    pub(crate) body: Value,
}

/// The fields of a body, in the order of the documentation.
const FIELDS: [&str; 6] = [
    "message",
    "user_id",
    "session_id",
    "outlet_id",
    "outlet_name",
    "language",
];

// === impl ChatRequest ===

impl ChatRequest {
    /// Judges headers and body.
    ///
    /// # Errors
    /// The problem document: 415 for another content type, 400 for what is no JSON object or has
    /// no key, 422 for fields that do not fit.
    pub(crate) fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Self, Problem> {
        require_json(headers)?;
        let object = json::object(bytes)?;
        let key = key(headers);
        let mut fields = Fields::of(&object);
        let message = fields.text("message", LONGEST_MESSAGE, true);
        let user_id = fields.text("user_id", LONGEST_USER, false);
        if user_id.as_ref().is_some_and(|user| user.starts_with(GUEST)) {
            let detail = "it begins with `guest-`, which this service keeps for itself";
            fields.refuse("user_id", detail);
        }
        let session_id = fields.text("session_id", LONGEST_TOKEN, false);
        let outlet_id = fields.outlet_id();
        let outlet_name = fields.text("outlet_name", LONGEST_NAME, false);
        let language = fields.language();
        let problems = fields.problems;
        match (key, message) {
            (Err(problem), _) => Err(problem.with_fields(problems)),
            (Ok(key), Some(message)) if problems.is_empty() => Ok(Self {
                key,
                message,
                user_id,
                session_id,
                outlet_id,
                outlet_name,
                language,
                body: Value::Object(object),
            }),
            (Ok(_), _) => Err(Problem::invalid(problems)),
        }
    }
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE);
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut parts = given.split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if is_json && is_utf8 {
        Ok(())
    } else {
        Err(Problem::unsupported_media_type())
    }
}

fn key(headers: &HeaderMap) -> Result<Key, Problem> {
    let mut values = headers.get_all(KEY).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        let many = headers.contains_key(KEY);
        return Err(Problem::key(if many {
            "the header Idempotency-Key is there more than once; send one"
        } else {
            "send the header Idempotency-Key with 1 to 255 visible ASCII characters that are new \
             for each new request and the same for each repetition, as in `Idempotency-Key: \
             order-2026-11-26-0001`"
        }));
    };
    // What is not ASCII is not visible ASCII.
    let text = value.to_str().unwrap_or("\u{fffd}");
    Key::parse(text).map_err(|error| {
        Problem::key(match error {
            crate::idempotency::KeyError::Empty => "the header Idempotency-Key is empty",
            crate::idempotency::KeyError::TooLong => {
                "the header Idempotency-Key has more than 255 characters"
            }
            _ => "the header Idempotency-Key holds other than visible ASCII characters",
        })
    })
}

/// Takes fields out of an object, and keeps what is wrong with them.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    problems: Vec<FieldProblem>,
}

// === impl Fields ===

impl<'a> Fields<'a> {
    fn of(object: &'a Map<String, Value>) -> Self {
        let mut fields = Self {
            object,
            problems: Vec::new(),
        };
        for name in object
            .keys()
            .filter(|name| !FIELDS.contains(&name.as_str()))
        {
            let known = FIELDS.iter().max_by(|one, other| {
                let near = |known: &&str| strsim::jaro_winkler(known, name);
                near(one).total_cmp(&near(other))
            });
            let known = known.filter(|known| strsim::jaro_winkler(known, name) > 0.8);
            let detail = match known {
                Some(known) => format!("there is no such field; did you mean `{known}`?"),
                None => format!(
                    "there is no such field; the fields are {}",
                    FIELDS.join(", ")
                ),
            };
            fields.problems.push(FieldProblem::new(name, detail));
        }
        fields
    }

    fn refuse(&mut self, name: &str, detail: impl Into<String>) {
        self.problems.push(FieldProblem::new(name, detail));
    }

    /// A field that is there; null is as good as absent.
    fn given(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str, longest: usize, required: bool) -> Option<String> {
        let Some(value) = self.given(name) else {
            if required {
                self.refuse(
                    name,
                    format!("it is missing; send 1 to {longest} characters"),
                );
            }
            return None;
        };
        let Some(text) = value.as_str() else {
            self.refuse(name, format!("it is {}, not a text", kind(value)));
            return None;
        };
        let length = text.chars().count();
        if text.trim().is_empty() {
            self.refuse(name, format!("it is empty; send 1 to {longest} characters"));
        } else if length > longest {
            self.refuse(
                name,
                format!("it has {length} characters; at most {longest} are taken"),
            );
        } else if let Some(at) = text.chars().position(is_forbidden) {
            let at = at + 1;
            self.refuse(
                name,
                format!("character {at} is a control character; of these only tabs and line breaks are taken"),
            );
        } else {
            return Some(text.trim().to_owned());
        }
        None
    }

    fn outlet_id(&mut self) -> Option<i64> {
        let value = self.given("outlet_id")?;
        match whole(value) {
            Some(id) if id > 0 => return Some(id),
            Some(_) => self.refuse(
                "outlet_id",
                "it is below 1; the ids of outlets begin with 1",
            ),
            None if value.is_number() => {
                self.refuse(
                    "outlet_id",
                    "it is not a whole number of at most 9223372036854775807",
                );
            }
            None => self.refuse("outlet_id", format!("it is {}, not a number", kind(value))),
        }
        None
    }

    fn language(&mut self) -> Option<String> {
        let language = self.text("language", 35, false)?;
        let (base, region) = match language.split_once('-') {
            Some((base, region)) => (base, Some(region)),
            None => (language.as_str(), None),
        };
        let fits = base.len() == 2
            && base.bytes().all(|byte| byte.is_ascii_lowercase())
            && region.is_none_or(|region| {
                region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase())
            });
        if fits {
            return Some(language);
        }
        self.refuse("language", "it is no language tag like `en` or `en-GB`");
        None
    }
}

/// A whole number; `3.0` is one.
fn whole(value: &Value) -> Option<i64> {
    /// Up to here each whole number has a double of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let exact = |number: &f64| number.fract() == 0.0 && number.abs() <= EXACT;
    #[allow(clippy::cast_possible_truncation)] // It is whole and small enough.
    let of_double = || value.as_f64().filter(exact).map(|number| number as i64);
    value.as_i64().or_else(of_double)
}

/// What a text may not hold: a database cannot keep some, a terminal obeys others.
fn is_forbidden(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t')
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn read(body: &str) -> Result<ChatRequest, Problem> {
        let headers = headers(&[("content-type", "application/json"), (KEY, "k-1")]);
        ChatRequest::read(&headers, body.as_bytes())
    }

    /// Status and what is said of each field.
    fn refused(body: &str) -> (u16, Vec<(String, String)>) {
        let problem = read(body).unwrap_err();
        let fields = problem.fields().iter();
        let fields = fields.map(|field| (field.pointer.clone(), field.detail.clone()));
        (problem.status().as_u16(), fields.collect())
    }

    #[test]
    fn a_whole_request_is_read_and_trimmed() {
        let request = read(
            r#"{"message": "  10 boxes\n", "user_id": "ann", "session_id": "s1.x", "outlet_id": 3,
                "outlet_name": "Roma", "language": "en-GB"}"#,
        )
        .unwrap();
        assert_eq!(request.message, "10 boxes");
        assert_eq!(request.outlet_id, Some(3));
        assert_eq!(request.language.as_deref(), Some("en-GB"));
        let as_double = read(r#"{"message": "x", "outlet_id": 3.0}"#).unwrap();
        assert_eq!(as_double.outlet_id, Some(3));
        let least = read(r#"{"message": "hello", "user_id": null}"#).unwrap();
        assert_eq!((least.user_id, least.session_id), (None, None));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let (status, fields) = refused(
            r#"{"mesage": "x", "user_id": 7, "outlet_id": -1, "language": "English", "colour": 1}"#,
        );
        assert_eq!(status, 422);
        let told: Vec<&str> = fields.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(
            told,
            [
                "/colour",
                "/mesage",
                "/message",
                "/user_id",
                "/outlet_id",
                "/language"
            ]
        );
        assert!(
            fields[1].1.contains("did you mean `message`?"),
            "{fields:?}"
        );
        assert_eq!(fields[3].1, "it is a number, not a text");
    }

    #[test]
    fn the_bounds_of_a_message_are_characters() {
        let longest = "ß".repeat(LONGEST_MESSAGE);
        assert!(read(&format!(r#"{{"message": "{longest}"}}"#)).is_ok());
        for (message, detail) in [
            (
                format!("{longest}ß"),
                "it has 4001 characters; at most 4000 are taken",
            ),
            (String::new(), "it is empty; send 1 to 4000 characters"),
            (
                r" \n\t ".to_owned(),
                "it is empty; send 1 to 4000 characters",
            ),
            (
                r"ab\u0000".to_owned(),
                "character 3 is a control character; of these only tabs and line breaks are taken",
            ),
        ] {
            let (status, fields) = refused(&format!(r#"{{"message": "{message}"}}"#));
            assert_eq!((status, fields[0].1.as_str()), (422, detail));
        }
        assert!(read(r#"{"message": "a\tb\r\nc\u200d"}"#).is_ok());
    }

    #[test]
    fn numbers_of_outlets_are_whole_and_positive() {
        for (value, part) in [
            ("0", "below 1"),
            ("1.5", "whole number"),
            ("1e99", "whole number"),
            ("99999999999999999999", "whole number"),
            ("\"3\"", "a text, not a number"),
            ("[1]", "a list"),
            ("true", "true or false"),
        ] {
            let (status, fields) = refused(&format!(r#"{{"message": "x", "outlet_id": {value}}}"#));
            assert_eq!(status, 422);
            assert!(fields[0].1.contains(part), "{value}: {fields:?}");
        }
    }

    #[test]
    fn nobody_is_called_like_a_guest() {
        let (status, fields) = refused(r#"{"message": "x", "user_id": "guest-1"}"#);
        assert_eq!((status, fields[0].0.as_str()), (422, "/user_id"));
    }

    #[test]
    fn what_is_no_json_object_is_told_by_place() {
        for body in [
            "",
            "{",
            "[]",
            "\"x\"",
            "nonsense",
            "{\"message\": \"\\ud800\"}",
            "{}x",
        ] {
            assert_eq!(read(body).unwrap_err().status(), 400, "{body}");
        }
        let headers = headers(&[("content-type", "application/json"), (KEY, "k-1")]);
        let error = ChatRequest::read(&headers, b"{\"message\": \"\xff\"}").unwrap_err();
        assert_eq!(error.status(), 400);
    }

    #[test]
    fn other_content_types_are_refused() {
        for kind in [
            "",
            "text/plain",
            "application/jsonp",
            "application/json; charset=latin1",
        ] {
            let headers = headers(&[("content-type", kind), (KEY, "k")]);
            let error = ChatRequest::read(&headers, b"{\"message\": \"x\"}").unwrap_err();
            assert_eq!(error.status(), 415, "{kind}");
        }
        let headers = headers(&[
            ("content-type", "Application/JSON; charset=\"UTF-8\""),
            (KEY, "k"),
        ]);
        assert!(ChatRequest::read(&headers, b"{\"message\": \"x\"}").is_ok());
    }

    #[test]
    fn a_missing_key_is_told_together_with_the_rest() {
        let json = ("content-type", "application/json");
        let long = "k".repeat(256);
        for (given, part) in [
            (vec![json], "1 to 255 visible"),
            (vec![json, (KEY, "")], "empty"),
            (vec![json, (KEY, "a b")], "other than visible"),
            (vec![json, (KEY, "ü")], "other than visible"),
            (vec![json, (KEY, &long)], "more than 255"),
            (vec![json, (KEY, "a"), (KEY, "b")], "more than once"),
        ] {
            let error = ChatRequest::read(&headers(&given), b"{}").unwrap_err();
            assert_eq!(error.status(), 400);
            assert!(error.detail().contains(part), "{}", error.detail());
            assert_eq!(error.fields().len(), 1, "the missing message is told too");
        }
    }
}

//! What a value may be. They are no wider than the constraints of the tables.

use rust_decimal::Decimal;

use crate::data_problem::quoted;

/// What is wrong with a value, and what to do about it.
pub(super) type Refused = (String, &'static str);

/// The longest name, category, size and the like, in characters.
const SHORT: usize = 200;

/// The longest description, in characters; models that embed read little more.
const LONG: usize = 1_000;

/// The largest number of packs or pieces.
const MOST: i32 = 1_000_000_000;

pub(super) fn sku(value: &str) -> Result<String, Refused> {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let fits = matches!(value.len(), 1..=40)
        && value.bytes().all(|byte| plain(byte) || byte == b'-')
        && !value.starts_with('-');
    if fits {
        return Ok(value.to_owned());
    }
    Err((
        format!("{} is not a number of a product", quoted(value)),
        "write 1 to 40 of A-Z, 0-9 and -, beginning with a letter or digit, as in BOX-33",
    ))
}

pub(super) fn name(value: &str) -> Result<String, Refused> {
    if value.is_empty() {
        return Err(("it is empty".to_owned(), "write what belongs there"));
    }
    short(value)
}

pub(super) fn short(value: &str) -> Result<String, Refused> {
    text(value, SHORT)
}

pub(super) fn description(value: &str) -> Result<String, Refused> {
    text(value, LONG)
}

pub(super) fn optional(value: &str) -> Result<Option<String>, Refused> {
    Ok(Some(short(value)?).filter(|text| !text.is_empty()))
}

fn text(value: &str, longest: usize) -> Result<String, Refused> {
    if value.chars().any(char::is_control) {
        let problem = format!("{} holds a line end or a control character", quoted(value));
        return Err((problem, "write it on one line"));
    }
    let length = value.chars().count();
    if length > longest {
        let problem = format!("it has {length} characters, of at most {longest}");
        return Err((problem, "shorten it"));
    }
    Ok(value.to_owned())
}

/// As `numeric(12, 2)` holds it.
pub(super) fn price(value: &str) -> Result<Decimal, Refused> {
    let plain = value
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let read = if plain { value.parse().ok() } else { None };
    let fits = |price: &Decimal| {
        *price > Decimal::ZERO && price.scale() <= 2 && *price < Decimal::from(10_000_000_000_i64)
    };
    let mut price: Decimal = read.filter(fits).ok_or_else(|| {
        (
            format!("{} is not a price", quoted(value)),
            "write an amount above 0 with a point and at most two digits after it, as in 12.50",
        )
    })?;
    price.rescale(2);
    Ok(price)
}

pub(super) fn count(value: &str, least: i32) -> Result<i32, Refused> {
    let plain = value.bytes().all(|byte| byte.is_ascii_digit());
    let read = if plain { value.parse().ok() } else { None };
    read.filter(|count| (least..=MOST).contains(count))
        .ok_or_else(|| {
            let problem = format!("{} is not a whole number from {least} on", quoted(value));
            (problem, "write digits only, as in 50")
        })
}

pub(super) fn country(value: &str) -> Result<String, Refused> {
    if value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(value.to_owned());
    }
    Err((
        format!("{} is not a country", quoted(value)),
        "write its two capital letters of ISO 3166, as in IT",
    ))
}

pub(super) fn language(value: &str) -> Result<String, Refused> {
    let (tongue, region) = value.split_once('-').unwrap_or((value, "XX"));
    let fits = tongue.len() == 2
        && tongue.bytes().all(|byte| byte.is_ascii_lowercase())
        && country(region).is_ok();
    if fits {
        return Ok(value.to_owned());
    }
    Err((
        format!("{} is not a language", quoted(value)),
        "write two small letters, and a region where it matters, as in it or pt-BR",
    ))
}

//! URLs, and the passwords inside them.

use url::{Url, form_urlencoded};

use crate::{
    shape::{Misshape, Shape},
    strength::is_forbidden,
};

/// Whether the value is a URL of one of the schemes, with a host.
pub(crate) fn url(value: &str, schemes: &[&'static str]) -> Shape {
    let Some(url) = parsed(value) else {
        return Err(Misshape::Malformed(if value.contains("://") {
            "is not a valid URL"
        } else {
            "is not a URL"
        }));
    };
    let scheme = url.scheme();
    if !schemes.contains(&scheme) {
        // Python's database libraries write `postgresql+driver://`.
        let bare = scheme.split('+').next().unwrap_or_default();
        return Err(Misshape::Malformed(if schemes.contains(&bare) {
            "names a driver after its URL's scheme"
        } else {
            "is a URL of another scheme"
        }));
    }
    let in_query = |name: &str| {
        url.query_pairs()
            .any(|(key, value)| key == name && !value.is_empty())
    };
    if url.host_str().unwrap_or_default().is_empty() && !in_query("host") && !in_query("hostaddr") {
        return Err(Misshape::Malformed("is a URL without a host"));
    }
    Ok(())
}

/// What is wrong with the password inside a URL; `Ok` where the value is no URL, which is another
/// rule's concern. `password` and `user` are looked for in the query too, where PostgreSQL's URLs
/// may have them (<https://www.postgresql.org/docs/current/libpq-connect.html>).
pub(crate) fn password(value: &str, defaults: &[&'static str]) -> Result<(), &'static str> {
    let Some(url) = parsed(value) else {
        return Ok(());
    };
    let in_query = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let password = in_query("password")
        .or_else(|| url.password().map(decoded))
        .unwrap_or_default();
    let user = in_query("user").unwrap_or_else(|| decoded(url.username()));
    if password.trim().is_empty() {
        Err("names no password")
    } else if password.eq_ignore_ascii_case(&user) {
        Err("has a password that is the user's name")
    } else if is_forbidden(&password, defaults) {
        Err("has a password that everyone knows")
    } else {
        Ok(())
    }
}

/// The passwords inside a URL, as they are written and as they are meant.
pub(crate) fn embedded_passwords(value: &str) -> Vec<String> {
    let Some(url) = parsed(value) else {
        return Vec::new();
    };
    let written = url.password().map(str::to_owned);
    let meant = url.password().map(decoded);
    let in_query = url.query_pairs().filter(|(key, _)| key == "password");
    [written, meant]
        .into_iter()
        .flatten()
        .chain(in_query.map(|(_, value)| value.into_owned()))
        .collect()
}

/// The URL; of several hosts, as PostgreSQL's URLs may have them, only the first is kept.
fn parsed(value: &str) -> Option<Url> {
    // `db:5432` parses too, as a URL of the scheme `db`.
    let authority_from = value.find("://")? + 3;
    if let Ok(url) = Url::parse(value) {
        return Some(url);
    }
    let authority_to = value[authority_from..]
        .find(['/', '?', '#'])
        .map_or(value.len(), |length| authority_from + length);
    let authority = &value[authority_from..authority_to];
    let hosts_from = authority_from + authority.rfind('@').map_or(0, |at| at + 1);
    let comma = hosts_from + value[hosts_from..authority_to].find(',')?;
    Url::parse(&format!("{}{}", &value[..comma], &value[authority_to..])).ok()
}

fn decoded(text: &str) -> String {
    // A form's `+` means a space and its `&` an end; in a URL's user part both mean themselves.
    let form = format!("p={}", text.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(form.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WELL_KNOWN_DEFAULTS;

    #[test]
    fn urls_need_a_scheme_of_the_list_and_a_host() {
        let schemes = ["postgres", "postgresql"];
        for good in [
            "postgres://u:p@db/tria",
            "postgresql://u:p@db:5432/tria?sslmode=require",
            "postgres://u:p%40x@[::1]:5432/tria",
            "postgres:///tria?host=/run/postgresql",
            "postgres://u:p@one:5432,two:5433/tria?target_session_attrs=read-write",
            "postgres://u@%2Frun%2Fpostgresql/tria",
        ] {
            assert_eq!(url(good, &schemes), Ok(()), "{good}");
        }
        for (bad, problem) in [
            ("", "is not a URL"),
            ("db:5432/tria", "is not a URL"),
            ("localhost", "is not a URL"),
            ("mysql://u:p@db/tria", "is a URL of another scheme"),
            (
                "postgresql+asyncpg://u:p@db/tria",
                "names a driver after its URL's scheme",
            ),
            ("postgres:///tria", "is a URL without a host"),
            ("postgres://u:p@db:99999/tria", "is not a valid URL"),
            ("postgres://u:p/w@db/tria", "is not a valid URL"),
            ("postgres://one:x,two:y/tria", "is not a valid URL"),
        ] {
            assert_eq!(
                url(bad, &schemes),
                Err(Misshape::Malformed(problem)),
                "{bad}"
            );
        }
    }

    #[test]
    fn passwords_in_urls_are_judged_decoded() {
        for good in [
            "postgres://u:kX2vQ9mZ7pLr@db/tria",
            "postgres://u@db/tria?password=kX2vQ9mZ7pLr",
            "not a url",
        ] {
            assert_eq!(password(good, WELL_KNOWN_DEFAULTS), Ok(()), "{good}");
        }
        for (bad, problem) in [
            ("postgres://u@db/tria", "names no password"),
            ("postgres://u:@db/tria", "names no password"),
            ("postgres://db/tria", "names no password"),
            (
                "postgres://tria:tria@db/tria",
                "has a password that is the user's name",
            ),
            (
                "postgres://Tria:tri%61@db/tria",
                "has a password that is the user's name",
            ),
            (
                "postgres://a+b:a%2Bb@db/tria",
                "has a password that is the user's name",
            ),
            (
                "postgres://u:postgres@db/tria",
                "has a password that everyone knows",
            ),
            (
                "postgres://u:p%61ssword@db/tria",
                "has a password that everyone knows",
            ),
            (
                "postgres://u:change_this@one:1,two:2/tria",
                "has a password that everyone knows",
            ),
            (
                "postgres://db/tria?user=tria&password=tria",
                "has a password that is the user's name",
            ),
        ] {
            assert_eq!(password(bad, WELL_KNOWN_DEFAULTS), Err(problem), "{bad}");
        }
    }
}

use std::fmt;

use url::Url;

use crate::Error;

/// What is wrong with a base URL. None of its texts repeats the URL, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlProblem {
    /// It cannot be read as a URL.
    #[error("it is not a URL ({0})")]
    Unreadable(url::ParseError),
    /// The scheme is not one that is spoken here.
    #[error("its scheme must be http or https")]
    Scheme,
    /// A user name or password stands in the URL.
    #[error("it must not hold a user name or password; give them as authentication instead")]
    Credentials,
    /// A query or fragment follows the path.
    #[error("it must not have a query (?) or fragment (#)")]
    QueryOrFragment,
    /// The path names a version of the API, which the client adds by itself.
    #[error("its path must end before /api, which is added by itself")]
    ApiPath,
}

/// A base URL that was checked. It never holds credentials, so it may be shown to operators.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl(Url);

// === impl BaseUrl ===

impl BaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        Self::check(text.trim()).map_err(|problem| Error::InvalidUrl { problem })
    }

    fn check(text: &str) -> Result<Self, UrlProblem> {
        let url = Url::parse(text).map_err(UrlProblem::Unreadable)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlProblem::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlProblem::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(UrlProblem::QueryOrFragment);
        }
        let path = url.path().trim_end_matches('/');
        if ["/api", "/api/v1", "/api/v2"]
            .iter()
            .any(|api| path.ends_with(api))
        {
            return Err(UrlProblem::ApiPath);
        }
        Ok(Self(url))
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// The URL of an endpoint; every segment is escaped, so that a name with a slash stays a name.
    pub(crate) fn endpoint(&self, segments: &[&str]) -> Result<Url, Error> {
        let mut url = self.0.clone();
        {
            let Ok(mut path) = url.path_segments_mut() else {
                return Err(Error::InvalidUrl {
                    problem: UrlProblem::Scheme,
                });
            };
            path.pop_if_empty().push("api");
            for segment in segments {
                // A dot segment would vanish from the path and aim the request at its parent.
                if matches!(*segment, "" | "." | "..") {
                    return Err(Error::InvalidName);
                }
                path.push(segment);
            }
        }
        Ok(url)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> UrlProblem {
        BaseUrl::check(text).expect_err(text)
    }

    #[test]
    fn good_urls_are_taken_with_and_without_a_path() {
        for (text, endpoint) in [
            (
                "http://127.0.0.1:8000",
                "http://127.0.0.1:8000/api/v2/heartbeat",
            ),
            (
                " http://chroma:8000/ ",
                "http://chroma:8000/api/v2/heartbeat",
            ),
            ("http://h/api/store", "http://h/api/store/api/v2/heartbeat"),
            (
                "https://[::1]/store/",
                "https://[::1]/store/api/v2/heartbeat",
            ),
        ] {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!(
                base.endpoint(&["v2", "heartbeat"]).unwrap().as_str(),
                endpoint
            );
        }
    }

    #[test]
    fn each_problem_is_named() {
        assert!(matches!(problem(""), UrlProblem::Unreadable(_)));
        assert!(matches!(
            problem("127.0.0.1:8000"),
            UrlProblem::Unreadable(_)
        ));
        assert!(matches!(problem("http://"), UrlProblem::Unreadable(_)));
        assert!(matches!(
            problem("http://host:99999"),
            UrlProblem::Unreadable(_)
        ));
        assert_eq!(problem("localhost:8000"), UrlProblem::Scheme);
        assert_eq!(problem("ftp://host"), UrlProblem::Scheme);
        assert_eq!(problem("http://u:p@host"), UrlProblem::Credentials);
        assert_eq!(problem("http://u@host"), UrlProblem::Credentials);
        assert_eq!(problem("http://host?x=1"), UrlProblem::QueryOrFragment);
        assert_eq!(problem("http://host/#x"), UrlProblem::QueryOrFragment);
        assert_eq!(problem("http://host/api/v1"), UrlProblem::ApiPath);
        assert_eq!(problem("http://host/api/v2/"), UrlProblem::ApiPath);
    }

    #[test]
    fn no_problem_repeats_the_password() {
        for text in [
            "http://u:hunter2@host",
            "http://u:hunter2@host:99999",
            "x://hunter2@h",
        ] {
            let error = BaseUrl::parse(text).expect_err(text);
            let shown = format!("{error} {error:?} {}", problem(text));
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn a_name_stays_one_segment() {
        let base = BaseUrl::parse("http://h").unwrap();
        let url = base.endpoint(&["v2", "tenants", "a/b c?#"]).unwrap();
        assert_eq!(url.as_str(), "http://h/api/v2/tenants/a%2Fb%20c%3F%23");
        for dots in ["", ".", ".."] {
            assert!(matches!(
                base.endpoint(&["v2", "tenants", dots]),
                Err(Error::InvalidName)
            ));
        }
        // The parser takes a percent-escaped dot for a dot as well.
        let url = base.endpoint(&["v2", "tenants", "%2e%2e"]).unwrap();
        assert_eq!(url.as_str(), "http://h/api/v2/tenants/%252e%252e");
    }
}

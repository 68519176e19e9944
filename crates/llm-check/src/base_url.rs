//! The base URL, judged before anything is sent to it.

use reqwest::Url;

/// What is wrong with a base URL. No variant carries the URL: it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlProblem {
    /// It is empty.
    #[error("the base URL is empty")]
    Empty,
    /// It cannot be parsed, or has no host.
    #[error("the base URL is not a URL such as https://api.openai.com/v1")]
    Malformed,
    /// Its scheme is neither `https` nor `http`.
    #[error("the base URL must begin with https:// or http://")]
    Scheme,
    /// It would send the key to OpenAI in the clear.
    #[error("the base URL of OpenAI must begin with https://, or the key travels in the clear")]
    PlainToOpenAi,
    /// It holds a user name or a password.
    #[error("the base URL holds a user name or password; the key is given apart")]
    Credentials,
    /// It holds a query or a fragment, which cannot be followed by a path.
    #[error("the base URL ends in a query or fragment; it must end in a path such as /v1")]
    Query,
    /// It names one operation instead of their common base.
    #[error(
        "the base URL names one operation; it must end before /models, /chat/completions or /embeddings"
    )]
    Operation,
}

/// A base URL as the calls need it: without a slash at its end.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl {
    url: Url,
}

// === impl BaseUrl ===

impl BaseUrl {
    pub(crate) fn parse(raw: &str) -> Result<Self, BaseUrlProblem> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Err(BaseUrlProblem::Empty);
        }
        let url = Url::parse(raw).map_err(|_| BaseUrlProblem::Malformed)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(BaseUrlProblem::Scheme);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(BaseUrlProblem::Malformed);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlProblem::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlProblem::Query);
        }
        let base = Self { url };
        if base.is_openai() && !base.is_https() {
            return Err(BaseUrlProblem::PlainToOpenAi);
        }
        let operations = [
            "/models",
            "/chat/completions",
            "/completions",
            "/embeddings",
        ];
        if operations.iter().any(|path| base.as_str().ends_with(path)) {
            return Err(BaseUrlProblem::Operation);
        }
        Ok(base)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it is OpenAI's own API, whose rules differ from those of compatible servers.
    pub(crate) fn is_openai(&self) -> bool {
        self.url
            .host_str()
            .is_some_and(|host| host == "openai.com" || host.ends_with(".openai.com"))
    }

    /// Whether it is on this machine, where no proxy belongs in between.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_urls_lose_their_trailing_slashes() {
        for (raw, base) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1"),
            ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
            (
                " https://eu.api.openai.com/v1// ",
                "https://eu.api.openai.com/v1",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
            (
                "http://models.internal/api/v1",
                "http://models.internal/api/v1",
            ),
        ] {
            assert_eq!(BaseUrl::parse(raw).unwrap().as_str(), base);
        }
    }

    #[test]
    fn each_problem_is_named_without_the_url() {
        for (raw, problem) in [
            ("", BaseUrlProblem::Empty),
            ("  ", BaseUrlProblem::Empty),
            ("api.openai.com/v1", BaseUrlProblem::Malformed),
            ("https://", BaseUrlProblem::Malformed),
            ("https://h:notaport/v1", BaseUrlProblem::Malformed),
            ("localhost:8080/v1", BaseUrlProblem::Scheme),
            ("ftp://h/v1", BaseUrlProblem::Scheme),
            ("http://api.openai.com/v1", BaseUrlProblem::PlainToOpenAi),
            (
                "https://planted-user:planted@h/v1",
                BaseUrlProblem::Credentials,
            ),
            ("https://h/v1?key=planted", BaseUrlProblem::Query),
            ("https://h/v1#planted", BaseUrlProblem::Query),
            ("https://h/v1/models/", BaseUrlProblem::Operation),
            ("https://h/v1/chat/completions", BaseUrlProblem::Operation),
        ] {
            let found = BaseUrl::parse(raw).unwrap_err();
            assert_eq!(found, problem, "{raw}");
            assert!(!format!("{found} {found:?}").contains("planted"));
        }
    }

    #[test]
    fn a_host_that_only_looks_like_openai_is_not() {
        let is_openai = |raw| BaseUrl::parse(raw).unwrap().is_openai();
        assert!(is_openai("https://api.openai.com/v1"));
        assert!(!is_openai("http://notopenai.com/v1"));
        assert!(!is_openai("http://openai.com.evil.example/v1"));
    }
}

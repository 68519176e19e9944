//! The page for people. It is drawn from the snapshot, as the answers of the probes are: no check
//! is run for it, no lock taken, and no pool looked at.

mod markup;
mod view;
mod words;

use axum::{
    http::{HeaderMap, header},
    response::{Html, IntoResponse, Response},
};
use tria_check::Group;

use self::view::View;
use crate::state::Shared;

/// Nothing is loaded, run or sent from the page, and nobody may frame it. Its style is let in by
/// the hash of its text.
const POLICY: &str = "default-src 'none'; \
                      style-src 'sha256-VZqeusbEAIhPiworXsvTjpJv1giOCfwEXxNjIAuywnY='; \
                      img-src data:; \
                      base-uri 'none'; \
                      form-action 'none'; \
                      frame-ancestors 'none'";

/// The page as it stands. Who has access sees what lies behind the verdicts; everybody else sees
/// what the probes tell anybody.
///
/// It is 200 whatever it says: it is for eyes, and machines have the probes.
pub(crate) fn answer(shared: &Shared, headers: &HeaderMap) -> Response {
    let may_see_all = shared.access.judge(headers).is_ok();
    let readings = shared.snapshot.readings(Group::Readiness);
    let view = View::of(shared, &readings, may_see_all);
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Html(markup::page(&view).into_string())).into_response()
}

//! The pages that people see, rendered on the server. All work without scripts; two have one that spares a click.
//!
//! Templates and the style are in `crates/server/pages/`. A page carries its own security headers, so that none can
//! be sent without them.

mod avatar;
mod style;

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::limits::FRONT_CHANNEL_SECONDS_MAX;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;

use crate::http::csp::{self, Needs};

pub use avatar::avatar;
pub use style::{STYLE_PATH, style};

/// It posts the form of an answer in the mode `form_post`.
const FORM_POST_SCRIPT: &str = "document.forms[0].submit()";
/// Goes on when each frame of the page has been loaded or has failed; without scripts the page waits its full time.
const GO_ON_SCRIPT: &str =
    "addEventListener('load',()=>location.replace(document.querySelector('main a').href))";

/// Whose pages these are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Brand<'a> {
    /// What people call the tenant.
    pub name: Option<&'a str>,
    /// URL of its logo.
    pub logo: Option<&'a str>,
}

/// The sign-in and the sign-up page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SignInView<'a> {
    /// The tenant.
    pub brand: Brand<'a>,
    /// The application that the user came from.
    pub client_name: &'a str,
    /// The sign-in's identifier, as it stands in the page's address.
    pub state: &'a str,
    /// Proof that the form is ours; see [`crate::http::csrf`].
    pub csrf: &'a str,
    /// The address or user name to begin with.
    pub username: Option<&'a str>,
    /// What was wrong with the last try.
    pub problem: Option<&'a str>,
    /// Whether the other page (sign up, on the sign-in page) is offered.
    pub offers_sign_up: bool,
    /// Whether a password is asked for.
    pub takes_password: bool,
    /// Other providers at which to sign in instead.
    pub connections: &'a [ConnectionView<'a>],
    /// The verified URI to which the client's answer will go.
    pub returns_to: &'a str,
    /// The page's language (BCP 47); texts are English for now.
    pub language: &'a str,
}

/// A button that leads to another provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ConnectionView<'a> {
    /// The connection.
    pub name: &'a str,
    /// What people call it.
    pub label: &'a str,
}

/// The question before a sign-out that the user may not have asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ConfirmView<'a> {
    /// The tenant.
    pub brand: Brand<'a>,
    /// Where the form goes.
    pub action: &'a str,
    /// Hidden fields, the proof among them.
    pub fields: &'a [(String, String)],
    /// Where the browser goes afterwards, if that is known.
    pub returns_to: Option<&'a str>,
}

/// An error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ErrorView<'a> {
    /// A few words.
    pub title: &'a str,
    /// What happened.
    pub message: &'a str,
    /// The OAuth error code, for the application's developer.
    pub code: Option<&'a str>,
}

/// An answer that the browser posts to the client (OAuth 2.0 Form Post Response Mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FormPostView<'a> {
    /// The verified redirect URI.
    pub action: &'a str,
    /// The answer.
    pub fields: &'a [(String, String)],
}

/// That the user is signed out, while the browser tells applications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SignedOutView<'a> {
    /// The tenant.
    pub brand: Brand<'a>,
    /// Pages of applications that are loaded in hidden frames.
    pub frames: &'a [String],
    /// The verified URL that the browser goes on to; without, it stays.
    pub goes_on_to: Option<&'a str>,
}

#[derive(Serialize)]
struct Branded<'a> {
    brand: Brand<'a>,
}

/// A rendered page with the policy that fits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    html: String,
    policy: String,
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let Ok(policy) = HeaderValue::try_from(self.policy) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CONTENT_SECURITY_POLICY, policy),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY")),
        ];
        (headers, self.html).into_response()
    }
}

/// The sign-in page: `username`, `password`, hidden `state` and `csrf`, posted to the page's own address.
pub fn sign_in(view: &SignInView<'_>) -> Page {
    let needs = Needs { returns_to: Some(view.returns_to), logo: view.brand.logo, ..Needs::default() };
    page("sign_in.html", view, &needs)
}

/// The page before the sign-in that asks for an organization: `organization`, hidden `state` and `csrf`, posted to its own
/// address. What the view says of passwords and providers is for the page after it.
pub fn organization(view: &SignInView<'_>) -> Page {
    let needs = Needs { returns_to: Some(view.returns_to), logo: view.brand.logo, ..Needs::default() };
    page("organization.html", view, &needs)
}

/// The sign-up page: `email`, `password`, hidden `state` and `csrf`, posted to the page's own address.
pub fn sign_up(view: &SignInView<'_>) -> Page {
    let needs = Needs { returns_to: Some(view.returns_to), logo: view.brand.logo, ..Needs::default() };
    page("sign_up.html", view, &needs)
}

/// Asks whether to sign out.
pub fn confirm_sign_out(view: &ConfirmView<'_>) -> Page {
    let needs = Needs { returns_to: view.returns_to, logo: view.brand.logo, ..Needs::default() };
    page("confirm_sign_out.html", view, &needs)
}

/// What stands at `/`: that the server runs, and where applications look.
pub fn welcome(brand: Brand<'_>) -> Page {
    page("welcome.html", Branded { brand }, &Needs { logo: brand.logo, ..Needs::default() })
}

/// Says that the user is signed out, and goes on from there when the applications in its frames know.
pub fn signed_out(view: &SignedOutView<'_>) -> Page {
    let script_hash = view.goes_on_to.map(|_| GO_ON_HASH.as_str());
    let needs = Needs { script_hash, logo: view.brand.logo, frames: view.frames, ..Needs::default() };
    page("signed_out.html", view, &needs)
}

/// Says what went wrong. The status is the caller's business.
pub fn error(view: &ErrorView<'_>) -> Page {
    page("error.html", view, &Needs::default())
}

/// Posts an answer to the client as soon as it is loaded; without scripts there is a button.
pub fn form_post(view: &FormPostView<'_>) -> Page {
    let needs =
        Needs { script_hash: Some(&FORM_POST_HASH), returns_to: Some(view.action), ..Needs::default() };
    page("form_post.html", view, &needs)
}

fn page(template: &str, view: impl Serialize, needs: &Needs<'_>) -> Page {
    let html = TEMPLATES
        .get_template(template)
        .and_then(|template| template.render(Serde(view)))
        .expect("templates are part of the program, and a test renders each");
    Page { html, policy: csp::policy(needs) }
}

static FORM_POST_HASH: LazyLock<String> = LazyLock::new(|| source_of(FORM_POST_SCRIPT));
static GO_ON_HASH: LazyLock<String> = LazyLock::new(|| source_of(GO_ON_SCRIPT));

/// A script as a policy names it.
pub fn source_of(script: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, script.as_bytes());
    format!("sha256-{}", STANDARD.encode(digest))
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.add_global("style_path", STYLE_PATH.as_str());
    templates.add_global("form_post_script", FORM_POST_SCRIPT);
    templates.add_global("go_on_script", GO_ON_SCRIPT);
    templates.add_global("go_on_seconds", FRONT_CHANNEL_SECONDS_MAX);
    for (name, source) in [
        ("layout.html", include_str!("../pages/layout.html")),
        ("sign_in.html", include_str!("../pages/sign_in.html")),
        ("sign_up.html", include_str!("../pages/sign_up.html")),
        ("organization.html", include_str!("../pages/organization.html")),
        ("confirm_sign_out.html", include_str!("../pages/confirm_sign_out.html")),
        ("signed_out.html", include_str!("../pages/signed_out.html")),
        ("error.html", include_str!("../pages/error.html")),
        ("welcome.html", include_str!("../pages/welcome.html")),
        ("form_post.html", include_str!("../pages/form_post.html")),
    ] {
        templates
            .add_template(name, source)
            .expect("templates are part of the program, and a test renders each");
    }
    templates
});

#[cfg(test)]
mod tests;

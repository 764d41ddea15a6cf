//! Signs people in: from the authorization request to the code, through the pages and the tenant's Actions.
//!
//! | step | module |
//! | --- | --- |
//! | look at the request and the browser's session | [`begin`] |
//! | ask which organization the user comes for | [`ask_organization`] |
//! | find what waits for a browser | `pending` |
//! | check a password, or sign someone up | [`prove`] |
//! | keep people from guessing one | `guessing` |
//! | run the bound Actions; their effects are data | [`post_login`] |
//! | go on as another user, if an Action says so | [`primary_user`] |
//! | send the browser away for an Action, and go on when it is back | [`pause`] |
//! | one commit: session, code, events | [`finish`]; what the events tell is in `told` |
//! | the cookies at the end, and what a client may compare | [`browser_state`] |
//!
//! Spec: OIDC Core 1.0 §3.1.2.

pub mod ask_organization;
pub mod begin;
mod browser_state;
pub mod commands;
pub mod event;
pub mod finish;
mod guessing;
pub mod pause;
pub(crate) mod pending;
pub mod post_login;
mod primary_user;
pub mod prove;
pub(crate) mod told;

use aws_lc_rs::digest;
use domain::client::Client;
use domain::connection::Connection;
use domain::id::{ActionId, SessionId, SignInId, hexadecimal};
use domain::invitation::Invitation;
use domain::organization::Organization;
use domain::resource_server::ResourceServer;
use domain::secret::same;
use domain::session::{AuthenticationMethod, Session};
use domain::sign_in::{AuthorizationRequest, ResponseMode, SignIn};
use domain::tenant::Tenant;
use domain::time::Timestamp;
use domain::user::User;
use store::Key;

use crate::{Engine, Error};

/// What happens to the browser's session cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CookieChange {
    /// Nothing.
    Keep,
    /// It gets this value.
    Set {
        /// `{session}.{secret}`.
        value: String,
        /// Seconds to keep it; absent: until the browser closes.
        max_age_seconds: Option<i64>,
        /// What scripts of ours may read beside it, for as long: it changes when the value does, and tells nothing
        /// of it. Absent where no client watches sessions.
        browser_state: Option<String>,
    },
    /// It goes.
    Clear,
}

/// What the client is told, and how. The redirect URI is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAnswer {
    /// Where it goes.
    pub redirect_uri: String,
    /// How it travels.
    pub response_mode: ResponseMode,
    /// `code` or `error` and what belongs to it, with `state`.
    pub fields: Vec<(String, String)>,
}

/// What the browser brings: its two cookies, as they came.
#[derive(Debug, Clone, Copy, Default)]
pub struct Browser<'a> {
    /// `{session}.{secret}` of its session.
    pub session: Option<&'a str>,
    /// The secret that ties sign-ins under way to it.
    pub secret: Option<&'a str>,
}

/// Which page a sign-in starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// For those who have an account.
    SignIn,
    /// For those who do not.
    SignUp,
    /// For those who say first which organization they come for.
    Organization,
}

/// What the browser is to be shown next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// A page for the sign-in with this identifier.
    Page {
        /// The sign-in.
        sign_in_id: String,
        /// The secret that ties it to the browser; the cookie's new value.
        browser_secret: String,
        /// Which page.
        screen: Screen,
    },
    /// To where an Action sends it; it is to come back with the `state` that the URL holds.
    Away {
        /// Where.
        url: String,
        /// The secret that ties the sign-in to the browser; the cookie's new value.
        browser_secret: String,
    },
    /// Back to the client.
    Answer {
        /// What it is told.
        answer: ClientAnswer,
        /// What happens to the session cookie.
        cookie: CookieChange,
    },
}

/// A sign-in in which the user is known, on its way through the Actions to its end.
pub(crate) struct Working {
    pub(crate) request: AuthorizationRequest,
    pub(crate) client: Client,
    pub(crate) tenant: Tenant,
    pub(crate) connection: Connection,
    pub(crate) organization: Option<Organization>,
    /// What invited the user there.
    pub(crate) invitation: Option<Invitation>,
    /// The API that the access token is for, if any but `/userinfo`.
    pub(crate) resource_server: Option<ResourceServer>,
    pub(crate) user: User,
    /// The session as it will be if nothing else touches it.
    pub(crate) session: Session,
    /// How the session comes about.
    pub(crate) origin: Origin,
    /// `event.transaction.id`
    pub(crate) transaction_id: SignInId,
    /// The waiting sign-in that this ends, if pages were shown or the browser was sent away.
    pub(crate) sign_in: Option<SignIn>,
    /// The secret that ties the browser's sign-ins to it: should this one start over, its other tabs go on.
    pub(crate) browser_secret: Option<String>,
    /// With what the browser came back, if an Action had sent it away.
    pub(crate) resumed: Option<Resumed>,
}

/// The request with which a browser came back, and what was before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resumed {
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Vec<(String, String)>,
    /// The records of the runs before.
    pub(crate) executions: Vec<ActionId>,
}

/// How the session of a sign-in comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is new; the cookie's secret is given. `replaces` is the browser's session of someone else, which ends.
    New { cookie_secret: String, replaces: Option<SessionId> },
    /// The browser's session, with the password proved again; the cookie gets a new secret.
    Renewed { cookie_secret: String },
    /// The browser's session, as it is; with the cookie's value, in case its lifetime changes.
    Reused { cookie: String },
    /// It is new, for another user than the one of the browser's session `from`, which ends. `proved` tells that a
    /// password was; without, `from` is what vouches, and must live until the commit.
    Switched { cookie_secret: String, from: SessionId, proved: bool },
}

/// SHA-256 as hexadecimal digits: what is kept of a secret that a browser or a client holds.
pub(crate) fn hash(secret: &str) -> String {
    hexadecimal(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref())
}

impl Engine {
    /// The live session that a cookie stands for.
    pub(crate) async fn session_of_cookie(&self, cookie: Option<&str>) -> Result<Option<Session>, Error> {
        let Some((id, secret)) = cookie.and_then(|cookie| cookie.split_once('.')) else { return Ok(None) };
        let session = self.store().get::<Session>(&Key::of(SessionId::new(id))).await?;
        let now = self.now();
        Ok(session.filter(|session| {
            session.is_live(now) && same(session.cookie_hash.as_bytes(), hash(secret).as_bytes())
        }))
    }

    /// A fresh value of 32 characters, 192 bits, that nobody can guess.
    pub(crate) fn secret_text(&self) -> String {
        domain::id::base64url_characters(&self.random::<32>())
    }

    /// How a session remembers that its user came from another provider (Auth0: `federated`).
    pub(crate) fn federated_method(now: Timestamp) -> AuthenticationMethod {
        AuthenticationMethod { name: "federated".to_owned(), at: now, factor: None }
    }

    pub(crate) fn password_method(now: Timestamp) -> AuthenticationMethod {
        AuthenticationMethod { name: "pwd".to_owned(), at: now, factor: None }
    }
}

impl Working {
    /// Whether the session is none of those in the store.
    pub(crate) fn is_new(&self) -> bool {
        matches!(self.origin, Origin::New { .. } | Origin::Switched { .. })
    }

    /// Whether only a session vouches for the user.
    fn is_unproved(&self) -> bool {
        matches!(self.origin, Origin::Reused { .. } | Origin::Switched { proved: false, .. })
    }

    /// The records of earlier runs of Actions.
    pub(crate) fn earlier_executions(&self) -> &[ActionId] {
        self.resumed.as_ref().map_or(&[], |resumed| resumed.executions.as_slice())
    }

    /// An answer to the client, with `state` put back.
    fn answer(&self, fields: Vec<(&str, String)>) -> ClientAnswer {
        answer(&self.request, fields)
    }
}

/// An answer to a verified request, with `state` put back.
pub(crate) fn answer(request: &AuthorizationRequest, fields: Vec<(&str, String)>) -> ClientAnswer {
    let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    if let Some(state) = &request.state {
        fields.push(("state".to_owned(), state.clone()));
    }
    ClientAnswer { redirect_uri: request.redirect_uri.clone(), response_mode: request.response_mode, fields }
}

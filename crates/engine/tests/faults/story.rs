//! What people, applications and administrators do in a story, and what they were told of it.
//!
//! Whoever is told of a failure tries again, twice, as clients do. What was told is written down at once: the process
//! may die in the next step.

use std::sync::Arc;

use domain::id::{SessionId, UserId};
use domain::scope::Scopes;
use domain::secret::Secret;
use domain::time::hours;
use engine::sessions::read_metadata;
use engine::sign_in::prove::Proof;
use engine::sign_in::{Browser, CookieChange, NextStep};
use engine::sign_out::BoundTokens;
use engine::users::UserChanges;
use engine::{ApiCall, Caller, Engine, Error, RequestFacts};
use serde_json::{Value, json};
use store::Backend;
use store::faulty::Faulty;

use crate::world::{CLIENTS, EMAIL, PASSWORD, Run, Template};

/// How often a step is tried.
const TRIES: usize = 3;
pub const NEW_PASSWORD: &str = "a horse of another colour";
pub const NEW_EMAIL: &str = "bob@example.com";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-for-pkce";

/// How a story goes on from where its template leaves off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything from the sign-in on, then as `RpLogout`.
    SignIn,
    /// The first session's browser asks to be signed out.
    RpLogout,
    /// The API revokes the first session.
    Revoke,
    /// The API deletes the first session.
    Delete,
    /// The API deletes the user's sessions.
    DeleteAll,
    /// The API revokes the user's access.
    RevokeAccess,
    Password,
    Block,
    Email,
    DeleteUser,
    /// Time passes, and a sweep.
    Expiry,
    /// A spent refresh token comes back.
    Reuse,
}

impl End {
    pub const ALL: [Self; 12] = [
        Self::SignIn,
        Self::RpLogout,
        Self::Revoke,
        Self::Delete,
        Self::DeleteAll,
        Self::RevokeAccess,
        Self::Password,
        Self::Block,
        Self::Email,
        Self::DeleteUser,
        Self::Expiry,
        Self::Reuse,
    ];
}

/// What was acknowledged.
#[derive(Debug, Clone)]
pub struct Told {
    pub user: UserId,
    /// The first browser's cookie, and its session.
    pub cookie: Option<String>,
    pub one: Option<SessionId>,
    /// The second browser's session.
    pub two: Option<SessionId>,
    /// Refresh tokens of the first session, oldest first.
    pub refresh: Vec<String>,
    /// Whether an exchange of the newest one was asked for and not answered.
    pub refresh_unsure: bool,
    /// Metadata that somebody wished for the first session, and what was acknowledged.
    pub metadata_wished: bool,
    pub metadata: Option<Value>,
    /// Whether the end was acknowledged.
    pub ended: bool,
}

impl Told {
    pub fn about(user: UserId) -> Self {
        Self {
            user,
            cookie: None,
            one: None,
            two: None,
            refresh: Vec::new(),
            refresh_unsure: false,
            metadata_wished: false,
            metadata: None,
            ended: false,
        }
    }

    pub fn from(template: &Template) -> Self {
        template.told.clone()
    }
}

/// A call of the Management API.
pub fn api_call() -> ApiCall {
    let caller = Caller {
        subject: "x".into(),
        client_id: None,
        scopes: Scopes::default(),
        jti: None,
        is_administrator: false,
    };
    ApiCall { caller, facts: RequestFacts::default(), body: Value::Null }
}

/// The metadata that the first session is given.
pub fn metadata() -> Value {
    json!({ "seat": "7" })
}

fn facts() -> RequestFacts {
    RequestFacts::default()
}

/// Tries a step again when it fails; none when it always does.
async fn again<T>(mut step: impl AsyncFnMut() -> Result<T, Error>) -> Option<T> {
    for _ in 0..TRIES {
        if let Ok(done) = step().await {
            return Some(done);
        }
    }
    None
}

/// Plays a story to its end, or until its future is dropped.
pub async fn play(run: &Run, faulty: &Arc<Faulty>, end: End, told: &mut Told) {
    let backend = || Arc::clone(faulty) as Arc<dyn Backend>;
    let Some(engine) = again(async || run.open(backend()).await).await else { return };
    if end == End::SignIn {
        sign_in_and_more(&engine, run, told).await;
    }
    if end == End::Expiry {
        run.clock.advance_millis(hours(80));
    }
    told.ended = again(async || end_it(&engine, end, told).await).await.is_some();
    for _ in 0..3 {
        // What fails here is the delivery loop's, which comes back.
        let _tried = engine.deliver_due().await;
        run.clock.advance_millis(3_000);
    }
}

/// Two browsers sign in, the first one to all clients; its session gets metadata, and its tokens are exchanged.
pub async fn sign_in_and_more(engine: &Engine, run: &Run, told: &mut Told) {
    let cookie = again(async || Ok(sign_in(engine, CLIENTS[0], None).await?.1)).await.flatten();
    let Some(cookie) = cookie else { return };
    told.one = Some(session_of(&cookie));
    told.cookie = Some(cookie.clone());
    for client in &CLIENTS[1..] {
        again(async || sign_in(engine, client, Some(&cookie)).await).await;
    }
    // A code whose answer was lost is spent, so a client begins with another one.
    let tokens = again(async || {
        let (code, _) = sign_in(engine, CLIENTS[0], Some(&cookie)).await?;
        let redirect_uri = format!("https://{}.example/callback", CLIENTS[0]);
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        token(engine, &grant).await
    });
    told.refresh.extend(tokens.await);

    told.metadata_wished = true;
    if let Some(one) = &told.one {
        let wish = read_metadata("session_metadata", &metadata()).unwrap();
        let set = async || engine.replace_session_metadata(&api_call(), one, wish.clone()).await;
        told.metadata = again(set).await.map(|_| metadata());
    }
    if let Some(newest) = told.refresh.last().cloned() {
        told.refresh_unsure = true;
        if let Some(next) = again(async || refresh(engine, &newest).await).await {
            told.refresh.push(next);
            told.refresh_unsure = false;
        }
    }
    let other = again(async || Ok(sign_in(engine, CLIENTS[0], None).await?.1)).await.flatten();
    told.two = other.map(|cookie| session_of(&cookie));
    run.clock.advance_millis(1_000);
}

fn session_of(cookie: &str) -> SessionId {
    SessionId::new(cookie.split_once('.').unwrap().0)
}

/// From the authorization request to the code, with a password where one is asked for; also answers the cookie.
async fn sign_in(
    engine: &Engine,
    client: &str,
    cookie: Option<&str>,
) -> Result<(String, Option<String>), Error> {
    let challenge = protocol::pkce::challenge_of(VERIFIER);
    let redirect_uri = format!("https://{client}.example/callback");
    let request = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", &redirect_uri),
        ("scope", "openid offline_access"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let browser = Browser { session: cookie, secret: None };
    let mut step = engine.authorize(owned(&request), browser, &facts()).await?;
    if let NextStep::Page { sign_in_id, browser_secret, .. } = &step {
        let browser = Browser { session: cookie, secret: Some(browser_secret) };
        let password = Secret::new(PASSWORD.to_owned());
        step = match engine.sign_in_with_password(sign_in_id, browser, EMAIL, password, &facts()).await? {
            Proof::Next(step) => step,
            Proof::Again { message, .. } | Proof::TurnedAway { message, .. } => panic!("{message}"),
        };
    }
    let NextStep::Answer { answer, cookie } = step else { panic!("a page in the way: {step:?}") };
    let code = answer.fields.iter().find(|(name, _)| name == "code");
    let code = code.unwrap_or_else(|| panic!("no code: {answer:?}")).1.clone();
    let cookie = match cookie {
        CookieChange::Set { value, .. } => Some(value),
        CookieChange::Keep | CookieChange::Clear => None,
    };
    Ok((code, cookie))
}

/// The token endpoint, as the first client; answers the refresh token.
async fn token(engine: &Engine, grant: &[(&str, &str)]) -> Result<String, Error> {
    let form = [&[("client_id", CLIENTS[0])], grant].concat();
    Ok(engine.token(&owned(&form), None, &facts()).await?.refresh_token.unwrap())
}

/// Exchanges a refresh token; answers the next one.
pub async fn refresh(engine: &Engine, refresh_token: &str) -> Result<String, Error> {
    token(engine, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What is asked for at the end of a story.
async fn end_it(engine: &Engine, end: End, told: &Told) -> Result<(), Error> {
    let call = api_call();
    let update = async |changes: UserChanges| engine.update_user(&call, &told.user, changes).await.map(drop);
    let nothing = UserChanges::default;
    let Some(one) = &told.one else { return Ok(()) };
    match end {
        End::SignIn | End::RpLogout => {
            let cookie = told.cookie.as_deref();
            engine.end_session_request(Vec::new(), cookie, true, &facts()).await.map(drop)
        }
        End::Revoke => match engine.end_session_by_api(&call, one, BoundTokens::Revoke).await {
            // Then it was ended by the try whose answer was lost.
            Err(Error::NotFound(_)) => Ok(()),
            other => other,
        },
        End::Delete => engine.end_session_by_api(&call, one, BoundTokens::Keep).await,
        End::DeleteAll => engine.end_sessions_by_api(&call, &told.user).await,
        End::RevokeAccess => engine.revoke_access(&call, &told.user, None, false).await,
        End::Password => {
            update(UserChanges { password: Some(Secret::new(NEW_PASSWORD.into())), ..nothing() }).await
        }
        End::Block => update(UserChanges { blocked: Some(true), ..nothing() }).await,
        End::Email => update(UserChanges { email: Some(Some(NEW_EMAIL.into())), ..nothing() }).await,
        End::DeleteUser => engine.delete_user(&call, &told.user).await,
        End::Expiry => engine.sweep().await.map(drop),
        End::Reuse => match refresh(engine, &told.refresh[0]).await {
            Ok(_) => panic!("a spent token was taken"),
            Err(Error::OAuth(_)) => Ok(()),
            Err(error) => Err(error),
        },
    }
}

//! An application: builds authorization requests, exchanges codes, checks the tokens that it gets.

use protocol::jose::Expect;
use serde_json::{Map, Value};

use crate::browser::{Browser, Callback};
use crate::reply::Reply;
use crate::server::{User, Wire};

/// A code verifier of legal length.
pub const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-for-pkce";
/// The state that requests carry.
pub const STATE: &str = "st&ate=ü 1";
/// The nonce that requests carry.
pub const NONCE: &str = "n-once";

/// A client of the server.
#[derive(Clone)]
pub struct App {
    wire: Wire,
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: String,
    /// The registered callback.
    pub redirect_uri: String,
    /// The registered place after a logout.
    pub logout_uri: String,
}

/// An authorization request that is being put together.
#[derive(Debug, Clone)]
pub struct Request {
    start: String,
    params: Vec<(String, String)>,
}

impl Request {
    /// Sets a parameter in place of the one before.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.params.retain(|(known, _)| known != name);
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a parameter even if it is there.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a parameter out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.params.retain(|(known, _)| known != name);
        self
    }

    /// The URL.
    pub fn url(&self) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.params).finish();
        format!("{}?{query}", self.start)
    }
}

/// What an application holds after a sign-in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The session.
    pub sid: String,
    /// The ID token.
    pub id_token: String,
    /// Its claims, verified.
    pub claims: Map<String, Value>,
    /// The token endpoint's answer.
    pub tokens: Value,
}

impl SignedIn {
    /// The access token.
    ///
    /// # Panics
    /// When there is none.
    pub fn access_token(&self) -> &str {
        self.tokens["access_token"].as_str().expect("an access token")
    }

    /// The refresh token.
    ///
    /// # Panics
    /// When there is none.
    pub fn refresh_token(&self) -> &str {
        self.tokens["refresh_token"].as_str().expect("a refresh token")
    }
}

impl App {
    /// The application as `POST /api/v2/clients` answered it.
    ///
    /// # Panics
    /// When the answer lacks something.
    pub fn of(wire: &Wire, client: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            wire: wire.clone(),
            id: client["client_id"].as_str().expect("client_id").to_owned(),
            secret: text(&client["client_secret"]),
            redirect_uri: text(&client["callbacks"][0]),
            logout_uri: text(&client["allowed_logout_urls"][0]),
        }
    }

    /// The same application with another secret; an empty one is not sent.
    #[must_use]
    pub fn with_secret(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }

    /// A request for a code with PKCE, state and nonce.
    pub fn request(&self) -> Request {
        let challenge = protocol::pkce::challenge_of(VERIFIER);
        let params = [
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", "openid profile email"),
            ("state", STATE),
            ("nonce", NONCE),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Request { start: format!("{}/authorize", self.wire.url), params: params.map(own).to_vec() }
    }

    /// The URL of a silent authentication.
    pub fn silent(&self) -> String {
        self.request().with("prompt", "none").url()
    }

    /// The token endpoint, with the secret in the body.
    pub async fn token(&self, fields: &[(&str, &str)]) -> Reply {
        let mut all = vec![("client_id", &*self.id)];
        if !self.secret.is_empty() {
            all.push(("client_secret", &*self.secret));
        }
        all.extend_from_slice(fields);
        self.wire.post_form("/oauth/token", &all).await
    }

    /// Exchanges a code.
    pub async fn exchange(&self, code: &str) -> Reply {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        self.token(&fields).await
    }

    /// Exchanges a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> Reply {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// Exchanges the code that came and checks the ID token.
    ///
    /// # Panics
    /// When the tokens are not as they must be.
    pub async fn redeem(&self, callback: &Callback) -> SignedIn {
        assert_eq!((callback.url.as_str(), callback.get("state")), (self.redirect_uri.as_str(), STATE));
        let tokens = self.exchange(callback.code()).await.expect(200).json();
        let id_token = tokens["id_token"].as_str().expect("an ID token").to_owned();
        let claims = self.claims_of(&id_token, Some(&self.id)).await;
        assert_eq!(claims["nonce"], NONCE);
        let sid = claims["sid"].as_str().expect("sid").to_owned();
        SignedIn { sid, id_token, claims, tokens }
    }

    /// The claims of a token of the server's, verified with its published keys.
    ///
    /// # Panics
    /// When the token is not good.
    pub async fn claims_of(&self, token: &str, audience: Option<&str>) -> Map<String, Value> {
        let verified = self.wire.keys().await.verify(token).expect("a good signature");
        let issuer = self.wire.issuer();
        let now = self.wire.clock.now();
        let expect = Expect { issuer: &issuer, audience, now, leeway_s: 0, typ: None, ignore_expiry: false };
        expect.check(&verified).expect("good claims");
        verified.claims
    }

    /// Signs a user in who has to enter their password.
    pub async fn sign_in(&self, browser: &Browser, user: &User) -> SignedIn {
        self.sign_in_with(browser, user, "openid profile email").await
    }

    /// The same with other scopes.
    pub async fn sign_in_with(&self, browser: &Browser, user: &User, scope: &str) -> SignedIn {
        let callback = browser.sign_in_at(&self.request().with("scope", scope).url(), user).await;
        self.redeem(&callback).await
    }

    /// Signs a user in whom the browser's session vouches for.
    pub async fn sign_in_silently(&self, browser: &Browser) -> SignedIn {
        self.redeem(&browser.pass_through(&self.silent()).await).await
    }

    /// RP-initiated logout with the ID token as its hint.
    pub async fn sign_out(&self, browser: &Browser, id_token: &str) -> Reply {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("id_token_hint", id_token)
            .append_pair("post_logout_redirect_uri", &self.logout_uri)
            .append_pair("state", "bye")
            .finish();
        browser.get(&format!("/oidc/logout?{query}")).await
    }
}

//! Makes tokens of codes, refresh tokens and clients' own credentials; takes them back; answers who a token is about.
//!
//! | grant | module |
//! | --- | --- |
//! | authorization code | [`code`] |
//! | refresh token | [`refresh`], its Actions [`refresh_actions`], how many there may be [`excess`] |
//! | client credentials | [`client_credentials`], its Actions [`credentials_actions`] |
//! | any: who asks | [`client_proof`] |
//!
//! Spec: RFC 6749 §4–§6, RFC 7009, OIDC Core 1.0 §3.1.3 and §5.3.

mod client_credentials;
mod client_proof;
mod code;
mod credentials_actions;
mod excess;
mod refresh;
mod refresh_actions;
mod told;

use domain::client::Client;
use domain::event::EventKind;
use domain::id::UserId;
use domain::key::SigningAlgorithm;
use domain::limits::{ACCESS_TOKEN_SECONDS_DEFAULT, ACCESS_TOKEN_SECONDS_MAX, DASHBOARD_TOKEN_SECONDS};
use domain::resource_server::{ResourceServer, TokenDialect};
use domain::scope::Scopes;
use domain::time::Timestamp;
use domain::token::{Grant, RefreshToken, RevokedAccessToken};
use domain::user::User;
use protocol::access_token::{self, AccessTokenInput, GrantKind, Subject, userinfo_audience};
use protocol::error::{OAuthError, OAuthErrorCode};
use protocol::id_token::{self, IdTokenInput};
use protocol::jose::Expect;
use protocol::revocation::RevocationRequest;
use protocol::token::TokenRequest;
use serde_json::{Map, Value};
use store::Key;

use crate::roles::access::Held;
use crate::{Engine, Error, RequestFacts};

/// What the token endpoint gives (RFC 6749 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// Its lifetime in seconds.
    pub expires_in: i64,
    /// The ID token, where `openid` was granted.
    pub id_token: Option<String>,
    /// The refresh token, where one was granted or rotated.
    pub refresh_token: Option<String>,
    /// What the access token allows.
    pub scope: Option<String>,
}

/// An access token as it was made.
struct MadeAccessToken {
    text: String,
    jti: String,
    expires_at: Timestamp,
    expires_in: i64,
}

impl Engine {
    /// The token endpoint. `authorization` is the header as it came.
    ///
    /// # Errors
    /// [`Error::OAuth`] for everything that the client can mend; [`Error::Busy`], [`Error::Unavailable`].
    pub async fn token(
        &self,
        params: &[(String, String)],
        authorization: Option<&str>,
        facts: &RequestFacts,
    ) -> Result<Tokens, Error> {
        let client = match self.authenticated_client(params, authorization).await {
            Err(Error::OAuth(error)) => {
                self.record_failed_proof(params, authorization, &error, facts).await?;
                return Err(error.into());
            }
            proved => proved?,
        };
        let request = TokenRequest::parse(params)?;
        let answer = match request.check_allowed(&client) {
            Err(error) => Err(Error::OAuth(error)),
            Ok(()) => match &request {
                TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier } => {
                    let (redirect_uri, verifier) = (redirect_uri.as_deref(), code_verifier.as_deref());
                    self.exchange_code(&client, code, redirect_uri, verifier, facts).await
                }
                TokenRequest::RefreshToken { refresh_token, scope, audience: _ } => {
                    self.exchange_refresh_token(&client, refresh_token, scope.as_ref(), facts).await
                }
                TokenRequest::ClientCredentials { audience, scope, organization } => {
                    let (audience, organization) = (audience.as_deref(), organization.as_deref());
                    self.client_credentials(&client, audience, scope.as_ref(), organization, facts).await
                }
            },
        };
        match &answer {
            Err(Error::OAuth(error)) => {
                let (code, debug) = (error.code.as_str(), error.debug.as_deref());
                self.record_failed_exchange(&request, &client, (code, &error.description, debug), facts)
                    .await?;
            }
            Err(Error::Denied { code, description }) => {
                self.record_failed_exchange(&request, &client, (code, description, None), facts).await?;
            }
            Ok(_) | Err(_) => {}
        }
        answer
    }

    async fn record_failed_exchange(
        &self,
        request: &TokenRequest,
        client: &Client,
        (code, description, debug): (&str, &str, Option<&str>),
        facts: &RequestFacts,
    ) -> Result<(), Error> {
        let kind = match request {
            TokenRequest::AuthorizationCode { .. } => EventKind::CodeExchangeFailed,
            TokenRequest::RefreshToken { .. } => EventKind::RefreshExchangeFailed,
            TokenRequest::ClientCredentials { .. } => EventKind::ClientCredentialsFailed,
        };
        let (audience, scope) = match request {
            TokenRequest::AuthorizationCode { .. } => (None, None),
            TokenRequest::RefreshToken { audience, scope, .. }
            | TokenRequest::ClientCredentials { audience, scope, .. } => {
                (audience.as_deref(), scope.as_ref())
            }
        };
        let scope = scope.map(Scopes::to_string).unwrap_or_default();
        let details = told::failure(code, description, debug);
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                self.event(kind, facts)
                    .client(client)
                    .token(audience, &scope)
                    .says(description)
                    .details(details.clone())
                    .record(tx);
                Ok(())
            })
            .await
    }

    /// Makes an access token for a user's grant. `held` is what the user may do at the API, where that limits them.
    async fn access_token_of(
        &self,
        client: &Client,
        grant: &Grant,
        scopes: &Scopes,
        (api, held): (Option<&ResourceServer>, Option<&Held>),
        kind: GrantKind,
    ) -> Result<MadeAccessToken, Error> {
        let from_browser = client.is_public();
        let ttl_seconds = match api {
            Some(_) if client.is_dashboard() => DASHBOARD_TOKEN_SECONDS,
            Some(api) if from_browser => api.token_seconds_for_web,
            Some(api) => api.token_seconds,
            None => ACCESS_TOKEN_SECONDS_DEFAULT,
        };
        let jti = domain::id::alphanumeric(&self.random::<24>());
        let made = access_token::claims(&AccessTokenInput {
            issuer: self.issuer(),
            audience: grant.audience.as_deref(),
            subject: Subject::User(&grant.user_id),
            client_id: &client.id,
            scopes,
            permissions: held.map(Held::names),
            organization_id: grant.organization_id.as_ref(),
            session_id: grant.session_id.as_ref().filter(|_| client.is_dashboard()),
            kind,
            custom_claims: &grant.access_token_claims,
            is_system_api: api.is_some_and(|api| api.is_system),
            dialect: api.map_or(TokenDialect::AccessToken, |api| api.token_dialect),
            authenticated_at: Some(grant.authenticated_at),
            jti: &jti,
            now: self.now(),
            ttl_seconds: ttl_seconds.clamp(1, ACCESS_TOKEN_SECONDS_MAX),
        });
        let algorithm = api.map_or(SigningAlgorithm::Rs256, |api| api.signing_algorithm);
        let text = self.sign(algorithm, made.typ, &made.claims).await?;
        Ok(MadeAccessToken { text, jti, expires_at: made.expires_at, expires_in: ttl_seconds })
    }

    /// Makes an ID token for a user's grant, where `openid` was granted.
    async fn id_token_of(
        &self,
        client: &Client,
        user: &User,
        grant: &Grant,
        scopes: &Scopes,
        nonce: Option<&str>,
    ) -> Result<Option<String>, Error> {
        if !scopes.contains("openid") {
            return Ok(None);
        }
        let organization = match &grant.organization_id {
            Some(id) => self.store().get(&Key::of(id)).await?,
            None => None,
        };
        let made = id_token::claims(&IdTokenInput {
            issuer: self.issuer(),
            user,
            grant,
            scopes,
            organization: organization.as_ref(),
            nonce,
            access_token: None,
            now: self.now(),
            ttl_seconds: client.id_token_seconds,
        });
        Ok(Some(self.sign(client.signing_algorithm, id_token::TYP, &made.claims).await?))
    }

    /// The API of a grant. None: the grant is for `/userinfo` only.
    async fn api_of(&self, audience: Option<&str>) -> Result<Option<ResourceServer>, Error> {
        let Some(audience) = audience else { return Ok(None) };
        let found = self.store().find::<ResourceServer>("identifier", &Key::of(audience)).await?;
        let gone = || OAuthError::new(OAuthErrorCode::AccessDenied, format!("Service not found: {audience}"));
        Ok(Some(found.ok_or_else(gone)?))
    }

    /// The user of a grant, unless they are gone or blocked.
    async fn user_of(&self, id: &UserId) -> Result<User, Error> {
        let user = self.store().get::<User>(&Key::of(id)).await?;
        let refuse =
            || OAuthError::new(OAuthErrorCode::InvalidGrant, "The user is blocked or does not exist");
        Ok(user.filter(|user| !user.blocked).ok_or_else(refuse)?)
    }

    /// `/userinfo`: the claims about the user of an access token, by its scopes.
    ///
    /// # Errors
    /// [`Error::OAuth`] with `invalid_token` (RFC 6750 §3.1).
    pub async fn userinfo(&self, token: &str) -> Result<Map<String, Value>, Error> {
        let refuse = || OAuthError::new(OAuthErrorCode::InvalidToken, "Unauthorized");
        let verified = self.keys().verify(token).map_err(|error| refuse().with_debug(error.to_string()))?;
        let audience = userinfo_audience(self.issuer());
        let expect = Expect {
            issuer: self.issuer(),
            audience: Some(&audience),
            now: self.now(),
            leeway_s: 0,
            typ: None,
            ignore_expiry: false,
        };
        expect.check(&verified).map_err(|error| refuse().with_debug(error.to_string()))?;
        let text = |name: &str| verified.claims.get(name).and_then(Value::as_str).unwrap_or_default();
        if self.store().get::<RevokedAccessToken>(&Key::of(text("jti"))).await?.is_some() {
            return Err(refuse().with_debug("revoked").into());
        }
        let user = self.store().get::<User>(&Key::of(text("sub"))).await?.filter(|user| !user.blocked);
        let user = user.ok_or_else(|| refuse().with_debug("no such user"))?;
        Ok(protocol::userinfo::claims(&user, &Scopes::parse(text("scope"))))
    }

    /// `/oauth/revoke`. A token that is unknown, or another client's, is no error and changes nothing.
    ///
    /// # Errors
    /// [`Error::OAuth`] when the client does not prove itself or names no token.
    pub async fn revoke(
        &self,
        params: &[(String, String)],
        authorization: Option<&str>,
        facts: &RequestFacts,
    ) -> Result<(), Error> {
        let client = self.authenticated_client(params, authorization).await?;
        let request = RevocationRequest::parse(params)?;
        if request.token.matches('.').count() == 2 && !request.token.starts_with(refresh::PREFIX) {
            return self.revoke_access_token(&client, &request.token).await;
        }
        let Some((id, _)) = refresh::split(&request.token) else { return Ok(()) };
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let Some(token) = tx.get::<RefreshToken>(&Key::of(&id)).await? else { return Ok(()) };
                if token.grant.client_id != client.id
                    || !refresh::is_of_family(tx, &token, &request.token).await?
                {
                    return Ok(());
                }
                tx.delete::<RefreshToken>(&Key::of(&id));
                self.refresh_token_revoked(&token, facts).client(&client).record(tx);
                Ok(())
            })
            .await
    }

    async fn revoke_access_token(&self, client: &Client, token: &str) -> Result<(), Error> {
        let Ok(verified) = self.keys().set.verify(token) else { return Ok(()) };
        let text = |name: &str| verified.claims.get(name).and_then(Value::as_str);
        let belongs = text("azp").or_else(|| text("client_id")) == Some(client.id.as_str());
        let expires = verified.claims.get("exp").and_then(Value::as_i64).map(Timestamp::from_seconds);
        let (Some(jti), Some(expires_at), true) = (text("jti"), expires, belongs) else { return Ok(()) };
        let revoked = RevokedAccessToken { jti: jti.to_owned(), expires_at };
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.put(revoked.clone());
                Ok(())
            })
            .await
    }
}

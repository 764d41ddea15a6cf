//! Who calls the Management API, and what they may do.
//!
//! Auth0: Management API v2 › access tokens.

use domain::id::{SessionId, UserId};
use domain::scope::Scopes;
use protocol::jose::{Expect, JoseError};
use store::Key;

use crate::{Engine, Error};

/// A holder of a Management API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's subject: `CLIENT@clients`, or a user.
    pub subject: String,
    /// The client that the token was made for.
    pub client_id: Option<String>,
    /// What it allows.
    pub scopes: Scopes,
    /// Whether this is a person who administers through the dashboard.
    pub is_administrator: bool,
    /// The token's identifier.
    pub jti: Option<String>,
}

impl Caller {
    /// Lets the call pass if the token has any one of these scopes. A name in the plural also takes the singular
    /// that Auth0's pages print for sessions (`update:session`).
    ///
    /// # Errors
    /// [`Error::Forbidden`], naming them all.
    pub fn require_any(&self, needs: &[&'static str]) -> Result<(), Error> {
        let held = |scope: &str| self.scopes.contains(scope);
        let held = |scope: &str| held(scope) || (scope == "update:sessions" && held("update:session"));
        if needs.iter().any(|scope| held(scope)) {
            return Ok(());
        }
        Err(Error::Forbidden { needs: needs.to_vec() })
    }
}

impl Engine {
    /// Reads a bearer token of the Management API.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] with Auth0's text for each way in which a token can be bad.
    pub async fn management_caller(&self, token: &str) -> Result<Caller, Error> {
        let refuse = |message: &str| Error::Unauthenticated { message: message.to_owned() };
        let verified = self.inner.keys.current().verify(token).map_err(|error| {
            refuse(match error {
                JoseError::BadSignature | JoseError::UnknownKey => {
                    "Invalid signature received for JSON Web Token validation"
                }
                _ => "Invalid token",
            })
        })?;
        let expect = Expect {
            issuer: self.issuer(),
            audience: Some(&self.management_audience()),
            now: self.now(),
            leeway_s: 0,
            typ: None,
            ignore_expiry: false,
        };
        expect.check(&verified).map_err(|error| {
            refuse(match error {
                JoseError::Expired => "Expired token received for JSON Web Token validation",
                JoseError::Audience => "Bad audience: the token is not for the Management API",
                JoseError::Issuer => "Bad issuer",
                _ => "Invalid token",
            })
        })?;
        let text = |name: &str| verified.claims.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        let jti = text("jti");
        if let Some(jti) = &jti
            && self.store().get::<domain::token::RevokedAccessToken>(&Key::of(jti)).await?.is_some()
        {
            return Err(refuse("Invalid token"));
        }
        let subject = text("sub").unwrap_or_default();
        let client_id = text("azp").or_else(|| text("client_id"));
        let mut scopes = Scopes::parse(&text("scope").unwrap_or_default());
        let is_machine = client_id.as_ref().is_some_and(|id| subject == format!("{id}@clients"));
        let mut is_administrator = false;
        if !is_machine {
            // What the token says was true when it was made; what it allows is decided now.
            let (user, session) = (UserId::new(&subject), text("sid").map(SessionId::new));
            is_administrator = self.may_administer(client_id.as_deref(), &user, session.as_ref()).await?;
            if !is_administrator {
                scopes = Scopes::default();
            }
        }
        Ok(Caller { subject, client_id, scopes, is_administrator, jti })
    }
}

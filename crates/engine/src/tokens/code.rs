//! Exchanges an authorization code; a second use takes back what the first gave (RFC 6749 §4.1.2).

use domain::client::Client;
use domain::event::EventKind;
use domain::id::SessionId;
use domain::session::Session;
use domain::token::{AuthorizationCode, CodeUse, RefreshToken, RevokedAccessToken};
use protocol::access_token::GrantKind;
use protocol::error::OAuthError;
use protocol::token::code::{CodeRefusal, check, unknown};
use serde_json::json;
use store::Key;

use super::{Tokens, told};
use crate::sign_in::hash;
use crate::{Engine, Error, RequestFacts};

impl Engine {
    pub(super) async fn exchange_code(
        &self,
        client: &Client,
        code: &str,
        redirect_uri: Option<&str>,
        code_verifier: Option<&str>,
        facts: &RequestFacts,
    ) -> Result<Tokens, Error> {
        let key = Key::of(hash(code));
        let exchanged = self
            .store()
            .transact(async |tx| -> Result<Result<Tokens, CodeRefusal>, Error> {
                let Some(mut stored) = tx.get::<AuthorizationCode>(&key).await? else {
                    return Err(unknown().into());
                };
                if let Err(refusal) = check(&stored, redirect_uri, code_verifier, &client.id, self.now()) {
                    if let (CodeRefusal::Reused, Some(used)) = (refusal, &stored.used) {
                        take_back(tx, used);
                    }
                    return Ok(Err(refusal));
                }
                let grant = stored.grant.clone();
                let mut session = None;
                if let Some(session_id) = &grant.session_id {
                    session = tx.get::<Session>(&Key::of(session_id)).await?;
                    if !session.as_ref().is_some_and(|session| session.is_live(self.now())) {
                        return Err(unknown().with_debug("the session of the code ended").into());
                    }
                }
                let user = self.user_of(&grant.user_id).await?;
                if session.as_ref().is_some_and(|session| session.epoch != user.sessions_epoch) {
                    return Err(unknown().with_debug("the session of the code ended with all others").into());
                }
                let api = self.api_of(grant.audience.as_deref()).await?;
                let organization = grant.organization_id.as_ref();
                let held = self.held_at(api.as_ref(), &user.id, organization).await?;
                let (access_token, id_token) = tokio::join!(
                    self.access_token_of(
                        client,
                        &grant,
                        &grant.scopes,
                        (api.as_ref(), held.as_ref()),
                        GrantKind::AuthorizationCode
                    ),
                    self.id_token_of(client, &user, &grant, &grant.scopes, stored.nonce.as_deref()),
                );
                let (access_token, id_token) = (access_token?, id_token?);
                let refresh_token =
                    self.first_refresh_token(tx, client, &user, &grant, &stored.refresh_token, facts).await?;
                let scope = grant.scopes.to_string();
                let mut event = self
                    .event(EventKind::CodeExchange, facts)
                    .client(client)
                    .user(&user)
                    .organization_id(grant.organization_id.as_ref())
                    .token(grant.audience.as_deref(), &scope);
                let mut details = json!({ "access_token_jti": access_token.jti });
                if refresh_token.is_some() {
                    let session_id = grant.session_id.as_ref().map(SessionId::as_str);
                    details["refresh_token"] = told::refresh_token(session_id);
                }
                if let Some(session) = &session {
                    event = event.session(session).connection_id(&session.connection_id);
                }
                event.details(details).record(tx);
                if let (Some(session), true) = (session, refresh_token.is_some()) {
                    // Written, though unchanged: an end of the session that is under way has listed its tokens
                    // already, and must conflict and see this one, or it would leave it behind.
                    tx.put(session);
                }
                stored.used = Some(CodeUse {
                    at: self.now(),
                    access_token_jti: access_token.jti,
                    access_token_expires_at: access_token.expires_at,
                    refresh_token_id: refresh_token.as_ref().map(|(id, _)| id.clone()),
                });
                tx.put(stored);
                Ok(Ok(Tokens {
                    access_token: access_token.text,
                    expires_in: access_token.expires_in,
                    id_token,
                    refresh_token: refresh_token.map(|(_, token)| token),
                    scope: Some(scope),
                }))
            })
            .await?;
        exchanged.map_err(|refusal| OAuthError::from(refusal).into())
    }
}

fn take_back(tx: &mut store::Tx, used: &CodeUse) {
    tx.put(RevokedAccessToken {
        jti: used.access_token_jti.clone(),
        expires_at: used.access_token_expires_at,
    });
    if let Some(id) = &used.refresh_token_id {
        tx.delete::<RefreshToken>(&Key::of(id));
    }
}

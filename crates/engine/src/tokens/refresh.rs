//! Gives, exchanges and rotates refresh tokens; the reuse of a spent one revokes the whole family.
//!
//! Spec: RFC 6749 §6, RFC 9700 §4.14. Auth0: refresh token rotation.
//!
//! A refresh token reads `v1.{record}.{secret}`: one read finds its record, and the record holds only its hash.

use domain::client::Client;
use domain::event::EventKind;
use domain::id::{ActionId, RefreshTokenId, SessionId, alphanumeric};
use domain::logout::Initiator;
use domain::organization::Membership;
use domain::scope::Scopes;
use domain::session::{Device, Session};
use domain::time::{Timestamp, seconds};
use domain::token::{Grant, RefreshToken, RefreshTokenWishes, RetiredRefreshToken};
use domain::user::User;
use protocol::access_token::GrantKind;
use protocol::error::{OAuthError, OAuthErrorCode};
use protocol::token::refresh::{RefreshRefusal, check, narrow, unknown};
use serde_json::json;
use store::{Key, Tx};

use super::{Tokens, told};
use crate::sign_in::finish::grantable;
use crate::sign_in::hash;
use crate::sign_in::post_login::{REFRESH_TOKEN_METADATA_REFUSED, custom_claims};
use crate::sign_in::prove::executions_detail;
use crate::sign_out::BoundTokens;
use crate::{Engine, Error, RequestFacts};

/// What a refresh token of this format begins with.
pub(super) const PREFIX: &str = "v1.";
/// How long a spent token of a family without expiry is remembered, in milliseconds. Ours: a year.
const SPENT_MEMORY_MS: i64 = 365 * 24 * 3600 * 1000;

/// The record and the secret of a refresh token.
pub(super) fn split(token: &str) -> Option<(RefreshTokenId, &str)> {
    let (id, secret) = token.strip_prefix(PREFIX)?.split_once('.')?;
    let plausible = id.len() == 24 && !secret.is_empty() && token.len() <= 128;
    plausible.then(|| (RefreshTokenId::new(id), secret))
}

impl Engine {
    fn new_token_text(&self, id: &RefreshTokenId) -> String {
        format!("{PREFIX}{id}.{}", domain::id::base64url_characters(&self.random::<43>()))
    }

    /// The first refresh token of a grant, where the client may have one and `offline_access` was granted.
    pub(super) async fn first_refresh_token(
        &self,
        tx: &mut Tx,
        client: &Client,
        user: &User,
        grant: &Grant,
        wishes: &RefreshTokenWishes,
        facts: &RequestFacts,
    ) -> Result<Option<(RefreshTokenId, String)>, Error> {
        if !grant.scopes.contains("offline_access") || !client.may_use("refresh_token") {
            return Ok(None);
        }
        self.make_room_for_refresh_token(tx, client, user, facts).await?;
        let id = RefreshTokenId::new(alphanumeric(&self.random::<24>()));
        let text = self.new_token_text(&id);
        let now = self.now();
        let settings = &client.refresh_token;
        let expires_at = (settings.expiring && !settings.lifetime_infinite)
            .then(|| now.plus_millis(seconds(settings.lifetime_seconds)));
        let mut token = RefreshToken {
            id: id.clone(),
            hash: hash(&text),
            grant: grant.clone(),
            rotating: settings.rotating,
            created_at: now,
            last_exchanged_at: None,
            idle_expires_at: idle_expiry(client, now),
            expires_at,
            device: Device::first_seen(facts.ip.as_deref(), facts.user_agent.as_deref()),
            previous: None,
            earlier: Vec::new(),
            epoch: user.tokens_epoch,
            rotations: 0,
            metadata: wishes.metadata.clone(),
        };
        token.shorten(wishes.expires_at, wishes.idle_expires_at);
        tx.insert(token);
        Ok(Some((id, text)))
    }

    pub(super) async fn exchange_refresh_token(
        &self,
        client: &Client,
        presented: &str,
        scope: Option<&Scopes>,
        facts: &RequestFacts,
    ) -> Result<Tokens, Error> {
        let Some((id, _)) = split(presented) else { return Err(unknown().into()) };
        let presented_hash = hash(presented);
        let run = self.run_exchange_actions(client, &id, &presented_hash, scope, facts).await?;
        if let Some(run) = &run
            && let Some(ending) = &run.effects.ending
        {
            return Err(self.refuse_exchange(client, &id, run, ending, facts).await?.into());
        }
        let exchanged = self
            .store()
            .transact(async |tx| -> Result<Result<Tokens, RefreshRefusal>, Error> {
                let Some(mut token) = tx.get::<RefreshToken>(&Key::of(&id)).await? else {
                    return Err(unknown().into());
                };
                let leeway = client.refresh_token.leeway_seconds;
                if let Err(refusal) = check(&token, &presented_hash, &client.id, leeway, self.now()) {
                    if refusal == RefreshRefusal::Reused {
                        self.end_family_if_spent(tx, client, &token, &presented_hash, facts).await?;
                    }
                    return Ok(Err(refusal));
                }
                let mut grant = token.grant.clone();
                let mut scopes = narrow(&grant.scopes, scope)?;
                let user = self.user_of(&grant.user_id).await?;
                if token.is_outdated(&user) {
                    return Err(unknown().with_debug("revoked with all others of the user").into());
                }
                refuse_former_member(tx, &grant).await?;
                let api = self.api_of(grant.audience.as_deref()).await?;
                let organization = grant.organization_id.as_ref();
                let held = self.held_at(api.as_ref(), &user.id, organization).await?;
                if let Some(held) = &held {
                    scopes = held.limit(&scopes);
                }
                if let Some(run) = &run {
                    // The claims of this exchange are those that its own run gave, not those of the sign-in.
                    (grant.id_token_claims, grant.access_token_claims) = custom_claims(&run.effects);
                    scopes = grantable(&run.effects.scopes(&scopes), api.as_ref(), true);
                }
                let (access_token, id_token) = tokio::join!(
                    self.access_token_of(
                        client,
                        &grant,
                        &scopes,
                        (api.as_ref(), held.as_ref()),
                        GrantKind::RefreshToken,
                    ),
                    self.id_token_of(client, &user, &grant, &scopes, None),
                );
                let (access_token, id_token) = (access_token?, id_token?);
                let refresh_token = token.rotating.then(|| self.rotate(tx, client, &mut token));
                let now = self.now();
                token.last_exchanged_at = Some(now);
                token.idle_expires_at = idle_expiry(client, now);
                token.device.seen_again(facts.ip.as_deref(), facts.user_agent.as_deref());
                if let Some(run) = &run {
                    if let Err(error) = run.effects.apply_to_refresh_token(&mut token) {
                        let text = format!("{REFRESH_TOKEN_METADATA_REFUSED}{error}");
                        return Err(OAuthError::new(OAuthErrorCode::AccessDenied, text).into());
                    }
                    self.write_user_metadata(tx, &user.id, &run.effects, client, facts).await?;
                    self.record_run(tx, run, client, Some(&user.id), facts);
                }
                let execution_id = run.as_ref().and_then(|run| run.execution_id()).map(ActionId::as_str);
                let session_id = grant.session_id.as_ref().map(SessionId::as_str);
                let details = json!({
                    "access_token_jti": access_token.jti,
                    "actions": executions_detail(&[], execution_id),
                    "familyId": token.id,
                    "tokenCounter": token.rotations,
                    "refresh_token": told::refresh_token(session_id),
                });
                tx.put(token);
                let scope = scopes.to_string();
                let event = self
                    .event(EventKind::RefreshExchange, facts)
                    .client(client)
                    .user(&user)
                    .organization_id(grant.organization_id.as_ref())
                    .token(grant.audience.as_deref(), &scope)
                    .details(details);
                match session_id {
                    Some(id) => event.session_id(id),
                    None => event,
                }
                .record(tx);
                Ok(Ok(Tokens {
                    access_token: access_token.text,
                    expires_in: access_token.expires_in,
                    id_token,
                    refresh_token,
                    scope: Some(scope),
                }))
            })
            .await?;
        if exchanged == Err(RefreshRefusal::Reused) {
            self.logouts_may_wait();
        }
        exchanged.map_err(|refusal| OAuthError::from(refusal).into())
    }

    /// Puts a new token in the place of the current one, which stays good for the client's leeway only.
    fn rotate(&self, tx: &mut Tx, client: &Client, token: &mut RefreshToken) -> String {
        let text = self.new_token_text(&token.id);
        let now = self.now();
        let spent = token.rotate(hash(&text), seconds(client.refresh_token.leeway_seconds), now);
        let forget_at = token.expires_at.unwrap_or_else(|| now.plus_millis(SPENT_MEMORY_MS));
        tx.put(RetiredRefreshToken {
            hash: spent,
            refresh_token_id: token.id.clone(),
            rotations: token.rotations,
            forget_at: Some(forget_at),
        });
        token.rotations += 1;
        text
    }

    /// A token of the family that is not good now: if it once was, someone holds a stolen copy, and nobody can tell
    /// who. The family ends (RFC 9700 §4.14.2), and with it the session that it came from, whose clients are told. Tokens
    /// of other applications are other families. A token that never was good changes nothing: it was guessed.
    async fn end_family_if_spent(
        &self,
        tx: &mut Tx,
        client: &Client,
        token: &RefreshToken,
        presented_hash: &str,
        facts: &RequestFacts,
    ) -> Result<(), Error> {
        let Some(spent) = spent(tx, token, presented_hash).await? else { return Ok(()) };
        tx.delete::<RefreshToken>(&Key::of(&token.id));
        let event = self
            .event(EventKind::RefreshReuse, facts)
            .client(client)
            .user_id(token.grant.user_id.as_str())
            .token(token.grant.audience.as_deref(), &token.grant.scopes.to_string())
            .says("A rotated refresh token was used again; its whole family was revoked")
            .details(json!({
                "familyId": token.id,
                "tokenCounter": spent.rotations,
                "latestCounter": token.rotations,
            }));
        match &token.grant.session_id {
            Some(id) => event.session_id(id.as_str()),
            None => event,
        }
        .record(tx);
        if let Some(session_id) = &token.grant.session_id
            && let Some(session) = tx.get::<Session>(&Key::of(session_id)).await?
        {
            let (initiator, tokens) = (Initiator::SessionRevoked, BoundTokens::Keep);
            let _ended = self.end_session(tx, &session, initiator, tokens, facts).await?;
        }
        Ok(())
    }
}

/// A token for an organization is good for its members only.
async fn refuse_former_member(tx: &mut Tx, grant: &Grant) -> Result<(), Error> {
    let Some(organization_id) = &grant.organization_id else { return Ok(()) };
    if tx.get::<Membership>(&Key::of((organization_id, &grant.user_id))).await?.is_some() {
        return Ok(());
    }
    let text = format!("user {} is not part of the {organization_id} organization", grant.user_id);
    Err(OAuthError::new(OAuthErrorCode::InvalidGrant, text).into())
}

/// Whether a token is the current one of a family or was it once. Who takes back a token that was rotated a moment ago,
/// in an exchange that their logout overtook, means its successor too (RFC 7009 §2.1).
pub(super) async fn is_of_family(tx: &mut Tx, family: &RefreshToken, presented: &str) -> Result<bool, Error> {
    let presented_hash = hash(presented);
    Ok(family.hash == presented_hash || spent(tx, family, &presented_hash).await?.is_some())
}

/// What is remembered of a token that the family once had.
async fn spent(
    tx: &mut Tx,
    family: &RefreshToken,
    presented_hash: &str,
) -> Result<Option<RetiredRefreshToken>, Error> {
    let spent = tx.get::<RetiredRefreshToken>(&Key::of(presented_hash)).await?;
    Ok(spent.filter(|spent| spent.refresh_token_id == family.id))
}

fn idle_expiry(client: &Client, now: Timestamp) -> Option<Timestamp> {
    let settings = &client.refresh_token;
    (settings.expiring && !settings.idle_lifetime_infinite)
        .then(|| now.plus_millis(seconds(settings.idle_lifetime_seconds)))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn only_tokens_of_our_own_form_are_looked_up() {
        let id = "a".repeat(24);
        assert!(split(&format!("v1.{id}.secret")).is_some());
        for bad in
            ["", "v1.", "v1.short.secret", "v2.aaaaaaaaaaaaaaaaaaaaaaaa.s", "v1.aaaaaaaaaaaaaaaaaaaaaaaa."]
        {
            assert!(split(bad).is_none(), "{bad}");
        }
    }
}

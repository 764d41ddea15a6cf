//! The token that tells a client that a session ended: its claims, and how a client checks it.
//!
//! Spec: OIDC Back-Channel Logout 1.0 §2.4 and §2.6. Auth0: back-channel logout, and add organization information
//! (`session_metadata`).

use std::collections::BTreeMap;

use domain::limits::LOGOUT_TOKEN_SECONDS;
use domain::logout::{LogoutSettings, LogoutTokenType, PendingLogout};
use domain::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::jose::{Expect, JoseError, KeySet};

/// The header's `typ` that Auth0 sends and its receivers demand.
pub const TYP: &str = "JWT";
/// The header's `typ` that the specification recommends (§2.4).
pub const TYP_STANDARD: &str = "logout+jwt";

/// The header's `typ` for a client with these settings.
pub const fn typ(settings: &LogoutSettings) -> &'static str {
    match settings.token_type {
        None | Some(LogoutTokenType::Jwt) => TYP,
        Some(LogoutTokenType::LogoutJwt) => TYP_STANDARD,
    }
}

/// The member of `events` that makes a token a logout token.
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// An empty JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Empty {}

/// The `events` claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Events {
    /// Says that this is a logout token.
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    pub backchannel_logout: Empty,
}

/// The claims of a logout token. There is never a `nonce`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogoutTokenClaims<'a> {
    /// The server's issuer, with its trailing slash.
    pub iss: &'a str,
    /// Whose session it was.
    pub sub: &'a str,
    /// The client that is told.
    pub aud: &'a str,
    /// When the token was made, in seconds.
    pub iat: i64,
    /// When it stops being good, in seconds.
    pub exp: i64,
    /// A name that no other token has: receivers may take a repeated one for a replay.
    pub jti: &'a str,
    /// That this is a logout token.
    pub events: Events,
    /// The session that ended.
    pub sid: &'a str,
    /// 16 hexadecimal digits that tie token, log and delivery together.
    pub trace_id: &'a str,
    /// The session's metadata when it ended, where the client asks for it and there is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_metadata: Option<BTreeMap<&'a str, &'a str>>,
    /// What ended the session, where the client asks for it. Ours: Auth0 tells it in the log only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator: Option<&'static str>,
}

impl<'a> LogoutTokenClaims<'a> {
    /// Builds the claims for one try of one delivery, as the client's `settings` are now. A session without metadata has
    /// no `session_metadata`.
    pub fn new(
        issuer: &'a str,
        pending: &'a PendingLogout,
        settings: &LogoutSettings,
        jti: &'a str,
        now: Timestamp,
    ) -> Self {
        let entries = pending.session_metadata.entries();
        let metadata = || entries.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        Self {
            iss: issuer,
            sub: pending.user_id.as_str(),
            aud: pending.client_id.as_str(),
            iat: now.as_seconds(),
            exp: now.as_seconds().saturating_add(LOGOUT_TOKEN_SECONDS),
            jti,
            events: Events { backchannel_logout: Empty {} },
            sid: pending.session_id.as_str(),
            trace_id: &pending.trace_id,
            session_metadata: (settings.include_session_metadata == Some(true) && !entries.is_empty())
                .then(metadata),
            initiator: (settings.tell_initiator == Some(true)).then(|| pending.initiator.as_str()),
        }
    }
}

/// What a receiver learns from a logout token.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedLogout {
    /// Whose session it was.
    pub sub: Option<String>,
    /// The session that ended.
    pub sid: Option<String>,
    /// The token's name, for noticing a replay.
    pub jti: String,
    /// The session's metadata, where it came.
    pub session_metadata: Option<Map<String, Value>>,
    /// Every claim.
    pub claims: Map<String, Value>,
}

/// Checks a logout token as its receiver must (OIDC Back-Channel Logout 1.0 §2.6).
///
/// # Errors
/// A [`JoseError`]: of the signature, of `typ`, `iss`, `aud` or `exp`, or naming the claim that is wrong.
pub fn verify(
    keys: &KeySet,
    token: &str,
    issuer: &str,
    client_id: &str,
    now: Timestamp,
    leeway_s: i64,
) -> Result<VerifiedLogout, JoseError> {
    let token = keys.verify(token)?;
    let types = [TYP, TYP_STANDARD];
    let audience = Some(client_id);
    Expect { issuer, audience, now, leeway_s, typ: Some(&types), ignore_expiry: false }.check(&token)?;

    let claims = token.claims;
    let text = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JoseError::Claim(name)),
    };
    let (sub, sid) = (text("sub")?, text("sid")?);
    if sub.is_none() && sid.is_none() {
        return Err(JoseError::Claim("sid"));
    }
    let jti = text("jti")?.ok_or(JoseError::Claim("jti"))?;
    if !claims.get("iat").is_some_and(Value::is_number) {
        return Err(JoseError::Claim("iat"));
    }
    if !claims.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object) {
        return Err(JoseError::Claim("events"));
    }
    if claims.contains_key("nonce") {
        return Err(JoseError::Claim("nonce"));
    }
    let session_metadata = match claims.get("session_metadata") {
        None => None,
        Some(Value::Object(map)) => Some(map.clone()),
        Some(_) => return Err(JoseError::Claim("session_metadata")),
    };
    Ok(VerifiedLogout { sub, sid, jti, session_metadata, claims })
}

#[cfg(test)]
mod tests {
    use domain::key::SigningAlgorithm;
    use domain::logout::{Initiator, LogoutSettings, LogoutTokenType, PendingLogout};
    use domain::metadata::SessionMetadata;
    use domain::time::Timestamp;
    use serde_json::{Value, json};

    use super::{EVENT, LogoutTokenClaims, TYP, TYP_STANDARD, typ, verify};
    use crate::jose::{JoseError, SigningKey};

    fn pending(entries: &[(&str, &str)]) -> PendingLogout {
        let mut session_metadata = SessionMetadata::default();
        for (key, value) in entries {
            session_metadata.set(key, value).unwrap();
        }
        PendingLogout {
            client_id: "client".into(),
            user_id: "auth0|1".into(),
            session_id: "sid".into(),
            initiator: Initiator::SessionRevoked,
            ended_at: Timestamp(1_000_000),
            session_metadata,
            trace_id: "0123456789abcdef".into(),
        }
    }

    fn claims(pending: &PendingLogout, include: bool) -> Value {
        let settings =
            LogoutSettings { include_session_metadata: Some(include), ..LogoutSettings::default() };
        claims_for(pending, &settings)
    }

    fn claims_for(pending: &PendingLogout, settings: &LogoutSettings) -> Value {
        let claims =
            LogoutTokenClaims::new("https://id.example/", pending, settings, "j", Timestamp(2_000_999));
        serde_json::to_value(claims).unwrap()
    }

    #[test]
    fn the_claims_are_those_that_the_receivers_expect() {
        let with = pending(&[("org_id", "org_abc123"), ("org_name", "Acme Corp")]);
        let mut expect = json!({
            "iss": "https://id.example/",
            "sub": "auth0|1",
            "aud": "client",
            "iat": 2000,
            "exp": 2120,
            "jti": "j",
            "events": {EVENT: {}},
            "sid": "sid",
            "trace_id": "0123456789abcdef",
        });
        assert_eq!(claims(&with, false), expect, "the client did not ask for the metadata");
        assert_eq!(claims(&pending(&[]), true), expect, "there is none");
        expect["session_metadata"] = json!({"org_id": "org_abc123", "org_name": "Acme Corp"});
        assert_eq!(claims(&with, true), expect);
    }

    #[test]
    fn the_type_and_the_initiator_are_what_the_client_asks_for() {
        let settings = |token_type, tell_initiator| LogoutSettings {
            token_type,
            tell_initiator,
            ..LogoutSettings::default()
        };
        for (asked, expect) in [
            (None, "JWT"),
            (Some(LogoutTokenType::Jwt), "JWT"),
            (Some(LogoutTokenType::LogoutJwt), "logout+jwt"),
        ] {
            assert_eq!(typ(&settings(asked, None)), expect);
        }
        let told = |asked| claims_for(&pending(&[]), &settings(None, asked)).get("initiator").cloned();
        assert_eq!((told(None), told(Some(false))), (None, None));
        assert_eq!(told(Some(true)), Some(json!("session-revoked")));
    }

    #[test]
    fn a_receiver_takes_the_token_and_none_that_is_almost_one() {
        let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let good = claims(&pending(&[("a", "b")]), true);
        let check = |typ: &str, change: &dyn Fn(&mut Value), now_s: i64| {
            let mut claims = good.clone();
            change(&mut claims);
            let token = key.sign(typ, &claims);
            verify(&key.key_set(), &token, "https://id.example/", "client", Timestamp(now_s * 1000), 0)
        };
        let heard = check(TYP, &|_| {}, 2119).unwrap();
        assert_eq!((heard.sub.as_deref(), heard.sid.as_deref()), (Some("auth0|1"), Some("sid")));
        assert_eq!(heard.session_metadata.unwrap()["a"], "b");
        assert!(check(TYP_STANDARD, &|_| {}, 2000).is_ok());

        type Refusal<'a> = (&'a str, &'a dyn Fn(&mut Value), i64, JoseError);
        let refusals: [Refusal<'_>; 10] = [
            ("at+jwt", &|_| {}, 2000, JoseError::Type),
            (TYP, &|_| {}, 2120, JoseError::Expired),
            (TYP, &|c| c["aud"] = json!("other"), 2000, JoseError::Audience),
            (TYP, &|c| c["iss"] = json!("https://id.example"), 2000, JoseError::Issuer),
            (TYP, &|c| c["nonce"] = json!("n"), 2000, JoseError::Claim("nonce")),
            (TYP, &|c| c["events"] = json!({}), 2000, JoseError::Claim("events")),
            (TYP, &|c| c["events"] = json!({EVENT: true}), 2000, JoseError::Claim("events")),
            (TYP, &|c| c["sid"] = json!(1), 2000, JoseError::Claim("sid")),
            (TYP, &|c| c["iat"] = json!("now"), 2000, JoseError::Claim("iat")),
            (TYP, &|c| c["jti"] = Value::Null, 2000, JoseError::Claim("jti")),
        ];
        for (typ, change, now, expect) in refusals {
            assert_eq!(check(typ, change, now).unwrap_err(), expect);
        }
    }
}

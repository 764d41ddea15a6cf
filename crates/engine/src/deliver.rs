//! Tells clients of a logout: claims what is due, mints a token for each try, posts it, and commits what came of it.
//!
//! Spec: OIDC Back-Channel Logout 1.0 §2.5–§2.8. Delivery is at least once: a node that dies between the post and
//! the commit leaves a lease that runs out, and another try.

use domain::client::Client;
use domain::event::EventKind;
use domain::limits::{
    LOGOUT_DELIVERIES_MAX, LOGOUT_RETRY_FIRST_MS, LOGOUT_RETRY_MS_MAX, LOGOUT_RETRY_TOTAL_MS, OUTBOX_LEASE_MS,
};
use domain::logout::PendingLogout;
use domain::time::Timestamp;
use protocol::logout_token::{LogoutTokenClaims, typ};
use serde_json::json;
use store::{Claimed, Key, Tx};
use tokio::task::JoinSet;

use crate::audit::EventDraft;
use crate::ports::{Answer, OutboundError, RetryAfter};
use crate::sign_out::OUTBOX_LOGOUT;
use crate::{Engine, Error, RequestFacts};

/// What one try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Attempt {
    Delivered {
        status: u16,
    },
    /// The client says that the token is bad (§2.8): it will not get better.
    Final {
        status: u16,
        error: String,
    },
    Failed {
        status: Option<u16>,
        error: String,
        retry_after: Option<RetryAfter>,
    },
}

impl Engine {
    /// Delivers what is due, up to 32 at once. Answers how many it tried; zero means that nothing is due.
    ///
    /// # Errors
    /// Whatever the store answers. What was claimed and not committed is tried again when its lease runs out.
    pub async fn deliver_due(&self) -> Result<usize, Error> {
        let node = &self.inner.settings.node;
        let claimed = self
            .store()
            .outbox_claim(OUTBOX_LOGOUT, self.now(), OUTBOX_LEASE_MS, node, LOGOUT_DELIVERIES_MAX)
            .await?;
        let tried = claimed.len();
        let mut deliveries = JoinSet::new();
        for entry in claimed {
            let engine = self.clone();
            deliveries.spawn(async move { engine.deliver(&entry).await });
        }
        let mut first_error = None;
        while let Some(done) = deliveries.join_next().await {
            if let Err(error) = done.unwrap_or_else(|panic| Err(Error::Bug(panic.to_string()))) {
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(tried), Err)
    }

    /// When the next delivery is due, if any waits.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn next_delivery(&self) -> Result<Option<Timestamp>, Error> {
        Ok(self.store().outbox_next_due(OUTBOX_LOGOUT).await?)
    }

    async fn deliver(&self, claimed: &Claimed) -> Result<(), Error> {
        let pending: PendingLogout = match serde_json::from_value(claimed.entry.body.clone()) {
            Ok(pending) => pending,
            Err(error) => {
                return self.bury(claimed, &format!("a pending logout does not decode: {error}")).await;
            }
        };
        let client = self.store().get::<Client>(&Key::of(&pending.client_id)).await?;
        let Some(client) = client.filter(|client| client.logout.wants(pending.initiator)) else {
            // The client left or unsubscribed: what waits for it is dropped (Auth0: back-channel logout).
            let drop_it = async |tx: &mut Tx| -> Result<(), Error> {
                tx.outbox_done(claimed);
                Ok(())
            };
            return self.store().transact(drop_it).await;
        };
        for url in &client.logout.urls {
            let attempt = self.attempt(&client, &pending, url).await?;
            let delivered = matches!(attempt, Attempt::Delivered { .. });
            let is_last = Some(url) == client.logout.urls.last();
            if !delivered || is_last {
                return self.settle(claimed, &client, &pending, url, attempt).await;
            }
        }
        Ok(())
    }

    /// Gives up on an entry that nobody can deliver, however often it is tried.
    async fn bury(&self, claimed: &Claimed, error: &str) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.outbox_dead(claimed, error);
                self.event(EventKind::BackchannelLogoutFailed, &RequestFacts::default())
                    .client_id(Some(&claimed.entry.subject))
                    .says(format!("{error}; given up"))
                    .record(tx);
                Ok(())
            })
            .await
    }

    async fn attempt(&self, client: &Client, pending: &PendingLogout, url: &str) -> Result<Attempt, Error> {
        let jti = domain::id::uuid(self.random());
        let claims = LogoutTokenClaims::new(self.issuer(), pending, &client.logout, &jti, self.now());
        let token = self.sign(client.signing_algorithm, typ(&client.logout), &claims).await?;
        let body =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
        Ok(judge(self.inner.ports.outbound.post_form(url, body).await))
    }

    /// Commits what came of a try, together with its log event.
    async fn settle(
        &self,
        claimed: &Claimed,
        client: &Client,
        pending: &PendingLogout,
        url: &str,
        attempt: Attempt,
    ) -> Result<(), Error> {
        let now = self.now();
        let attempts = claimed.entry.attempts;
        let with_metadata = self.tenant().await?.include_session_metadata_in_logs;
        let jitter = f64::from(u32::from_be_bytes(self.random())) / f64::from(u32::MAX);
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let event = |kind: EventKind, status: Option<u16>, error: Option<&str>| -> EventDraft {
                    let mut details = json!({
                        "initiator": pending.initiator.as_str(),
                        "request": { "method": "POST", "backchannel_logout_uri": url },
                        "response": { "statusCode": status },
                        "trace_id": pending.trace_id,
                        "attempt": attempts,
                    });
                    if let Some(error) = error {
                        details["errors"] = json!([error]);
                    }
                    if with_metadata {
                        details["session_metadata"] = json!(pending.session_metadata);
                    }
                    self.event(kind, &RequestFacts::default())
                        .client(client)
                        .user_id(pending.user_id.as_str())
                        .session_id(pending.session_id.as_str())
                        .details(details)
                };
                match &attempt {
                    Attempt::Delivered { status } => {
                        tx.outbox_done(claimed);
                        event(EventKind::BackchannelLogout, Some(*status), None).record(tx);
                    }
                    Attempt::Final { status, error } => {
                        tx.outbox_dead(claimed, error);
                        let event = event(EventKind::BackchannelLogoutFailed, Some(*status), Some(error));
                        event.says(format!("{error}; given up")).record(tx);
                    }
                    Attempt::Failed { status, error, retry_after } => {
                        let asked_ms = retry_after.map(|wish| wish.wait_ms(now));
                        let wait = wait_ms(attempts, asked_ms, jitter);
                        let due_at = now.plus_millis(wait);
                        let event = event(EventKind::BackchannelLogoutFailed, *status, Some(error));
                        if due_at > claimed.entry.expires_at {
                            tx.outbox_dead(claimed, error);
                            event.says(format!("{error}; given up")).record(tx);
                        } else {
                            tx.outbox_later(claimed, due_at, error);
                            event.says(format!("{error}; next try at {due_at}")).record(tx);
                        }
                    }
                }
                Ok(())
            })
            .await
    }
}

/// Any 2xx is success (SDKs answer 204), 400 is final (§2.8), everything else is tried again.
fn judge(answer: Result<Answer, OutboundError>) -> Attempt {
    match answer {
        Ok(Answer { status, .. }) if (200..300).contains(&status) => Attempt::Delivered { status },
        Ok(Answer { status: 400, .. }) => {
            Attempt::Final { status: 400, error: "the client refused the logout token".to_owned() }
        }
        Ok(Answer { status, retry_after }) => Attempt::Failed {
            status: Some(status),
            error: format!("the client answered {status}"),
            retry_after,
        },
        Err(error) => Attempt::Failed { status: None, error: error.to_string(), retry_after: None },
    }
}

/// How long to wait after so many tries: doubling from two seconds to an hour, between half and all of it by chance,
/// and never less than the client asked for (`Retry-After`, RFC 9110 §10.2.3), up to the time in which the try still counts.
pub(crate) fn wait_ms(attempts: u32, asked_ms: Option<i64>, jitter: f64) -> i64 {
    let doubled = LOGOUT_RETRY_FIRST_MS.saturating_mul(1_i64 << attempts.saturating_sub(1).min(20));
    let full = doubled.min(LOGOUT_RETRY_MS_MAX);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "an hour is far below 2^52"
    )]
    let own = full / 2 + (full as f64 / 2.0 * jitter) as i64;
    own.max(asked_ms.unwrap_or(0).min(LOGOUT_RETRY_TOTAL_MS))
}

#[cfg(test)]
mod tests {
    use super::{Answer, Attempt, OutboundError, RetryAfter, Timestamp, judge, wait_ms};
    use domain::limits::{LOGOUT_RETRY_MS_MAX, LOGOUT_RETRY_TOTAL_MS};

    #[test]
    fn waits_double_up_to_an_hour_and_honour_the_client() {
        assert_eq!(wait_ms(1, None, 0.0), 1_000);
        assert_eq!(wait_ms(1, None, 1.0), 2_000);
        assert_eq!(wait_ms(4, None, 1.0), 16_000);
        assert_eq!(wait_ms(1000, None, 1.0), LOGOUT_RETRY_MS_MAX);
        assert_eq!(wait_ms(1, Some(60_000), 1.0), 60_000);
        let never = RetryAfter::Seconds(u64::MAX).wait_ms(Timestamp(0));
        assert_eq!(wait_ms(1, Some(never), 1.0), LOGOUT_RETRY_TOTAL_MS);
    }

    #[test]
    fn a_client_may_name_seconds_or_a_date() {
        let now = Timestamp::parse("1994-11-06T08:49:00Z").unwrap();
        let wait = |value: &str| RetryAfter::parse(value).map(|wish| wish.wait_ms(now));
        assert_eq!(wait(" 120 "), Some(120_000));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(37_000));
        assert_eq!(wait("Sun, 06 Nov 1994 08:48:00 GMT"), Some(0));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn any_2xx_is_success_400_is_final_and_the_rest_is_tried_again() {
        let answer = |status| judge(Ok(Answer { status, retry_after: None }));
        assert_eq!(answer(204), Attempt::Delivered { status: 204 });
        assert!(matches!(answer(400), Attempt::Final { .. }));
        for status in [301, 404, 429, 500, 503] {
            assert!(matches!(answer(status), Attempt::Failed { .. }), "{status}");
        }
        assert!(matches!(judge(Err(OutboundError::Timeout(5000))), Attempt::Failed { status: None, .. }));
    }
}

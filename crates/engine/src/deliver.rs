//! Tells clients of a logout: claims what is due, mints a token for each try, posts it, and commits what came of it.
//!
//! Spec: OIDC Back-Channel Logout 1.0 §2.5–§2.8. Delivery is at least once: a node that dies between the post and
//! the commit leaves a lease that runs out, and another try. Deliveries are made of ended sessions by [`fan_out`]; how
//! many a host may be sent is kept by [`hosts`].

mod fan_out;
pub(crate) mod hosts;

use domain::client::Client;
use domain::event::EventKind;
use domain::id::LogoutDeliveryId;
use domain::limits::{
    LOGOUT_DEAD_KEEP_MS, LOGOUT_DELIVERED_KEEP_MS, LOGOUT_DELIVERIES_MAX, LOGOUT_RETRY_AFTER_MS_MAX,
    LOGOUT_RETRY_FIRST_MS, LOGOUT_RETRY_MS_MAX, OUTBOX_LEASE_MS,
};
use domain::logout_delivery::{DeliveryState, LogoutDelivery};
use domain::time::Timestamp;
use protocol::logout_token::{LogoutTokenClaims, typ};
use serde::Deserialize;
use serde_json::json;
use store::tables::logout_delivery_key;
use store::{Claimed, Key, Lease, Order};
use tokio::task::JoinSet;

pub(crate) use self::fan_out::origin_of;
use self::hosts::Place;
use crate::audit::EventDraft;
use crate::ports::{Answer, OutboundError, RetryAfter};
use crate::{Engine, Error, RequestFacts};

/// The kind of outbox entry that has a [`LogoutDelivery`] tried. Its lanes are the hosts.
pub(crate) const OUTBOX_DELIVERY: &str = "logout_delivery";
/// Deliveries of one session to one client that are looked at to find a URL that was not told yet. Ours: more than a
/// client can have URLs.
const SIBLINGS_MAX: usize = 200;

/// What one try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Attempt {
    Delivered {
        status: u16,
    },
    /// The client says that the token is bad (§2.8), or time is up: it will not get better.
    Final {
        status: Option<u16>,
        error: String,
    },
    Failed {
        status: Option<u16>,
        error: String,
        retry_after: Option<RetryAfter>,
    },
}

/// What waits in the outbox.
#[derive(Deserialize)]
struct Queued {
    delivery_id: LogoutDeliveryId,
}

/// A delivery that this node has claimed, with its place at the host; to be handed to [`Engine::deliver`].
#[derive(Debug)]
pub struct ClaimedDelivery {
    claimed: Claimed,
    place: Place,
}

impl Engine {
    /// Takes a step with ended sessions, and tries the deliveries that are due and have a place, in one go. Answers how
    /// many of both there were; zero means that nothing can be done now. The server's own loop does not wait for the
    /// slowest like this.
    ///
    /// # Errors
    /// Whatever the store answers. What was claimed and not committed is tried again when its lease runs out.
    pub async fn deliver_due(&self) -> Result<usize, Error> {
        let steps = self.fan_out_logouts().await?;
        let claimed = self.claim_deliveries(LOGOUT_DELIVERIES_MAX).await?;
        let tried = claimed.len();
        let mut deliveries = JoinSet::new();
        for delivery in claimed {
            let engine = self.clone();
            deliveries.spawn(async move { engine.deliver(delivery).await });
        }
        let mut first_error = None;
        while let Some(done) = deliveries.join_next().await {
            if let Err(error) = done.unwrap_or_else(|panic| Err(Error::Bug(panic.to_string()))) {
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(steps + tried), Err)
    }

    /// Claims up to `max` deliveries that are due and whose hosts have a place. Hosts take turns, and one that hangs or
    /// fails holds up no other. Each delivery must go to [`Engine::deliver`] at once; one that does not is due again
    /// when its lease has run out.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn claim_deliveries(&self, max: usize) -> Result<Vec<ClaimedDelivery>, Error> {
        let hosts = &self.inner.hosts;
        // One claim at a time, so that no two give away the same place.
        let mut turn = self.inner.delivery_turn.lock().await;
        let now = self.now();
        let lease = Lease { now, until: now.plus_millis(OUTBOX_LEASE_MS), owner: &self.inner.settings.node };
        let places = |origin: &str| hosts.free(origin, now);
        let claimed =
            self.store().outbox_claim_lanes(OUTBOX_DELIVERY, &lease, max, &mut turn, &places).await?;
        let with_place = |claimed: Claimed| {
            let place = hosts.take(claimed.entry.lane.as_deref().unwrap_or_default());
            ClaimedDelivery { claimed, place }
        };
        Ok(claimed.into_iter().map(with_place).collect())
    }

    /// Tries a delivery and commits what came of it.
    ///
    /// # Errors
    /// Whatever the store answers; then the delivery is tried again when its lease has run out.
    pub async fn deliver(&self, ClaimedDelivery { claimed, place }: ClaimedDelivery) -> Result<(), Error> {
        let queued: Queued = match serde_json::from_value(claimed.entry.body.clone()) {
            Ok(queued) => queued,
            Err(error) => {
                return self
                    .bury(&claimed, &format!("a delivery in the outbox does not decode: {error}"))
                    .await;
            }
        };
        let delivery = self.store().get::<LogoutDelivery>(&logout_delivery_key(&queued.delivery_id)).await?;
        let Some(delivery) = delivery else {
            return self.bury(&claimed, "a delivery in the outbox has no record").await;
        };
        let client = self.store().get::<Client>(&Key::of(&delivery.pending.client_id)).await?;
        let Some(client) = client.filter(|client| client.logout.wants(delivery.pending.initiator)) else {
            // The client left or unsubscribed: what waits for it is dropped (Auth0: back-channel logout).
            return self.drop_delivery(&claimed, &delivery).await;
        };
        if !client.logout.urls.contains(&delivery.url) {
            return self.move_delivery(&claimed, &delivery, &client).await;
        }
        if place.is_probe() && claimed.entry.expires_at <= self.now() {
            let error = "the host did not answer for too long".to_owned();
            let attempt = Attempt::Final { status: None, error };
            return self.settle(&claimed, &client, &delivery, attempt).await;
        }
        let attempt = self.attempt(&client, &delivery).await?;
        if attempt.blames_the_host() {
            place.failed(self.now(), self.chance());
        } else {
            place.answered();
        }
        self.settle(&claimed, &client, &delivery, attempt).await
    }

    async fn drop_delivery(&self, claimed: &Claimed, delivery: &LogoutDelivery) -> Result<(), Error> {
        let kept_until = Some(self.now().plus_millis(LOGOUT_DELIVERED_KEEP_MS));
        let (state, next_attempt_at) = (DeliveryState::Dropped, None);
        let dropped = LogoutDelivery { state, next_attempt_at, kept_until, ..delivery.clone() };
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.outbox_done(claimed);
                tx.put(dropped.clone());
                Ok(())
            })
            .await
    }

    /// The client took back the URL. Where it has another that was not told of this session, that one takes its place, so
    /// that a corrected URL helps what is already waiting.
    async fn move_delivery(
        &self,
        claimed: &Claimed,
        delivery: &LogoutDelivery,
        client: &Client,
    ) -> Result<(), Error> {
        let of_both = Key::of((&delivery.pending.session_id, &delivery.pending.client_id));
        let siblings = self
            .store()
            .page::<LogoutDelivery>(Some("session"), &of_both, None, SIBLINGS_MAX, Order::Ascending)
            .await?;
        let is_new = |url: &&String| siblings.items.iter().all(|sibling| sibling.url != **url);
        let Some(url) = client.logout.urls.iter().find(is_new) else {
            return self.drop_delivery(claimed, delivery).await;
        };
        let moved =
            LogoutDelivery { url: url.clone(), next_attempt_at: Some(self.now()), ..delivery.clone() };
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.outbox_done(claimed);
                tx.put(moved.clone());
                self.queue_delivery(tx, &moved);
                Ok(())
            })
            .await
    }

    async fn attempt(&self, client: &Client, delivery: &LogoutDelivery) -> Result<Attempt, Error> {
        let jti = domain::id::uuid(self.random());
        let claims =
            LogoutTokenClaims::new(self.issuer(), &delivery.pending, &client.logout, &jti, self.now());
        let token = self.sign(client.signing_algorithm, typ(&client.logout), &claims).await?;
        let body =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
        Ok(judge(self.inner.ports.outbound.post_form(&delivery.url, body).await))
    }

    /// Commits what came of a try, together with its log event.
    async fn settle(
        &self,
        claimed: &Claimed,
        client: &Client,
        delivery: &LogoutDelivery,
        attempt: Attempt,
    ) -> Result<(), Error> {
        let now = self.now();
        let attempts = delivery.attempts.saturating_add(1);
        let with_metadata = self.tenant().await?.include_session_metadata_in_logs;
        let next =
            attempt.next_try(attempts, now, self.chance()).filter(|due| *due <= claimed.entry.expires_at);
        let settled = settled(delivery, &attempt, attempts, now, next);
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let pending = &delivery.pending;
                let event = |kind: EventKind, status: Option<u16>, error: Option<&str>| -> EventDraft {
                    let mut details = json!({
                        "initiator": pending.initiator.as_str(),
                        "request": { "method": "POST", "backchannel_logout_uri": delivery.url },
                        // The schema wants a number: zero where nobody answered.
                        "response": { "statusCode": status.unwrap_or_default() },
                        "trace_id": pending.trace_id,
                        "delivery_id": delivery.id,
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
                tx.put(settled.clone());
                match &attempt {
                    Attempt::Delivered { status } => {
                        tx.outbox_done(claimed);
                        event(EventKind::BackchannelLogout, Some(*status), None).record(tx);
                    }
                    Attempt::Final { status, error } | Attempt::Failed { status, error, .. } => {
                        let event = event(EventKind::BackchannelLogoutFailed, *status, Some(error));
                        if let Some(due_at) = next {
                            tx.outbox_later(claimed, due_at, error);
                            event.says(format!("{error}; next try at {due_at}")).record(tx);
                        } else {
                            tx.outbox_done(claimed);
                            event.says(format!("{error}; given up")).record(tx);
                        }
                    }
                }
                Ok(())
            })
            .await
    }

    /// A number between 0 and 1 that nobody can guess.
    fn chance(&self) -> f64 {
        f64::from(u32::from_be_bytes(self.random())) / f64::from(u32::MAX)
    }
}

impl Attempt {
    /// Whether it says something about the host as a whole: no answer, or one that asks for patience. Other answers,
    /// refusals among them, show that somebody is there.
    fn blames_the_host(&self) -> bool {
        match self {
            Self::Delivered { .. } | Self::Final { .. } => false,
            Self::Failed { status, .. } => status.is_none_or(|status| status == 429 || status >= 500),
        }
    }

    /// When the next try after so many is due, where there is to be one.
    fn next_try(&self, attempts: u32, now: Timestamp, chance: f64) -> Option<Timestamp> {
        match self {
            Self::Delivered { .. } | Self::Final { .. } => None,
            Self::Failed { retry_after, .. } => {
                let asked_ms = retry_after.map(|wish| wish.wait_ms(now));
                Some(now.plus_millis(wait_ms(attempts, asked_ms, chance)))
            }
        }
    }
}

/// The delivery after a try: delivered, due at `next`, or dead.
fn settled(
    delivery: &LogoutDelivery,
    attempt: &Attempt,
    attempts: u32,
    now: Timestamp,
    next: Option<Timestamp>,
) -> LogoutDelivery {
    let tried =
        LogoutDelivery { attempts, attempted_at: Some(now), next_attempt_at: next, ..delivery.clone() };
    match attempt {
        Attempt::Delivered { status } => LogoutDelivery {
            state: DeliveryState::Delivered,
            status: Some(*status),
            delivered_at: Some(now),
            kept_until: Some(now.plus_millis(LOGOUT_DELIVERED_KEEP_MS)),
            ..tried
        },
        Attempt::Final { status, error } | Attempt::Failed { status, error, .. } => LogoutDelivery {
            state: if next.is_some() { DeliveryState::Pending } else { DeliveryState::Dead },
            status: *status,
            failed_at: Some(now),
            failed_status: *status,
            error: Some(error.clone()),
            kept_until: next.is_none().then(|| now.plus_millis(LOGOUT_DEAD_KEEP_MS)),
            ..tried
        },
    }
}

/// Any 2xx is success (SDKs answer 204), 400 is final (§2.8), everything else is tried again: a 404 or a 403 tells of a
/// deployment or a gateway, which somebody may mend within the day, and not of the token.
fn judge(answer: Result<Answer, OutboundError>) -> Attempt {
    match answer {
        Ok(Answer { status, .. }) if (200..300).contains(&status) => Attempt::Delivered { status },
        Ok(Answer { status: 400, .. }) => {
            Attempt::Final { status: Some(400), error: "the client refused the logout token".to_owned() }
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
/// and never less than the client asked for (`Retry-After`, RFC 9110 §10.2.3), up to a bound.
pub(crate) fn wait_ms(attempts: u32, asked_ms: Option<i64>, chance: f64) -> i64 {
    let doubled = LOGOUT_RETRY_FIRST_MS.saturating_mul(1_i64 << attempts.saturating_sub(1).min(20));
    let own = shortened(doubled.min(LOGOUT_RETRY_MS_MAX), chance);
    own.max(asked_ms.unwrap_or(0).min(LOGOUT_RETRY_AFTER_MS_MAX))
}

/// Between half of a wait and all of it, as `chance` (0 to 1) has it.
fn shortened(full_ms: i64, chance: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "an hour is far below 2^52"
    )]
    let own = full_ms / 2 + (full_ms as f64 / 2.0 * chance) as i64;
    own
}

#[cfg(test)]
mod tests {
    use super::{Answer, Attempt, OutboundError, RetryAfter, Timestamp, judge, wait_ms};
    use domain::limits::{LOGOUT_RETRY_AFTER_MS_MAX, LOGOUT_RETRY_MS_MAX};

    #[test]
    fn waits_double_up_to_an_hour_and_honour_the_client() {
        assert_eq!(wait_ms(1, None, 0.0), 1_000);
        assert_eq!(wait_ms(1, None, 1.0), 2_000);
        assert_eq!(wait_ms(4, None, 1.0), 16_000);
        assert_eq!(wait_ms(1000, None, 1.0), LOGOUT_RETRY_MS_MAX);
        assert_eq!(wait_ms(1, Some(60_000), 1.0), 60_000);
        let never = RetryAfter::Seconds(u64::MAX).wait_ms(Timestamp(0));
        assert_eq!(wait_ms(1, Some(never), 1.0), LOGOUT_RETRY_AFTER_MS_MAX);
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
        for (status, blames_the_host) in [(301, false), (404, false), (429, true), (500, true), (503, true)] {
            assert!(matches!(answer(status), Attempt::Failed { .. }), "{status}");
            assert_eq!(answer(status).blames_the_host(), blames_the_host, "{status}");
        }
        assert!(!answer(400).blames_the_host() && !answer(204).blames_the_host());
        assert!(matches!(judge(Err(OutboundError::Timeout(5000))), Attempt::Failed { status: None, .. }));
    }
}

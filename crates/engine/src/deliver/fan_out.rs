//! Makes deliveries of a session that ended: one for each client that wants to hear of it and each of its URLs.
//!
//! The end of the session wrote one entry, however many clients it had
//! (docs/adr/0023-the-end-of-a-session-is-one-entry.md). Each step here is one bounded commit that adds deliveries and
//! shortens the entry by the clients that they are for: a process that dies in between loses none and
//! makes none twice.

use std::collections::HashSet;

use domain::client::Client;
use domain::event::EventKind;
use domain::id::{ClientId, LogoutDeliveryId, alphanumeric};
use domain::limits::{CLIENT_LOGOUT_URLS_MAX, LOGOUT_FAN_OUT_STEP, LOGOUT_RETRY_TOTAL_MS, OUTBOX_LEASE_MS};
use domain::logout_delivery::{EndedSession, LogoutDelivery};
use domain::time::Timestamp;
use serde_json::json;
use store::{Claimed, Key, NewOutboxEntry, Tx};

use super::OUTBOX_DELIVERY;
use crate::sign_out::OUTBOX_LOGOUT;
use crate::{Engine, Error, RequestFacts};

/// Ended sessions that one call takes a step with.
const ENDED_SESSIONS_MAX: usize = 16;
/// Rows of a delivery with its entry, their index entries, and what is expected of them.
const ROWS_PER_DELIVERY: usize = 10;

const _: () = assert!(
    ROWS_PER_DELIVERY * (LOGOUT_FAN_OUT_STEP + CLIENT_LOGOUT_URLS_MAX) < store::limits::BATCH_ROWS_MAX,
    "one step fits a commit, whatever its last client adds"
);

impl Engine {
    /// Takes a step with each of some ended sessions. Answers how many: zero means that none waits.
    ///
    /// # Errors
    /// Whatever the store answers. What was claimed and not committed is taken up when its lease runs out.
    pub async fn fan_out_logouts(&self) -> Result<usize, Error> {
        let node = &self.inner.settings.node;
        let claimed = self
            .store()
            .outbox_claim(OUTBOX_LOGOUT, self.now(), OUTBOX_LEASE_MS, node, ENDED_SESSIONS_MAX)
            .await?;
        let mut failure = None;
        for entry in &claimed {
            if let Err(error) = self.fan_out_step(entry).await {
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(claimed.len()), Err)
    }

    async fn fan_out_step(&self, claimed: &Claimed) -> Result<(), Error> {
        let ended: EndedSession = match serde_json::from_value(claimed.entry.body.clone()) {
            Ok(ended) => ended,
            Err(error) => {
                return self.bury(claimed, &format!("an ended session does not decode: {error}")).await;
            }
        };
        let next: Vec<ClientId> = ended.clients().take(LOGOUT_FAN_OUT_STEP).cloned().collect();
        let keys: Vec<Key> = next.iter().map(Key::of).collect();
        let clients = self.store().get_many::<Client>(&keys).await?;
        let (mut looked_at, mut deliveries) = (0, Vec::new());
        for client in clients {
            if deliveries.len() >= LOGOUT_FAN_OUT_STEP {
                break;
            }
            looked_at += 1;
            if let Some(client) = client.filter(|client| client.logout.wants(ended.initiator)) {
                self.add_deliveries(&mut deliveries, &client, &ended, claimed.entry.expires_at);
            }
        }
        let rest: Vec<ClientId> = ended.clients().skip(looked_at).cloned().collect();
        let is_done = rest.is_empty();
        let rest =
            serde_json::to_value(ended.with_rest(rest)).map_err(|error| Error::Bug(error.to_string()))?;
        let now = self.now();
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                for delivery in &deliveries {
                    tx.insert(delivery.clone());
                    self.queue_delivery(tx, delivery);
                }
                if is_done {
                    tx.outbox_done(claimed);
                } else {
                    tx.outbox_rest(claimed, now, rest.clone());
                }
                Ok(())
            })
            .await
    }

    fn add_deliveries(
        &self,
        deliveries: &mut Vec<LogoutDelivery>,
        client: &Client,
        ended: &EndedSession,
        expires_at: Timestamp,
    ) {
        let mut seen = HashSet::new();
        for url in client.logout.urls.iter().filter(|url| seen.insert(url.as_str())) {
            let pending = ended.pending(&client.id);
            let id = self.logout_delivery_id();
            deliveries.push(LogoutDelivery::new(id, pending, url, self.now(), expires_at));
        }
    }

    /// Has a pending delivery tried as soon as its host has a place.
    pub(crate) fn queue_delivery(&self, tx: &mut Tx, delivery: &LogoutDelivery) {
        let entry = NewOutboxEntry {
            id: domain::id::uuid(self.random()),
            kind: OUTBOX_DELIVERY.to_owned(),
            subject: delivery.pending.client_id.to_string(),
            due_at: self.now(),
            expires_at: delivery.expires_at,
            body: json!({ "delivery_id": delivery.id }),
        };
        tx.outbox_add_in_lane(&origin_of(&delivery.url), entry);
    }

    /// When a delivery that is queued now is given up.
    pub(crate) fn delivery_expires_at(&self) -> Timestamp {
        self.now().plus_millis(LOGOUT_RETRY_TOTAL_MS)
    }

    /// An identifier that sorts by time: `ldl_`, seventeen digits of calendar time, and 16 alphanumerics.
    fn logout_delivery_id(&self) -> LogoutDeliveryId {
        let digits: String = self.now().to_string().chars().filter(char::is_ascii_digit).collect();
        LogoutDeliveryId::new(format!("ldl_{digits}{}", alphanumeric(&self.random::<16>())))
    }

    /// Gives up on an entry that nobody can work on, however often it is tried.
    pub(super) async fn bury(&self, claimed: &Claimed, error: &str) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.outbox_dead(claimed, error);
                self.event(EventKind::BackchannelLogoutFailed, &RequestFacts::default())
                    .says(format!("{error}; given up"))
                    .details(json!({
                        "initiator": "",
                        "request": { "method": "POST", "backchannel_logout_uri": "" },
                        "response": { "statusCode": 0 },
                        "errors": [error],
                    }))
                    .record(tx);
                Ok(())
            })
            .await
    }
}

/// Scheme, host and port: what deliveries compete for, and what fails as a whole.
pub(crate) fn origin_of(url: &str) -> String {
    url::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::origin_of;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert_eq!(origin_of("https://RP.example:443/a?b"), "https://rp.example");
        assert_eq!(origin_of("http://rp.example:8080/"), "http://rp.example:8080");
        assert_eq!(origin_of("no url"), "no url");
    }
}

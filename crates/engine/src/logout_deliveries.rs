//! Deliveries of logout tokens as the Management API sees them: list, read, send again; and how a client's URLs fare.
//!
//! Ours: Auth0 has nothing like it. What delivers them is [`crate::deliver`].

use std::collections::BTreeMap;

use domain::client::Client;
use domain::id::{ClientId, LogoutDeliveryId, SessionId, UserId};
use domain::logout_delivery::{DeliveryState, LogoutDelivery};
use domain::time::Timestamp;
use store::tables::logout_delivery_key;
use store::{Key, Order};

pub use crate::deliver::hosts::Circuit;
use crate::deliver::origin_of;
use crate::listing::{LIST_SCAN_RECORDS_MAX, Listing, Slice, Source};
use crate::users::refuse_far_offset;
use crate::{ApiCall, Engine, Error, Resource};

/// The newest deliveries of a client that are looked at for the last success and failure of its URLs. Ours.
const RECENT_MAX: usize = 1_000;

/// Which deliveries are listed.
#[derive(Debug, Clone, Default)]
pub struct LogoutDeliveryFilter {
    /// Those to this client.
    pub client_id: Option<ClientId>,
    /// Those of this session.
    pub session_id: Option<SessionId>,
    /// Those of this user's sessions.
    pub user_id: Option<UserId>,
    /// Those in this state.
    pub state: Option<DeliveryState>,
    /// Those of the pending ones that wait because their host's circuit is open.
    pub deferred: bool,
}

/// How a client's logout URLs fare.
#[derive(Debug, Clone, PartialEq)]
pub struct LogoutHealth {
    /// The client.
    pub client_id: ClientId,
    /// Each URL that it has now, and each that something still waits for or was given up for.
    pub urls: BTreeMap<String, UrlHealth>,
    /// Whether there were too many to count: then the numbers are what was counted so far.
    pub is_cut: bool,
}

/// How one URL fares.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UrlHealth {
    /// Whether the client still has it.
    pub is_registered: bool,
    /// What this node knows of the host.
    pub circuit: Circuit,
    /// Deliveries that wait.
    pub pending: usize,
    /// Deliveries that were given up and are not forgotten yet.
    pub dead: usize,
    /// When the oldest that waits was made.
    pub oldest_pending_at: Option<Timestamp>,
    /// When the client took one last.
    pub last_success_at: Option<Timestamp>,
    /// When a try failed last.
    pub last_failure_at: Option<Timestamp>,
    /// What it was answered, if it was answered.
    pub last_failure_status: Option<u16>,
    /// What went wrong.
    pub last_error: Option<String>,
}

impl Engine {
    /// Some of the deliveries, newest first. Those in one state that is not open are found among the newest.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a checkpoint that is none, or a slice past the first thousand.
    pub async fn logout_deliveries(
        &self,
        slice: &Slice,
        filter: &LogoutDeliveryFilter,
    ) -> Result<Listing<LogoutDelivery>, Error> {
        refuse_far_offset(slice)?;
        self.list(filter.source(), slice, |delivery| filter.keeps(delivery, self)).await
    }

    /// One delivery.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn logout_delivery(&self, id: &LogoutDeliveryId) -> Result<LogoutDelivery, Error> {
        let delivery = self.store().get(&logout_delivery_key(id)).await?;
        delivery.ok_or(Error::NotFound(Resource::LogoutDelivery))
    }

    /// Sends a delivery again that arrived, was given up or dropped: as a new one, but under its identifier.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] where it waits anyway, or where the client does not want it any more.
    pub async fn redeliver_logout(
        &self,
        call: &ApiCall,
        id: &LogoutDeliveryId,
    ) -> Result<LogoutDelivery, Error> {
        let conflict = |message: &str| Error::Conflict { message: message.to_owned() };
        let now = self.now();
        let delivery = self
            .store()
            .transact(async |tx| -> Result<LogoutDelivery, Error> {
                let delivery = tx.get::<LogoutDelivery>(&logout_delivery_key(id)).await?;
                let delivery = delivery.ok_or(Error::NotFound(Resource::LogoutDelivery))?;
                if delivery.state == DeliveryState::Pending {
                    return Err(conflict("The delivery is pending: it is tried again by itself."));
                }
                let client = tx.get::<Client>(&Key::of(&delivery.pending.client_id)).await?;
                let wants = |client: &Client| {
                    client.logout.wants(delivery.pending.initiator)
                        && client.logout.urls.contains(&delivery.url)
                };
                if !client.as_ref().is_some_and(wants) {
                    return Err(conflict("The client does not ask for this at this URL any more."));
                }
                let again = LogoutDelivery {
                    state: DeliveryState::Pending,
                    attempts: 0,
                    expires_at: self.delivery_expires_at(),
                    next_attempt_at: Some(now),
                    kept_until: None,
                    ..delivery
                };
                tx.put(again.clone());
                self.queue_delivery(tx, &again);
                self.record_api(tx, call, "Redeliver a logout token", 202);
                Ok(again)
            })
            .await?;
        self.inner.hosts.probe_now(&origin_of(&delivery.url), now);
        self.logouts_may_wait();
        Ok(delivery)
    }

    /// Whether a delivery waits because its host's circuit is open, as this node sees it.
    pub fn is_deferred(&self, delivery: &LogoutDelivery) -> bool {
        delivery.state == DeliveryState::Pending && self.circuit_of(&delivery.url).probe_at.is_some()
    }

    /// How a client's logout URLs fare.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such client.
    pub async fn logout_health(&self, client_id: &ClientId) -> Result<LogoutHealth, Error> {
        let client = self.client(client_id).await?;
        let mut health = LogoutHealth { client_id: client_id.clone(), urls: BTreeMap::new(), is_cut: false };
        for url in client.logout.urls {
            health.urls.entry(url).or_default().is_registered = true;
        }
        for state in DeliveryState::ALL.into_iter().filter(|state| state.is_open()) {
            let of_state = Key::of((client_id, state.as_str()));
            let source = Source { order: Order::Descending, ..Source::index("open", of_state) };
            let slice = Slice::Checkpoint { from: None, take: LIST_SCAN_RECORDS_MAX };
            let found = self.list::<LogoutDelivery>(source, &slice, |_| true).await?;
            health.is_cut |= found.next.is_some();
            found.items.iter().for_each(|delivery| health.count(delivery));
        }
        let newest = self
            .store()
            .page::<LogoutDelivery>(Some("client"), &Key::of(client_id), None, RECENT_MAX, Order::Descending)
            .await?;
        newest.items.iter().for_each(|delivery| health.remember(delivery));
        for (url, of_url) in &mut health.urls {
            of_url.circuit = self.circuit_of(url);
        }
        Ok(health)
    }

    fn circuit_of(&self, url: &str) -> Circuit {
        self.inner.hosts.circuit(&origin_of(url))
    }
}

impl LogoutDeliveryFilter {
    /// The index that holds the fewest others.
    fn source(&self) -> Source {
        let open = self.state.filter(|state| state.is_open()).map(DeliveryState::as_str);
        let (index, prefix, sharded) = match (&self.session_id, &self.client_id, open) {
            (Some(session), Some(client), _) => (Some("session"), Key::of((session, client)), false),
            (Some(session), None, _) => (Some("session"), Key::of(session), false),
            (None, Some(client), Some(open)) => (Some("open"), Key::of((client, open)), false),
            (None, Some(client), None) => (Some("client"), Key::of(client), false),
            (None, None, Some(open)) => (Some("state"), Key::of(open), true),
            (None, None, None) => (None, Key::all(), true),
        };
        Source { index, prefix, order: Order::Descending, sharded }
    }

    fn keeps(&self, delivery: &LogoutDelivery, engine: &Engine) -> bool {
        let pending = &delivery.pending;
        self.client_id.as_ref().is_none_or(|id| *id == pending.client_id)
            && self.session_id.as_ref().is_none_or(|id| *id == pending.session_id)
            && self.user_id.as_ref().is_none_or(|id| *id == pending.user_id)
            && self.state.is_none_or(|state| state == delivery.state)
            && (!self.deferred || engine.is_deferred(delivery))
    }
}

impl LogoutHealth {
    /// Counts one that waits or was given up.
    fn count(&mut self, delivery: &LogoutDelivery) {
        let of_url = self.urls.entry(delivery.url.clone()).or_default();
        match delivery.state {
            DeliveryState::Pending => {
                of_url.pending += 1;
                let made_at =
                    of_url.oldest_pending_at.map_or(delivery.created_at, |at| at.min(delivery.created_at));
                of_url.oldest_pending_at = Some(made_at);
                self.remember(delivery);
            }
            DeliveryState::Dead => {
                of_url.dead += 1;
                self.remember(delivery);
            }
            DeliveryState::Delivered | DeliveryState::Dropped => {}
        }
    }

    /// Takes note of what came of it, where its URL is one that is told of.
    fn remember(&mut self, delivery: &LogoutDelivery) {
        let Some(of_url) = self.urls.get_mut(&delivery.url) else { return };
        of_url.last_success_at = of_url.last_success_at.max(delivery.delivered_at);
        if delivery.failed_at > of_url.last_failure_at {
            of_url.last_failure_at = delivery.failed_at;
            of_url.last_failure_status = delivery.failed_status;
            of_url.last_error.clone_from(&delivery.error);
        }
    }
}

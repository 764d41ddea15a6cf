//! Whom the browser itself tells of a sign-out: clients of its session that registered a page for that.
//!
//! Spec: OIDC Front-Channel Logout 1.0 §2. It comes on top of logout tokens, which reach clients for sure; a browser can be
//! closed, and may keep a client's cookies out of frames.

use domain::client::Client;
use domain::limits::FRONT_CHANNEL_CLIENTS_MAX;
use domain::session::Session;
use protocol::front_channel_logout::frame_url;
use store::Key;

use crate::{Engine, Error};

impl Engine {
    /// What the browser is to load, at most [`FRONT_CHANNEL_CLIENTS_MAX`]: only so many clients are looked at, the
    /// newest of the session, so that the largest sessions cost no more.
    pub(super) async fn frames_of(&self, session: &Session) -> Result<Vec<String>, Error> {
        let newest = session.clients.iter().rev().take(FRONT_CHANNEL_CLIENTS_MAX);
        let keys: Vec<Key> = newest.map(Key::of).collect();
        let clients = self.store().get_many::<Client>(&keys).await?;
        let registered = clients.into_iter().flatten().filter_map(|client| client.logout.front_channel);
        Ok(registered.map(|found| frame_url(&found.uri, self.issuer(), &session.id)).collect())
    }
}

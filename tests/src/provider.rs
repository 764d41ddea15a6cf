//! A second server that users of the first one come from: an OpenID provider with people of its own.

use serde_json::{Value, json};

use crate::app::App;
use crate::browser::{Browser, Callback};
use crate::reply::Reply;
use crate::server::{Server, User};
use crate::store::{Place, Store};

/// The connection's name in the first server.
pub const CONNECTION: &str = "partner";

/// The second server, and the first one as a client of it.
pub struct Provider {
    /// The second server.
    pub server: Server,
    /// The first server as its client.
    pub client: App,
    /// Somebody who can sign in there.
    pub user: User,
    place: Place,
}

impl Provider {
    /// Starts it, and registers the first server there.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn of(first: &Server) -> Self {
        let place = Place::new(Store::Sqlite).expect("SQLite is always there");
        let server = Server::start(&place, &[]).await;
        let issuer = first.wire.issuer();
        let settings = json!({
            "callbacks": [format!("{issuer}login/callback")],
            "allowed_logout_urls": [format!("{issuer}logout/callback")],
            "oidc_logout": {
                "backchannel_logout_urls": [format!("{issuer}logout/backchannel/{CONNECTION}")],
                "backchannel_logout_initiators": { "mode": "all" },
            },
        });
        let client = server.app_with("First", settings).await;
        let user =
            server.user_with("pat@partner.example", json!({ "email_verified": true, "name": "Pat" })).await;
        Self { server, client, user, place }
    }

    /// The options of a connection to it.
    pub fn options(&self) -> Value {
        json!({
            "type": "back_channel", "issuer": self.server.wire.issuer(),
            "client_id": self.client.id, "client_secret": self.client.secret,
        })
    }

    /// Makes a connection to it in the first server, for these applications.
    pub async fn connect(&self, first: &Server, apps: &[&App], more: Value) -> Value {
        let mut options = self.options();
        options.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let clients: Vec<&str> = apps.iter().map(|app| app.id.as_str()).collect();
        let body = json!({
            "name": CONNECTION, "strategy": "oidc", "display_name": "Partner Inc.", "options": options,
            "enabled_clients": clients,
        });
        first.api().post("connections", &body).await.expect(201).json()
    }

    /// What brings a browser back to the first server, once the user has signed in at the address it was sent to.
    ///
    /// # Panics
    /// When the provider does not send it back.
    pub async fn sign_in(&self, browser: &Browser, sent_to: &Reply) -> Reply {
        let address = sent_to.location().expect("a way to the provider");
        assert!(address.as_str().starts_with(&format!("{}/authorize", self.server.wire.url)), "{address}");
        let page = browser.get(address.as_str()).await;
        match page.location() {
            Some(_) => page,
            None => browser.enter(&page, &self.user.email, &self.user.password).await,
        }
    }

    /// The whole way: from an application through the provider and back to the application.
    ///
    /// # Panics
    /// When somebody is in the way.
    pub async fn pass(&self, ours: &Browser, theirs: &Browser, url: &str) -> Callback {
        let sent = ours.get(url).await;
        let back = self.sign_in(theirs, &sent).await;
        ours.callback(&ours.get(back.location().expect("a way back").as_str()).await)
    }

    /// Stops it and clears up.
    pub async fn stop(mut self) {
        self.server.stop().await;
        self.place.clear().await;
    }
}

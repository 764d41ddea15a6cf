//! The post-change-password trigger: Actions that are told, afterwards, that a user has a new password.
//!
//! Auth0: Actions › post-change-password.

use domain::action::TRIGGER_POST_CHANGE_PASSWORD;
use domain::connection::Connection;
use domain::id::ActionId;
use domain::user::User;
use sandbox::post_change_password as js;
use sandbox::post_login::Tenant;
use store::{Key, Tx};

use crate::actions::queue::Afterwards;
use crate::sign_in::event;
use crate::{Engine, Error, RequestFacts};

impl Afterwards for js::Event {
    const TRIGGER: &'static str = TRIGGER_POST_CHANGE_PASSWORD;
    const HANDLER: &'static str = js::HANDLER;

    fn with_secrets(self, secrets: sandbox::Secrets) -> sandbox::Event {
        sandbox::Event::PostChangePassword(Box::new(Self { secrets, ..self }))
    }
}

impl Engine {
    /// Queues what is bound, in the unit of work that changes the password.
    pub(crate) async fn queue_password_changed(
        &self,
        tx: &mut Tx,
        user: &User,
        facts: &RequestFacts,
    ) -> Result<Option<ActionId>, Error> {
        if !self.is_bound::<js::Event>(tx).await? {
            return Ok(None);
        }
        let connection = match user.identities.first() {
            Some(identity) => tx.get::<Connection>(&Key::of(&identity.connection_id)).await?,
            None => None,
        };
        let event = js::Event {
            // A connection with users cannot be deleted, so there is one.
            connection: connection.as_ref().map(event::connection).unwrap_or_default(),
            request: event::request(facts, &[], &[]),
            secrets: sandbox::Secrets::default(),
            tenant: Tenant { id: self.inner.settings.tenant.clone() },
            user: js::User {
                user_id: user.id.to_string(),
                email: user.email.clone(),
                email_verified: user.email_verified,
                username: user.username.clone(),
                phone_number: user.phone_number.clone(),
                phone_verified: user.phone_number.as_ref().map(|_| user.phone_verified),
                last_password_reset: user.last_password_reset.map(|at| at.to_string()),
            },
        };
        self.queue_actions(tx, &event, user, None, facts).map(Some)
    }
}

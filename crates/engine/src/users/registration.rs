//! The pre-user-registration trigger: Actions that refuse someone who is about to become a user, or prepare them.
//!
//! Auth0: Actions › pre-user-registration.

use domain::action::TRIGGER_PRE_USER_REGISTRATION;
use domain::client::Client;
use domain::connection::Connection;
use domain::event::EventKind;
use domain::user::User;
use sandbox::post_login::Tenant;
use sandbox::pre_user_registration::{self as js, HANDLER};

use crate::actions::run::{Stage, TriggerRun};
use crate::sign_in::commands::{Effects, Ending};
use crate::sign_in::event;
use crate::{Engine, Error, RequestFacts};

/// What people are told when an Action gave no words for them.
const REFUSED: &str = "Signing up is not possible.";

struct RegistrationStage<'a> {
    client: Option<&'a Client>,
    connection: &'a Connection,
    before: &'a User,
    user: User,
    tenant_id: &'a str,
    facts: &'a RequestFacts,
}

impl Stage for RegistrationStage<'_> {
    const TRIGGER: &'static str = TRIGGER_PRE_USER_REGISTRATION;
    const HANDLER: &'static str = HANDLER;

    fn event(&self, _: &Effects, secrets: sandbox::Secrets) -> sandbox::Event {
        let user = &self.user;
        let event = js::Event {
            client: self.client.map(event::client),
            connection: event::connection(self.connection),
            request: event::request(self.facts, &[], &[]),
            secrets,
            tenant: Tenant { id: self.tenant_id.to_owned() },
            user: js::User {
                email: user.email.clone(),
                username: user.username.clone(),
                phone_number: user.phone_number.clone(),
                name: user.name.clone(),
                nickname: user.nickname.clone(),
                given_name: user.given_name.clone(),
                family_name: user.family_name.clone(),
                picture: user.picture.clone(),
                app_metadata: user.app_metadata.clone(),
                user_metadata: user.user_metadata.clone(),
            },
        };
        sandbox::Event::PreUserRegistration(Box::new(event))
    }

    fn absorb(&mut self, effects: &Effects) -> Result<(), String> {
        let mut user = self.before.clone();
        if !effects.apply_to_user(&mut user) {
            return Err("The metadata of the user is too large.".to_owned());
        }
        self.user = user;
        Ok(())
    }
}

/// What the Actions made of a registration.
pub(crate) enum Registration {
    /// The user as they are to be, and the run to be recorded with them.
    Allowed { user: Box<User>, run: Box<TriggerRun> },
    /// Refused and recorded; the sentence is for the user.
    Refused { user_message: String },
}

impl Engine {
    /// Runs what is bound, before anything is stored.
    pub(crate) async fn run_registration_actions(
        &self,
        client: Option<&Client>,
        connection: &Connection,
        before: &User,
        facts: &RequestFacts,
    ) -> Result<Registration, Error> {
        let tenant_id = &self.inner.settings.tenant;
        let user = before.clone();
        let mut stage = RegistrationStage { client, connection, before, user, tenant_id, facts };
        let run = self.run_trigger(&mut stage).await?;
        let Some(ending) = &run.effects.ending else {
            return Ok(Registration::Allowed { user: Box::new(stage.user), run: Box::new(run) });
        };
        let (reason, user_message) = match ending {
            Ending::Denied { description, user_message, .. } => (description, user_message.as_ref()),
            Ending::Revoked { reason, .. } | Ending::RefreshTokenRevoked { reason } => (reason, None),
        };
        let user_message = match user_message {
            Some(message) => message.clone(),
            // What a failed script threw is for the log.
            None => REFUSED.to_owned(),
        };
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let mut event = self.event(EventKind::SignUpFailed, facts).connection(connection);
                if let Some(client) = client {
                    event = event.client(client);
                }
                if let Some(name) = before.email.as_deref().or(before.username.as_deref()) {
                    event = event.user_name(name);
                }
                event.says(reason.clone()).record(tx);
                self.record_run(tx, &run, client, None, facts);
                Ok(())
            })
            .await?;
        Ok(Registration::Refused { user_message })
    }
}

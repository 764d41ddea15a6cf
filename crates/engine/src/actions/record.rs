//! Writes down what Actions did and asked for, in the unit of work of the thing that they ran for.

use domain::client::Client;
use domain::event::EventKind;
use domain::id::UserId;
use domain::user::User;
use store::{Key, Tx};

use super::run::TriggerRun;
use crate::sign_in::commands::{Effects, Ending};
use crate::{Engine, Error, RequestFacts};

impl Engine {
    /// Keeps the execution and, where an Action failed, its log event.
    pub(crate) fn record_run<'run>(
        &self,
        tx: &mut Tx,
        run: &TriggerRun,
        client: impl Into<Option<&'run Client>>,
        user_id: Option<&UserId>,
        facts: &RequestFacts,
    ) {
        if let (Some(failed), Some(Ending::Denied { description, .. })) = (&run.failed, &run.effects.ending) {
            let mut event = self.event(EventKind::ActionsFailed, facts);
            if let Some(client) = client.into() {
                event = event.client(client);
            }
            if let Some(user_id) = user_id {
                event = event.user_id(user_id.as_str());
            }
            event.says(description.clone()).details(failed.details(run.execution_id())).record(tx);
        }
        if let Some(execution) = &run.execution {
            tx.insert(execution.clone());
        }
    }

    /// Merges what Actions asked for into the newest user; what grew too large is left out, with a warning.
    pub(crate) async fn write_user_metadata(
        &self,
        tx: &mut Tx,
        user_id: &UserId,
        effects: &Effects,
        client: &Client,
        facts: &RequestFacts,
    ) -> Result<(), Error> {
        if !effects.touches_user() {
            return Ok(());
        }
        let Some(mut user) = tx.get::<User>(&Key::of(user_id)).await? else { return Ok(()) };
        if effects.apply_to_user(&mut user) {
            user.updated_at = self.now();
            tx.put(user);
            return Ok(());
        }
        self.event(EventKind::Warning, facts)
            .user(&user)
            .client(client)
            .says("User metadata set by an Action is too large and was not saved")
            .record(tx);
        Ok(())
    }
}

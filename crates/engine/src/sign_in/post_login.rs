//! The post-login trigger of a sign-in with a browser.
//!
//! Auth0: Actions › post-login.

use domain::action::TRIGGER_POST_LOGIN;
use domain::session::Session;
use domain::time::Timestamp;
use sandbox::post_login::HANDLER;
use serde_json::{Map, Value};

use super::commands::Effects;
use super::{Origin, Working, event};
use crate::actions::run::{Stage, TriggerRun};
use crate::{Engine, Error, RequestFacts};

/// What goes before the reason when a metadata write is refused at the commit (Auth0: `api.session.setMetadata`).
pub(crate) const METADATA_REFUSED: &str = "Failed to set session metadata: Invalid metadata: ";
/// The same for a refresh token's.
pub(crate) const REFRESH_TOKEN_METADATA_REFUSED: &str =
    "Failed to set refresh token metadata: Invalid metadata: ";

struct SignInStage<'a> {
    working: &'a mut Working,
    before: Session,
    tenant_id: &'a str,
    facts: &'a RequestFacts,
    now: Timestamp,
}

impl Stage for SignInStage<'_> {
    const TRIGGER: &'static str = TRIGGER_POST_LOGIN;
    const HANDLER: &'static str = HANDLER;

    fn event(&self, effects: &Effects, secrets: sandbox::Secrets) -> sandbox::Event {
        let mut event = event::build(self.working, self.tenant_id, &effects.transaction_metadata, self.facts);
        event.secrets = secrets;
        event.into()
    }

    fn absorb(&mut self, effects: &Effects) -> Result<(), String> {
        let mut session = self.before.clone();
        let is_new = matches!(self.working.origin, Origin::New { .. });
        let applied = effects.apply_to_session(&mut session, &self.working.tenant, is_new, self.now);
        applied.map_err(|error| format!("{METADATA_REFUSED}{error}"))?;
        effects.refresh_token_wishes().map_err(|error| format!("{REFRESH_TOKEN_METADATA_REFUSED}{error}"))?;
        self.working.session = session;
        Ok(())
    }
}

impl Engine {
    /// Runs what is bound. `working` changes only in what later Actions may see of earlier ones.
    pub(crate) async fn run_post_login(
        &self,
        working: &mut Working,
        facts: &RequestFacts,
    ) -> Result<TriggerRun, Error> {
        let before = working.session.clone();
        let tenant_id = &self.inner.settings.tenant;
        self.run_trigger(&mut SignInStage { working, before, tenant_id, facts, now: self.now() }).await
    }
}

/// The claims that Actions may set: those of the Actions only, ready for the grant.
pub(crate) fn custom_claims(effects: &Effects) -> (Map<String, Value>, Map<String, Value>) {
    (effects.id_token_claims.clone(), effects.access_token_claims.clone())
}

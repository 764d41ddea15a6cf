//! The post-login trigger of a sign-in with a browser.
//!
//! Auth0: Actions › post-login.

use domain::action::TRIGGER_POST_LOGIN;
use domain::session::Session;
use domain::sign_in::Prompt;
use domain::time::Timestamp;
use sandbox::post_login::{CONTINUE_HANDLER, HANDLER};
use serde_json::{Map, Value};

use super::commands::Effects;
use super::{Working, event};
use crate::actions::progress::Progress;
use crate::actions::run::{Stage, TriggerRun};
use crate::{Engine, Error, RequestFacts};

/// What goes before the reason when a metadata write is refused at the commit (Auth0: `api.session.setMetadata`).
pub(crate) const METADATA_REFUSED: &str = "Failed to set session metadata: Invalid metadata: ";
/// The same for a refresh token's.
pub(crate) const REFRESH_TOKEN_METADATA_REFUSED: &str =
    "Failed to set refresh token metadata: Invalid metadata: ";

pub(super) struct SignInStage<'a> {
    pub(super) working: &'a mut Working,
    /// The session without what Actions asked for.
    pub(super) before: Session,
    /// Names of the user's roles.
    pub(super) roles: Vec<String>,
    tenant_id: &'a str,
    pub(super) facts: &'a RequestFacts,
    now: Timestamp,
}

impl Stage for SignInStage<'_> {
    const TRIGGER: &'static str = TRIGGER_POST_LOGIN;
    const HANDLER: &'static str = HANDLER;
    const CONTINUE_HANDLER: &'static str = CONTINUE_HANDLER;

    fn event(&self, effects: &Effects, secrets: sandbox::Secrets) -> sandbox::Event {
        let mut event = event::build(
            self.working,
            &self.roles,
            self.tenant_id,
            &effects.transaction_metadata,
            self.facts,
        );
        event.secrets = secrets;
        event.into()
    }

    fn absorb(&mut self, effects: &Effects) -> Result<(), String> {
        let mut session = self.before.clone();
        let is_new = self.working.is_new();
        let applied = effects.apply_to_session(&mut session, &self.working.tenant, is_new, self.now);
        applied.map_err(|error| format!("{METADATA_REFUSED}{error}"))?;
        effects.refresh_token_wishes().map_err(|error| format!("{REFRESH_TOKEN_METADATA_REFUSED}{error}"))?;
        self.working.session = session;
        Ok(())
    }

    async fn settle(&mut self, engine: &Engine, effects: &Effects) -> Result<Result<(), String>, Error> {
        self.become_primary_user(engine, effects).await
    }

    fn can_redirect(&self) -> bool {
        !self.working.request.asks(Prompt::None)
    }
}

impl Engine {
    /// Runs what is bound and is still to run. `working` changes only in what later Actions may see of earlier ones;
    /// beside the run, the answer is the session without what they asked for.
    pub(crate) async fn run_post_login(
        &self,
        working: &mut Working,
        progress: Progress,
        facts: &RequestFacts,
    ) -> Result<(TriggerRun, Session), Error> {
        let before = working.session.clone();
        let tenant_id = &self.inner.settings.tenant;
        let organization = working.organization.as_ref().map(|found| &found.id);
        let roles = self.access_of(&working.user.id, organization).await?.role_names();
        let mut stage = SignInStage { working, before, roles, tenant_id, facts, now: self.now() };
        let run = self.run_trigger_from(&mut stage, progress).await?;
        Ok((run, stage.before))
    }
}

/// The claims that Actions may set: those of the Actions only, ready for the grant.
pub(crate) fn custom_claims(effects: &Effects) -> (Map<String, Value>, Map<String, Value>) {
    (effects.id_token_claims.clone(), effects.access_token_claims.clone())
}

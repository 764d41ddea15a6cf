//! Scripts of the tenant: kept as drafts, frozen by a deploy, bound to a trigger.
//!
//! Auth0: customize › Actions.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::action::{ActionVersion, Binding, TriggerBindings};
use store::Key;

use crate::{Engine, Error};

const SECRET_PURPOSE: &str = "action.secret";

/// An Action that is to run: what was frozen, with its secrets readable.
#[derive(Debug, Clone)]
pub(crate) struct BoundAction {
    /// Why it runs.
    pub(crate) binding: Binding,
    /// What runs.
    pub(crate) version: Arc<ActionVersion>,
    /// `event.secrets`.
    pub(crate) secrets: BTreeMap<String, String>,
}

impl Engine {
    /// What runs at a trigger, in order: one read of the bindings and, where there are any, one of the versions.
    pub(crate) async fn bound_actions(&self, trigger: &str) -> Result<Vec<BoundAction>, Error> {
        let Some(bound) = self.store().get::<TriggerBindings>(&Key::of(trigger)).await? else {
            return Ok(Vec::new());
        };
        let keys: Vec<Key> = bound.bindings.iter().map(|binding| Key::of(&binding.version_id)).collect();
        let versions = self.store().get_many::<ActionVersion>(&keys).await?;
        let mut actions = Vec::with_capacity(keys.len());
        for (binding, version) in bound.bindings.into_iter().zip(versions) {
            // A deploy that prunes old versions moves the binding in the same commit, but this is two reads.
            let version = match version {
                Some(version) => version,
                None => self.deployed_version(&binding).await?,
            };
            let secrets = self.unseal_secrets(&version)?;
            actions.push(BoundAction { binding, version: Arc::new(version), secrets });
        }
        Ok(actions)
    }

    /// The version that runs now, found through the Action itself.
    async fn deployed_version(&self, binding: &Binding) -> Result<ActionVersion, Error> {
        let gone = || Error::Unavailable(format!("binding {} names an Action that is being removed", binding.id));
        let action = self.store().get::<domain::action::Action>(&Key::of(&binding.action_id)).await?;
        let version_id = action.and_then(|action| action.deployed_version).ok_or_else(gone)?;
        self.store().get::<ActionVersion>(&Key::of(&version_id)).await?.ok_or_else(gone)
    }

    fn unseal_secrets(&self, version: &ActionVersion) -> Result<BTreeMap<String, String>, Error> {
        let mut secrets = BTreeMap::new();
        for secret in &version.source.secrets {
            let plain = self.store().unseal(SECRET_PURPOSE, &secret.value)?;
            let text = String::from_utf8(plain)
                .map_err(|_| Error::Bug(format!("secret {} of {} is no text", secret.name, version.action_name)))?;
            secrets.insert(secret.name.clone(), text);
        }
        Ok(secrets)
    }
}

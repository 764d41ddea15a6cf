//! Scripts of the tenant: kept as drafts, frozen by a deploy, bound to a trigger.
//!
//! Auth0: customize › Actions.

mod bind;
mod build;
pub(crate) mod cache;
mod changes;
mod dependencies;
mod deploy;
mod library;
pub mod local;
mod module_changes;
mod module_use;
mod module_versions;
mod modules;
pub(crate) mod node;
pub(crate) mod progress;
pub(crate) mod queue;
mod record;
mod recorded_event;
pub(crate) mod run;
mod test_run;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::action::{
    Action, ActionSecret, ActionSource, ActionVersion, Binding, Execution, TRIGGERS, Trigger, TriggerBindings,
};
use domain::id::{ActionId, uuid};
use domain::limits::ACTIONS_MAX;
use store::{Key, Order, Tx};

pub use self::bind::{BindingRef, NewBinding};
pub use self::changes::{ActionChanges, SecretChange};
pub use self::module_changes::{ModuleChanges, ModuleChoice};
pub use self::modules::{ModuleUser, ModuleView};
pub use self::queue::QueuedRun;
pub use self::test_run::{TestInput, TestRun};
use crate::listing::{Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

const SECRET_PURPOSE: &str = "action.secret";
/// What scripts are told they run on, when they do not say. Auth0: Actions, runtime.
pub const RUNTIME_DEFAULT: &str = "node22";
/// Versions deleted in one commit with their Action.
const VERSIONS_STEP: usize = 100;

/// An Action that is to run: what was frozen, with its secrets readable.
#[derive(Debug, Clone)]
pub(crate) struct BoundAction {
    /// Why it runs.
    pub(crate) binding: Binding,
    /// What runs.
    pub(crate) version: Arc<ActionVersion>,
    /// `event.secrets`.
    pub(crate) secrets: BTreeMap<String, String>,
    /// What it may require.
    pub(crate) modules: Vec<sandbox::Module>,
}

/// An Action with the version that runs, if any.
#[derive(Debug, Clone)]
pub struct ActionView {
    /// The Action.
    pub action: Action,
    /// What runs.
    pub deployed: Option<ActionVersion>,
}

impl Engine {
    /// Makes an Action with a draft, and deploys it with the same step if `deploy` says so; `changes` must name it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a property that is not legal or, with `deploy`, for code that does not parse;
    /// [`Error::Conflict`] for a name that is taken; [`Error::Refused`] when there are too many.
    pub async fn create_action(
        &self,
        call: &ApiCall,
        trigger: &str,
        trigger_version: &str,
        changes: ActionChanges,
        deploy: bool,
    ) -> Result<ActionView, Error> {
        refuse_unknown_trigger(trigger)?;
        let now = self.now();
        let mut action = Action {
            id: ActionId::new(uuid(self.random())),
            name: String::new(),
            trigger: trigger.to_owned(),
            trigger_version: trigger_version.to_owned(),
            draft: ActionSource {
                code: String::new(),
                runtime: RUNTIME_DEFAULT.to_owned(),
                dependencies: Vec::new(),
                secrets: Vec::new(),
                modules: Vec::new(),
            },
            deployed_version: None,
            versions: 0,
            all_changes_deployed: false,
            created_at: now,
            updated_at: now,
        };
        changes.apply(&mut action, self)?;
        let ready = match deploy {
            true => Some(self.ready_action(&action.draft, None).await?),
            false => None,
        };
        let version_id = ActionId::new(uuid(self.random()));
        self.store()
            .transact(async |tx| {
                let mut action = action.clone();
                refuse_taken(tx, &action).await?;
                library::admit::<Action>(tx, ACTIONS_MAX, "actions").await?;
                if let Some(wanted) = &changes.modules {
                    action.draft.modules = module_use::choose(tx, wanted).await?;
                }
                let deployed = if let Some(ready) = &ready {
                    let modules = module_use::freeze(tx, &action.draft.modules).await?;
                    let deployed = self.freeze(tx, &mut action, version_id.clone(), modules, ready).await?;
                    action.all_changes_deployed = true;
                    Some(deployed)
                } else {
                    None
                };
                tx.insert(action.clone());
                self.record_api(tx, call, "Create an Action", 201);
                Ok(ActionView { action, deployed })
            })
            .await
    }

    /// One Action.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn action(&self, id: &ActionId) -> Result<ActionView, Error> {
        let action: Action =
            self.store().get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Action))?;
        let mut views = self.with_deployed(vec![action]).await?;
        views.pop().ok_or(Error::NotFound(Resource::Action))
    }

    /// Some of the Actions; filters that are given must fit.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn actions(
        &self,
        slice: &Slice,
        name: Option<&str>,
        trigger: Option<&str>,
        deployed: Option<bool>,
    ) -> Result<Listing<ActionView>, Error> {
        let found = self
            .list(Source::table(), slice, |action: &Action| {
                name.is_none_or(|name| action.name == name)
                    && trigger.is_none_or(|trigger| action.trigger == trigger)
                    && deployed.is_none_or(|deployed| action.deployed_version.is_some() == deployed)
            })
            .await?;
        let (start, limit, total, next) = (found.start, found.limit, found.total, found.next);
        Ok(Listing { items: self.with_deployed(found.items).await?, start, limit, total, next })
    }

    /// Changes an Action's draft. What runs stays as it is until the next deploy.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Conflict`] for a name that is taken.
    pub async fn update_action(
        &self,
        call: &ApiCall,
        id: &ActionId,
        changes: ActionChanges,
    ) -> Result<ActionView, Error> {
        let action = self
            .store()
            .transact(async |tx| {
                let mut action = action_in(tx, id).await?;
                changes.apply(&mut action, self)?;
                if let Some(wanted) = &changes.modules {
                    action.draft.modules = module_use::choose(tx, wanted).await?;
                }
                action.updated_at = self.now();
                action.all_changes_deployed = false;
                refuse_taken(tx, &action).await?;
                tx.put(action.clone());
                self.record_api(tx, call, "Update an Action", 200);
                Ok::<_, Error>(action)
            })
            .await?;
        let mut views = self.with_deployed(vec![action]).await?;
        views.pop().ok_or(Error::NotFound(Resource::Action))
    }

    /// Deletes an Action and its versions. One that is not there is not missed.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is bound and `force` does not say that its bindings go too.
    pub async fn delete_action(&self, call: &ApiCall, id: &ActionId, force: bool) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                let Some(action) = tx.get::<Action>(&Key::of(id)).await? else { return Ok(()) };
                let bound = tx.get::<TriggerBindings>(&Key::of(&action.trigger)).await?;
                if let Some(mut bound) = bound
                    && bound.bindings.iter().any(|binding| binding.action_id == *id)
                {
                    if !force {
                        let message = "Unable to delete an action bound to a trigger.".to_owned();
                        return Err(Error::Conflict { message });
                    }
                    bound.bindings.retain(|binding| binding.action_id != *id);
                    tx.put(bound);
                }
                let versions = tx
                    .page::<ActionVersion>(
                        Some("action"),
                        &Key::of(id),
                        None,
                        VERSIONS_STEP,
                        Order::Ascending,
                    )
                    .await?;
                module_use::note(tx, &action, &[]).await?;
                versions.items.iter().for_each(|version| tx.delete::<ActionVersion>(&Key::of(&version.id)));
                tx.delete::<Action>(&Key::of(id));
                self.record_api(tx, call, "Delete an Action", 204);
                Ok(())
            })
            .await
    }

    /// What Actions did in one run of a trigger.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn execution(&self, id: &ActionId) -> Result<Execution, Error> {
        let found = self.store().get::<Execution>(&Key::of(id)).await?;
        found
            .filter(|execution| execution.expires_at > self.now())
            .ok_or(Error::NotFound(Resource::Execution))
    }

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
            let secrets = self.unseal_secrets(&version.action_name, &version.source.secrets)?;
            let modules = self.readable_modules(&version.modules)?;
            actions.push(BoundAction { binding, version: Arc::new(version), secrets, modules });
        }
        Ok(actions)
    }

    /// The version that runs now, found through the Action itself.
    async fn deployed_version(&self, binding: &Binding) -> Result<ActionVersion, Error> {
        let gone =
            || Error::Unavailable(format!("binding {} names an Action that is being removed", binding.id));
        let action = self.store().get::<Action>(&Key::of(&binding.action_id)).await?;
        let version_id = action.and_then(|action| action.deployed_version).ok_or_else(gone)?;
        self.store().get::<ActionVersion>(&Key::of(&version_id)).await?.ok_or_else(gone)
    }

    /// The secrets of what has this name, readable.
    fn unseal_secrets(
        &self,
        owner: &str,
        sealed: &[ActionSecret],
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut secrets = BTreeMap::new();
        for secret in sealed {
            let plain = self.store().unseal(SECRET_PURPOSE, &secret.value)?;
            let text = String::from_utf8(plain)
                .map_err(|_| Error::Bug(format!("secret {} of {owner} is no text", secret.name)))?;
            secrets.insert(secret.name.clone(), text);
        }
        Ok(secrets)
    }

    async fn with_deployed(&self, actions: Vec<Action>) -> Result<Vec<ActionView>, Error> {
        let keys: Vec<Key> =
            actions.iter().filter_map(|action| action.deployed_version.as_ref().map(Key::of)).collect();
        let mut versions = self.store().get_many::<ActionVersion>(&keys).await?.into_iter();
        let view = |action: Action| {
            let deployed = action.deployed_version.is_some().then(|| versions.next().flatten()).flatten();
            ActionView { action, deployed }
        };
        Ok(actions.into_iter().map(view).collect())
    }
}

async fn action_in(tx: &mut Tx, id: &ActionId) -> Result<Action, Error> {
    tx.get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Action))
}

async fn refuse_taken(tx: &mut Tx, action: &Action) -> Result<(), Error> {
    let other = tx.find::<Action>("name", &Key::of(&action.name)).await?;
    if other.is_some_and(|other| other.id != action.id) {
        return Err(Error::Conflict { message: "An action with this name already exists.".to_owned() });
    }
    Ok(())
}

fn refuse_unknown_trigger(trigger: &str) -> Result<(), Error> {
    if Trigger::find(trigger).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = TRIGGERS.iter().map(|trigger| trigger.id).collect();
    let reason = format!("the trigger {trigger} is not supported, only {} are", known.join(", "));
    Err(Error::property(&reason, "supported_triggers[0].id"))
}

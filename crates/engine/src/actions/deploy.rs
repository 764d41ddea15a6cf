//! Freezes a draft as a version that runs, and goes back to an earlier one.

use domain::action::{Action, ActionSource, ActionVersion, Packages, TriggerBindings};
use domain::action_module::FrozenModule;
use domain::id::{ActionId, uuid};
use domain::limits::ACTION_VERSIONS_MAX;
use store::{Key, Order, Tx};

use super::{action_in, module_use};
use crate::listing::{Listing, Slice, Source};
use crate::packages::Hold;
use crate::{ApiCall, Engine, Error, Resource};

/// A source that may be deployed: what runs of it, with the packages that are kept in place for it.
pub(super) struct Ready {
    compiled: Option<String>,
    packages: Option<(Packages, Hold)>,
}

impl Engine {
    /// Freezes the draft and its modules and lets them run at once, wherever the Action is bound: one commit.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] when the code does not parse (with line and column), its npm packages
    /// can't be had, or a version of a module is gone, and then what ran before goes on running.
    pub async fn deploy_action(
        &self,
        call: &ApiCall,
        id: &ActionId,
    ) -> Result<(ActionVersion, Action), Error> {
        let draft: Action = self.store().get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Action))?;
        let deployed = match &draft.deployed_version {
            Some(id) => self.store().get::<ActionVersion>(&Key::of(id)).await?,
            None => None,
        };
        let ready = self.ready_action(&draft.draft, deployed.as_ref()).await?;
        let version_id = ActionId::new(uuid(self.random()));
        self.store()
            .transact(async |tx| {
                let mut action = action_in(tx, id).await?;
                if action.draft != draft.draft {
                    let message = "The draft was changed while it was being deployed. Try again.".to_owned();
                    return Err(Error::Conflict { message });
                }
                let modules = module_use::freeze(tx, &action.draft.modules).await?;
                let version = self.freeze(tx, &mut action, version_id.clone(), modules, &ready).await?;
                action.all_changes_deployed = true;
                tx.put(action.clone());
                self.record_api(tx, call, "Deploy an Action", 200);
                Ok((version, action))
            })
            .await
    }

    /// Lets an earlier version run again, with its modules as they were: it becomes a new version and, where
    /// `update_draft`, the draft.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the Action or the version; [`Error::Invalid`] as for a deploy.
    pub async fn deploy_action_version(
        &self,
        call: &ApiCall,
        id: &ActionId,
        version: &ActionId,
        update_draft: bool,
    ) -> Result<(ActionVersion, Action), Error> {
        let earlier = self.action_version(id, version).await?;
        let ready = self.ready_action(&earlier.source, Some(&earlier)).await?;
        let version_id = ActionId::new(uuid(self.random()));
        self.store()
            .transact(async |tx| {
                let mut action = action_in(tx, id).await?;
                let draft = std::mem::replace(&mut action.draft, earlier.source.clone());
                let modules = earlier.modules.clone();
                let version = self.freeze(tx, &mut action, version_id.clone(), modules, &ready).await?;
                action.all_changes_deployed = update_draft || draft == earlier.source;
                if !update_draft {
                    action.draft = draft;
                }
                tx.put(action.clone());
                self.record_api(tx, call, "Deploy an Action Version", 202);
                Ok((version, action))
            })
            .await
    }

    /// One version of an Action.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the Action or the version.
    pub async fn action_version(&self, id: &ActionId, version: &ActionId) -> Result<ActionVersion, Error> {
        let found = self.store().get::<ActionVersion>(&Key::of(version)).await?;
        found.filter(|found| found.action_id == *id).ok_or(Error::NotFound(Resource::ActionVersion))
    }

    /// Some of the versions of an Action, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn action_versions(
        &self,
        id: &ActionId,
        slice: &Slice,
    ) -> Result<(Action, Listing<ActionVersion>), Error> {
        let action: Action =
            self.store().get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Action))?;
        let source = Source { order: Order::Descending, ..Source::index("action", Key::of(id)) };
        Ok((action, self.list(source, slice, |_| true).await?))
    }

    /// Installs what the source of an Action needs, and builds it. As long as the answer lives, its packages stay.
    pub(super) async fn ready_action(
        &self,
        source: &ActionSource,
        same_packages_as: Option<&ActionVersion>,
    ) -> Result<Ready, Error> {
        let packages = self.packages_for(source, same_packages_as).await?;
        let set = packages.as_ref().map(|(packages, _)| packages);
        let compiled = self.build_script("action", &source.code, set).await?;
        Ok(Ready { compiled, packages })
    }

    /// Writes the draft as a version, moves the Action's bindings and its use of modules to it, and forgets versions
    /// past the limit. The Action itself is left to the caller to write.
    pub(super) async fn freeze(
        &self,
        tx: &mut Tx,
        action: &mut Action,
        version_id: ActionId,
        modules: Vec<FrozenModule>,
        ready: &Ready,
    ) -> Result<ActionVersion, Error> {
        module_use::note(tx, action, &action.draft.modules).await?;
        action.versions += 1;
        let version = ActionVersion {
            id: version_id,
            action_id: action.id.clone(),
            action_name: action.name.clone(),
            number: action.versions,
            source: action.draft.clone(),
            modules,
            compiled: ready.compiled.clone(),
            packages: ready.packages.as_ref().map(|(packages, _)| packages.clone()),
            created_at: self.now(),
        };
        action.deployed_version = Some(version.id.clone());
        let key = Key::of(&action.trigger);
        if let Some(mut bound) = tx.get::<TriggerBindings>(&key).await?
            && bound.bindings.iter().any(|binding| binding.action_id == action.id)
        {
            for binding in bound.bindings.iter_mut().filter(|binding| binding.action_id == action.id) {
                binding.version_id = version.id.clone();
            }
            tx.put(bound);
        }
        let old = tx
            .page::<ActionVersion>(
                Some("action"),
                &Key::of(&action.id),
                None,
                ACTION_VERSIONS_MAX + 1,
                Order::Ascending,
            )
            .await?;
        let surplus = (old.items.len() + 1).saturating_sub(ACTION_VERSIONS_MAX);
        old.items.iter().take(surplus).for_each(|old| tx.delete::<ActionVersion>(&Key::of(&old.id)));
        tx.insert(version.clone());
        Ok(version)
    }
}

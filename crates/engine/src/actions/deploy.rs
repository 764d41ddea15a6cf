//! Freezes a draft as a version that runs, and goes back to an earlier one.

use domain::action::{Action, ActionSource, ActionVersion, Packages, TriggerBindings};
use domain::id::{ActionId, uuid};
use domain::limits::ACTION_VERSIONS_MAX;
use store::{Key, Order, Tx};

use super::action_in;
use crate::listing::{Listing, Slice, Source};
use crate::packages::Hold;
use crate::{ApiCall, Engine, Error, Resource};

/// A source that may be deployed, with the packages that are kept in place for it.
struct Deployable(Option<(Packages, Hold)>);

impl Deployable {
    fn packages(&self) -> Option<&Packages> {
        self.0.as_ref().map(|(packages, _)| packages)
    }
}

impl Engine {
    /// Freezes the draft and lets it run at once, wherever the Action is bound.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] when the code does not parse (with line and column) or its
    /// npm packages can't be had, and then what ran before goes on running.
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
        let ready = self.check_deployable(&draft.draft, deployed.as_ref()).await?;
        let version_id = ActionId::new(uuid(self.random()));
        self.store()
            .transact(async |tx| {
                let action = action_in(tx, id).await?;
                if action.draft != draft.draft {
                    let message = "The draft was changed while it was being deployed. Try again.".to_owned();
                    return Err(Error::Conflict { message });
                }
                let deployed = self.freeze(tx, action, version_id.clone(), ready.packages()).await?;
                self.record_api(tx, call, "Deploy an Action", 200);
                Ok(deployed)
            })
            .await
    }

    /// Lets an earlier version run again: its source becomes a new version and, where `update_draft`, the draft.
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
        let ready = self.check_deployable(&earlier.source, Some(&earlier)).await?;
        let version_id = ActionId::new(uuid(self.random()));
        self.store()
            .transact(async |tx| {
                let mut action = action_in(tx, id).await?;
                let draft = std::mem::replace(&mut action.draft, earlier.source.clone());
                let (version, mut action) =
                    self.freeze(tx, action, version_id.clone(), ready.packages()).await?;
                if !update_draft {
                    action.all_changes_deployed = draft == earlier.source;
                    action.draft = draft;
                    tx.put(action.clone());
                }
                self.record_api(tx, call, "Deploy an Action Version", 200);
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

    /// Installs what the source needs and parses it. As long as the answer lives, its packages stay.
    async fn check_deployable(
        &self,
        source: &ActionSource,
        same_packages_as: Option<&ActionVersion>,
    ) -> Result<Deployable, Error> {
        let packages = self.packages_for(source, same_packages_as).await?;
        let ready = Deployable(packages);
        let parsed = self.check_syntax(&source.code, ready.packages()).await;
        parsed.map(|()| ready).map_err(|error| Error::Invalid {
            message: format!("The action cannot be deployed: {error}"),
            code: Some("invalid_body"),
        })
    }

    /// Writes the draft as a version, moves the Action's bindings to it, and forgets versions past the limit.
    async fn freeze(
        &self,
        tx: &mut Tx,
        mut action: Action,
        version_id: ActionId,
        packages: Option<&Packages>,
    ) -> Result<(ActionVersion, Action), Error> {
        action.versions += 1;
        let version = ActionVersion {
            id: version_id,
            action_id: action.id.clone(),
            action_name: action.name.clone(),
            number: action.versions,
            source: action.draft.clone(),
            packages: packages.cloned(),
            created_at: self.now(),
        };
        action.deployed_version = Some(version.id.clone());
        action.all_changes_deployed = true;
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
        tx.put(action.clone());
        Ok((version, action))
    }
}

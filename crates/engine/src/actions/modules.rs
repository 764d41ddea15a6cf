//! Modules that Actions share: made, listed, changed and deleted.
//!
//! Auth0: Management API v2 › actions › modules. Not here: their versions (`module_versions`), and what an Action has
//! of them (`module_use`).

use domain::action::Action;
use domain::action_module::{Module, ModuleSource, ModuleUse, ModuleVersion};
use domain::id::{ModuleId, uuid};
use domain::limits::{MODULE_VERSIONS_MAX, MODULES_MAX};
use store::{Key, Order, Tx};

use super::library;
use super::module_changes::{ModuleChanges, check_name};
use crate::listing::{Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

/// A module with its newest version, if any.
#[derive(Debug, Clone)]
pub struct ModuleView {
    /// The module.
    pub module: Module,
    /// What was published last.
    pub latest: Option<ModuleVersion>,
}

/// A deployed Action with the version of a module that it runs.
#[derive(Debug, Clone)]
pub struct ModuleUser {
    /// The Action.
    pub action: Action,
    /// Which version.
    pub uses: ModuleUse,
}

impl Engine {
    /// Makes a module with a draft, and publishes it with the same step if `publish` says so.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a property that is not legal or, with `publish`, for code that does not parse;
    /// [`Error::Conflict`] for a name that is taken; [`Error::Refused`] when there are too many.
    pub async fn create_module(
        &self,
        call: &ApiCall,
        name: &str,
        changes: &ModuleChanges,
        publish: bool,
    ) -> Result<ModuleView, Error> {
        check_name(name)?;
        let mut draft = ModuleSource { code: String::new(), dependencies: Vec::new(), secrets: Vec::new() };
        changes.apply(&mut draft, self)?;
        let compiled = match publish {
            true => self.ready_module(&draft).await?,
            false => None,
        };
        let now = self.now();
        let made = Module {
            id: ModuleId::new(uuid(self.random())),
            name: name.to_owned(),
            draft,
            latest_version: None,
            versions: 0,
            all_changes_published: false,
            used_by: std::collections::BTreeMap::new(),
            created_at: now,
            updated_at: now,
        };
        let version_id = ModuleId::new(uuid(self.random()));
        self.store()
            .transact(async |tx| {
                let mut module = made.clone();
                if tx.find::<Module>("name", &Key::of(name)).await?.is_some() {
                    let message = "An action module with the same name already exists.".to_owned();
                    return Err(Error::Conflict { message });
                }
                library::admit::<Module>(tx, MODULES_MAX, "action modules").await?;
                let latest = if publish {
                    Some(self.freeze_module(tx, &mut module, version_id.clone(), compiled.clone()).await?)
                } else {
                    None
                };
                tx.insert(module.clone());
                self.record_api(tx, call, "Create an Action Module", 201);
                Ok(ModuleView { module, latest })
            })
            .await
    }

    /// One module.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn module(&self, id: &ModuleId) -> Result<ModuleView, Error> {
        let found = self.store().get::<Module>(&Key::of(id)).await?;
        self.with_latest(found.ok_or(Error::NotFound(Resource::Module))?).await
    }

    /// Some of the modules.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn modules(&self, slice: &Slice) -> Result<Listing<Module>, Error> {
        self.list(Source::table(), slice, |_: &Module| true).await
    }

    /// Changes a module's draft. Actions go on with the versions they have.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`].
    pub async fn update_module(
        &self,
        call: &ApiCall,
        id: &ModuleId,
        changes: &ModuleChanges,
    ) -> Result<ModuleView, Error> {
        let module = self
            .store()
            .transact(async |tx| {
                let mut module = module_in(tx, id).await?;
                let before = module.draft.clone();
                changes.apply(&mut module.draft, self)?;
                module.all_changes_published &= module.draft == before;
                module.updated_at = self.now();
                tx.put(module.clone());
                self.record_api(tx, call, "Update an Action Module", 200);
                Ok::<_, Error>(module)
            })
            .await?;
        self.with_latest(module).await
    }

    /// Deletes a module and its versions.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Precondition`] when a deployed Action uses it.
    pub async fn delete_module(&self, call: &ApiCall, id: &ModuleId) -> Result<(), Error> {
        self.store()
            .transact(async |tx| {
                let module = module_in(tx, id).await?;
                if !module.used_by.is_empty() {
                    let message =
                        "The action module cannot be deleted because it is in use by one or more actions."
                            .to_owned();
                    return Err(Error::Precondition { message });
                }
                for version in versions_in(tx, id).await? {
                    tx.delete::<ModuleVersion>(&Key::of(&version.id));
                }
                tx.delete::<Module>(&Key::of(id));
                self.record_api(tx, call, "Delete an Action Module", 204);
                Ok(())
            })
            .await
    }

    /// Which deployed Actions use a module, each with the version that it runs.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn module_users(&self, id: &ModuleId, slice: &Slice) -> Result<Listing<ModuleUser>, Error> {
        let module = self.module(id).await?.module;
        let keys: Vec<Key> = module.used_by.keys().map(Key::of).collect();
        let actions = self.store().get_many::<Action>(&keys).await?;
        let users = module.used_by.into_values().zip(actions);
        let users = users.filter_map(|(uses, action)| Some(ModuleUser { action: action?, uses })).collect();
        Ok(Listing::of_all(users, slice, |user| user.action.id.to_string()))
    }

    pub(super) async fn with_latest(&self, module: Module) -> Result<ModuleView, Error> {
        let latest = match &module.latest_version {
            Some(id) => self.store().get::<ModuleVersion>(&Key::of(id)).await?,
            None => None,
        };
        Ok(ModuleView { module, latest })
    }
}

pub(super) async fn module_in(tx: &mut Tx, id: &ModuleId) -> Result<Module, Error> {
    tx.get(&Key::of(id)).await?.ok_or(Error::NotFound(Resource::Module))
}

/// All versions of a module, oldest first. Whoever adds one writes the module.
pub(super) async fn versions_in(tx: &mut Tx, id: &ModuleId) -> Result<Vec<ModuleVersion>, Error> {
    let prefix = Key::of(id);
    let all = tx.page(Some("number"), &prefix, None, MODULE_VERSIONS_MAX + 1, Order::Ascending).await?;
    Ok(all.items)
}

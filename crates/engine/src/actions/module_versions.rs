//! A module's versions: published from its draft, listed, and taken back into the draft.

use domain::action_module::{Module, ModuleSource, ModuleVersion};
use domain::id::{ModuleId, uuid};
use domain::limits::MODULE_VERSIONS_MAX;
use store::{Key, Order, Tx};

use super::modules::{ModuleView, module_in, versions_in};
use crate::listing::{Listing, Slice, Source};
use crate::{ApiCall, Engine, Error, Resource};

impl Engine {
    /// Freezes the draft as a version that Actions may choose. Those that have another keep it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when there is nothing new; [`Error::Invalid`] when the code does not
    /// parse (with line and column) or asks for npm packages; [`Error::Precondition`] when all versions are in use.
    pub async fn publish_module(&self, call: &ApiCall, id: &ModuleId) -> Result<ModuleVersion, Error> {
        let draft = self.module(id).await?.module.draft;
        let compiled = self.ready_module(&draft).await?;
        let version_id = ModuleId::new(uuid(self.random()));
        self.store()
            .transact(async |tx| {
                let mut module = module_in(tx, id).await?;
                let conflict = |message: &str| Err(Error::Conflict { message: message.to_owned() });
                if module.all_changes_published {
                    return conflict("No draft version is available to publish.");
                }
                if module.draft != draft {
                    return conflict("The draft was changed while it was being published. Try again.");
                }
                let version =
                    self.freeze_module(tx, &mut module, version_id.clone(), compiled.clone()).await?;
                tx.put(module);
                self.record_api(tx, call, "Create an Action Module Version", 200);
                Ok(version)
            })
            .await
    }

    /// One version of a module.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the module or the version.
    pub async fn module_version(&self, id: &ModuleId, version: &ModuleId) -> Result<ModuleVersion, Error> {
        self.module(id).await?;
        let found = self.store().get::<ModuleVersion>(&Key::of(version)).await?;
        found.filter(|found| found.module_id == *id).ok_or(Error::NotFound(Resource::ModuleVersion))
    }

    /// Some of the versions of a module, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn module_versions(
        &self,
        id: &ModuleId,
        slice: &Slice,
    ) -> Result<Listing<ModuleVersion>, Error> {
        self.module(id).await?;
        let source = Source { order: Order::Descending, ..Source::index("number", Key::of(id)) };
        self.list(source, slice, |_| true).await
    }

    /// Takes an earlier version back into the draft: code, dependencies and secrets. No Action is touched.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the module or the version; [`Error::Conflict`] when the draft is that version.
    pub async fn roll_back_module(
        &self,
        call: &ApiCall,
        id: &ModuleId,
        version: &ModuleId,
    ) -> Result<ModuleView, Error> {
        let module = self
            .store()
            .transact(async |tx| {
                let mut module = module_in(tx, id).await?;
                let found = tx.get::<ModuleVersion>(&Key::of(version)).await?;
                let found = found
                    .filter(|found| found.module_id == *id)
                    .ok_or(Error::NotFound(Resource::ModuleVersion))?;
                if module.draft == found.source {
                    let message = "The specified version is already the current draft version.".to_owned();
                    return Err(Error::Conflict { message });
                }
                module.all_changes_published = module.latest_version.as_ref() == Some(&found.id);
                module.draft = found.source;
                module.updated_at = self.now();
                tx.put(module.clone());
                self.record_api(tx, call, "Rollback an Action Module", 200);
                Ok(module)
            })
            .await?;
        self.with_latest(module).await
    }

    /// The JavaScript of a module, where that isn't its code as it stands.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it does not parse, and for npm packages: an Action brings those that its modules need.
    pub(super) async fn ready_module(&self, draft: &ModuleSource) -> Result<Option<String>, Error> {
        if !draft.dependencies.is_empty() {
            let message = "npm dependencies of modules are not supported: list them at the actions that use the module."
                .to_owned();
            return Err(Error::Invalid { message, code: Some("operation_not_supported") });
        }
        self.build_script("module", &draft.code, None).await
    }

    /// Writes the draft as a version, and forgets the oldest one that no Action uses where there would be too many.
    /// The module itself is left to the caller to write.
    pub(super) async fn freeze_module(
        &self,
        tx: &mut Tx,
        module: &mut Module,
        version_id: ModuleId,
        compiled: Option<String>,
    ) -> Result<ModuleVersion, Error> {
        let there = versions_in(tx, &module.id).await?;
        if there.len() >= MODULE_VERSIONS_MAX {
            let is_used =
                |version: &ModuleVersion| module.used_by.values().any(|used| used.version_id == version.id);
            let Some(oldest) = there.iter().find(|version| !is_used(version)) else {
                let message =
                    "Maximum number of module versions reached. Consolidate versions used in actions \
                               before creating new ones."
                        .to_owned();
                return Err(Error::Precondition { message });
            };
            tx.delete::<ModuleVersion>(&Key::of(&oldest.id));
        }
        module.versions += 1;
        module.latest_version = Some(version_id.clone());
        module.all_changes_published = true;
        let version = ModuleVersion {
            id: version_id,
            module_id: module.id.clone(),
            number: module.versions,
            source: module.draft.clone(),
            compiled,
            created_at: self.now(),
        };
        tx.insert(version.clone());
        Ok(version)
    }
}

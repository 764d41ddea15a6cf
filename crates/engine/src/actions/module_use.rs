//! Which modules an Action uses: chosen for its draft, frozen by its deploy, readable for its run.
//!
//! Auth0: Actions › Actions Modules: each Action names the version that it wants, and keeps it until it names another.

use std::collections::BTreeSet;

use domain::action::{Action, ActionVersion};
use domain::action_module::{FrozenModule, Module, ModuleRef, ModuleUse, ModuleVersion};
use domain::id::ModuleId;
use domain::limits::ACTION_MODULES_MAX;
use store::{Key, Tx};

use super::module_changes::ModuleChoice;
use crate::{Engine, Error};

/// Looks up what a request wants.
///
/// # Errors
/// [`Error::Invalid`] for a module or a version that there is not, for one wanted twice, and for too many.
pub(super) async fn choose(tx: &mut Tx, wanted: &[ModuleChoice]) -> Result<Vec<ModuleRef>, Error> {
    if wanted.len() > ACTION_MODULES_MAX {
        let reason = format!("Array is too long ({}), maximum {ACTION_MODULES_MAX}", wanted.len());
        return Err(Error::property(&reason, "modules"));
    }
    let mut chosen: Vec<ModuleRef> = Vec::with_capacity(wanted.len());
    for (at, choice) in wanted.iter().enumerate() {
        let refuse = |reason: &str, name: &str| Error::property(reason, &format!("modules[{at}].{name}"));
        let module = match (&choice.module_id, &choice.module_name) {
            (Some(id), _) => tx.get::<Module>(&Key::of(&**id)).await?,
            (None, Some(name)) => tx.find::<Module>("name", &Key::of(&**name)).await?,
            (None, None) => return Err(refuse("a module is named by module_id or module_name", "module_id")),
        };
        let module = module.ok_or_else(|| refuse("the module does not exist", "module_id"))?;
        if choice.module_name.as_ref().is_some_and(|name| *name != module.name) {
            return Err(refuse("this is not the name of the module with this id", "module_name"));
        }
        if chosen.iter().any(|other| other.module_id == module.id) {
            return Err(refuse("the module is there twice", "module_id"));
        }
        let number_key = |number: u64| Key::of((&module.id, number));
        let version = match (&choice.version_id, choice.version_number, &module.latest_version) {
            (Some(id), ..) => tx.get::<ModuleVersion>(&Key::of(&**id)).await?,
            (None, Some(number), _) => tx.find::<ModuleVersion>("number", &number_key(number)).await?,
            (None, None, Some(latest)) => tx.get::<ModuleVersion>(&Key::of(latest)).await?,
            (None, None, None) => return Err(refuse("the module has no version yet", "module_version_id")),
        };
        let version = version
            .filter(|version| version.module_id == module.id)
            .ok_or_else(|| refuse("the module has no such version", "module_version_id"))?;
        if choice.version_number.is_some_and(|number| number != version.number) {
            return Err(refuse(
                "this is not the number of the version with this id",
                "module_version_number",
            ));
        }
        chosen.push(ModuleRef {
            module_id: module.id,
            module_name: module.name,
            version_id: version.id,
            version_number: version.number,
        });
    }
    Ok(chosen)
}

/// What runs of these modules. Each version must still be there at commit.
///
/// # Errors
/// [`Error::Invalid`] for a version that is gone.
pub(super) async fn freeze(tx: &mut Tx, modules: &[ModuleRef]) -> Result<Vec<FrozenModule>, Error> {
    let versions = tx.get_many::<ModuleVersion>(&version_keys(modules)).await?;
    frozen(modules, versions)
}

/// Notes at each module which version of it the Action runs from now on, in place of those of its deployed version.
pub(super) async fn note(tx: &mut Tx, action: &Action, now: &[ModuleRef]) -> Result<(), Error> {
    let before = match &action.deployed_version {
        Some(id) => tx.get::<ActionVersion>(&Key::of(id)).await?.map(|version| version.source.modules),
        None => None,
    };
    let before = before.unwrap_or_default();
    let touched: BTreeSet<&ModuleId> = before.iter().chain(now).map(|module| &module.module_id).collect();
    for id in touched {
        // A version that comes back may have had a module that was deleted since; it runs its own copy.
        let Some(mut module) = tx.get::<Module>(&Key::of(id)).await? else { continue };
        match now.iter().find(|used| used.module_id == *id) {
            Some(used) => {
                let (version_id, version_number) = (used.version_id.clone(), used.version_number);
                module.used_by.insert(action.id.clone(), ModuleUse { version_id, version_number })
            }
            None => module.used_by.remove(&action.id),
        };
        tx.put(module);
    }
    Ok(())
}

impl Engine {
    /// What would run of a draft's modules.
    pub(super) async fn draft_modules(&self, modules: &[ModuleRef]) -> Result<Vec<FrozenModule>, Error> {
        let versions = self.store().get_many::<ModuleVersion>(&version_keys(modules)).await?;
        frozen(modules, versions)
    }

    /// Modules as a run gets them, their secrets readable.
    pub(super) fn readable_modules(&self, modules: &[FrozenModule]) -> Result<Vec<sandbox::Module>, Error> {
        let readable = |module: &FrozenModule| {
            let secrets = self.unseal_secrets(&module.name, &module.source.secrets)?.into();
            let code = module.compiled.as_deref().unwrap_or(&module.source.code).into();
            Ok(sandbox::Module { name: module.name.clone(), code, secrets })
        };
        modules.iter().map(readable).collect()
    }
}

fn version_keys(modules: &[ModuleRef]) -> Vec<Key> {
    modules.iter().map(|module| Key::of(&module.version_id)).collect()
}

fn frozen(modules: &[ModuleRef], versions: Vec<Option<ModuleVersion>>) -> Result<Vec<FrozenModule>, Error> {
    let pairs = modules.iter().zip(versions);
    pairs
        .map(|(module, version)| match version {
            Some(ModuleVersion { source, compiled, .. }) => {
                Ok(FrozenModule { name: module.module_name.clone(), source, compiled })
            }
            None => Err(Error::property(
                &format!("version {} of {} is gone", module.version_number, module.module_name),
                "modules",
            )),
        })
        .collect()
}

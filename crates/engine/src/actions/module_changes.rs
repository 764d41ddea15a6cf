//! What a request wants to be different about a module's draft, and which modules one wants for an Action.

use domain::action_module::ModuleSource;
use domain::limits::{MODULE_CODE_CHARACTERS_MAX, MODULE_SECRET_NAME_CHARACTERS_MAX, MODULE_SECRETS_MAX};
use serde_json::Value;

use super::changes::{SecretChange, SecretLimits, new_secrets};
use crate::{Engine, Error};

/// Characters of a module's name. Auth0: Management API v2, create an Actions Module.
const NAME_CHARACTERS_MAX: usize = 255;
/// npm packages of one module. Auth0: entity limits.
const DEPENDENCIES_MAX: usize = 10;
const SECRETS: SecretLimits =
    SecretLimits { count_max: MODULE_SECRETS_MAX, name_characters_max: MODULE_SECRET_NAME_CHARACTERS_MAX };

/// Properties of a module's draft that are to change; absent ones stay.
#[derive(Debug, Clone, Default)]
pub struct ModuleChanges {
    /// Source.
    pub code: Option<String>,
    /// npm packages; kept, and in the way of publishing.
    pub dependencies: Option<Vec<Value>>,
    /// All secrets there are to be.
    pub secrets: Option<Vec<SecretChange>>,
}

/// A module that an Action wants: by id or name, in a version by id or number. Without a version it is the newest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleChoice {
    /// Which module.
    pub module_id: Option<String>,
    /// Its name.
    pub module_name: Option<String>,
    /// Which version.
    pub version_id: Option<String>,
    /// Its number.
    pub version_number: Option<u64>,
}

impl ModuleChanges {
    /// Applies all or, on an error, leaves a source that must be thrown away.
    pub(super) fn apply(&self, draft: &mut ModuleSource, engine: &Engine) -> Result<(), Error> {
        if let Some(code) = &self.code {
            let length = code.chars().count();
            if length > MODULE_CODE_CHARACTERS_MAX {
                let reason = format!("String is too long ({length}), maximum {MODULE_CODE_CHARACTERS_MAX}");
                return Err(Error::property(&reason, "code"));
            }
            draft.code.clone_from(code);
        }
        if let Some(dependencies) = &self.dependencies {
            if dependencies.len() > DEPENDENCIES_MAX {
                let reason =
                    format!("Array is too long ({}), maximum {DEPENDENCIES_MAX}", dependencies.len());
                return Err(Error::property(&reason, "dependencies"));
            }
            draft.dependencies.clone_from(dependencies);
        }
        if let Some(secrets) = &self.secrets {
            draft.secrets = new_secrets(&draft.secrets, secrets, SECRETS, engine)?;
        }
        Ok(())
    }
}

/// A name that `require` can be given.
pub(super) fn check_name(name: &str) -> Result<(), Error> {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARACTERS_MAX || name.contains('\0') {
        let reason = format!("the length must be 1 to {NAME_CHARACTERS_MAX} characters without NUL");
        return Err(Error::property(&reason, "name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn a_name_is_neither_empty_nor_long_and_has_no_nul() {
        assert!(check_name("Logger 2").is_ok() && check_name(&"n".repeat(255)).is_ok());
        for bad in ["", " ", "a\0b", &"n".repeat(256)] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}

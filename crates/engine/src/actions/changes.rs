//! What a request wants to be different about an Action's draft, and whether it may be.

use domain::action::{Action, ActionSecret};
use domain::limits::{
    ACTION_CODE_BYTES_MAX, ACTION_SECRET_NAME_CHARACTERS_MAX, ACTION_SECRET_VALUE_CHARACTERS_MAX,
    ACTION_SECRETS_MAX,
};
use domain::secret::Secret;
use serde_json::Value;

use super::module_changes::ModuleChoice;
use super::{SECRET_PURPOSE, dependencies};
use crate::{Engine, Error};

/// Characters of an Action's name. Auth0: Actions, name.
const NAME_CHARACTERS_MAX: usize = 255;

/// One secret as a request gives it; without a value it keeps the one it has.
#[derive(Debug, Clone)]
pub struct SecretChange {
    /// The name.
    pub name: String,
    /// The value, if it is to change.
    pub value: Option<Secret<String>>,
}

/// Properties that are to change; absent ones stay.
#[derive(Debug, Clone, Default)]
pub struct ActionChanges {
    /// Unique name.
    pub name: Option<String>,
    /// Source of the draft.
    pub code: Option<String>,
    /// What it says it runs on.
    pub runtime: Option<String>,
    /// npm packages, `{name, version}` each.
    pub dependencies: Option<Vec<Value>>,
    /// All secrets there are to be.
    pub secrets: Option<Vec<SecretChange>>,
    /// All modules that it is to be able to require.
    pub modules: Option<Vec<ModuleChoice>>,
}

impl ActionChanges {
    /// Applies all but the modules, which must be looked up, or, on an error, leaves an Action that must be thrown away.
    pub(super) fn apply(&self, action: &mut Action, engine: &Engine) -> Result<(), Error> {
        if let Some(name) = &self.name {
            if name.trim().is_empty() || name.chars().count() > NAME_CHARACTERS_MAX {
                let reason = format!("the length must be 1 to {NAME_CHARACTERS_MAX} characters");
                return Err(Error::property(&reason, "name"));
            }
            action.name.clone_from(name);
        }
        if let Some(code) = &self.code {
            if code.len() > ACTION_CODE_BYTES_MAX {
                let reason = format!("the code has {} bytes, maximum {ACTION_CODE_BYTES_MAX}", code.len());
                return Err(Error::property(&reason, "code"));
            }
            action.draft.code.clone_from(code);
        }
        if let Some(runtime) = &self.runtime {
            action.draft.runtime.clone_from(runtime);
        }
        if let Some(dependencies) = &self.dependencies {
            dependencies::read(dependencies)?;
            action.draft.dependencies.clone_from(dependencies);
        }
        if let Some(secrets) = &self.secrets {
            action.draft.secrets = new_secrets(&action.draft.secrets, secrets, ACTION_SECRETS, engine)?;
        }
        Ok(())
    }
}

/// How many secrets there may be, and how long a name may be in characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct SecretLimits {
    pub(super) count_max: usize,
    pub(super) name_characters_max: usize,
}

const ACTION_SECRETS: SecretLimits =
    SecretLimits { count_max: ACTION_SECRETS_MAX, name_characters_max: ACTION_SECRET_NAME_CHARACTERS_MAX };

/// The secrets that there are to be, sealed; one without a value keeps the one it has.
pub(super) fn new_secrets(
    before: &[ActionSecret],
    wanted: &[SecretChange],
    limits: SecretLimits,
    engine: &Engine,
) -> Result<Vec<ActionSecret>, Error> {
    check_secrets(before, wanted, limits)?;
    let secrets = wanted.iter().filter_map(|change| match &change.value {
        Some(value) => Some(ActionSecret {
            name: change.name.clone(),
            value: engine.store().seal(SECRET_PURPOSE, value.expose().as_bytes()),
            updated_at: engine.now(),
        }),
        None => before.iter().find(|own| own.name == change.name).cloned(),
    });
    let mut secrets: Vec<ActionSecret> = secrets.collect();
    // As Auth0 lists them: those that stay keep their place before those that come.
    let place = |secret: &ActionSecret| before.iter().position(|own| own.name == secret.name);
    secrets.sort_by_key(|secret| place(secret).unwrap_or(usize::MAX));
    Ok(secrets)
}

fn check_secrets(
    before: &[ActionSecret],
    wanted: &[SecretChange],
    limits: SecretLimits,
) -> Result<(), Error> {
    let SecretLimits { count_max, name_characters_max } = limits;
    if wanted.len() > count_max {
        let reason = format!("Array is too long ({}), maximum {count_max}", wanted.len());
        return Err(Error::property(&reason, "secrets"));
    }
    for (at, change) in wanted.iter().enumerate() {
        let name_length = change.name.chars().count();
        if !(1..=name_characters_max).contains(&name_length) {
            let reason = format!("the length must be 1 to {name_characters_max} characters");
            return Err(Error::property(&reason, &format!("secrets[{at}].name")));
        }
        let too_long =
            |value: &Secret<String>| value.expose().chars().count() > ACTION_SECRET_VALUE_CHARACTERS_MAX;
        if change.value.as_ref().is_some_and(too_long) {
            let reason = format!("String is too long, maximum {ACTION_SECRET_VALUE_CHARACTERS_MAX}");
            return Err(Error::property(&reason, &format!("secrets[{at}].value")));
        }
        if wanted[..at].iter().any(|other| other.name == change.name) {
            return Err(Error::property("two secrets have the same name", &format!("secrets[{at}].name")));
        }
        if change.value.is_none() && !before.iter().any(|own| own.name == change.name) {
            return Err(Error::property("a new secret needs a value", &format!("secrets[{at}].value")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::action::ActionSecret;
    use domain::secret::{Sealed, Secret};
    use domain::time::Timestamp;

    use super::{ACTION_SECRETS, SecretChange, SecretLimits, check_secrets};

    #[test]
    fn a_secret_without_a_value_must_exist_and_names_are_unique() {
        let own = ActionSecret { name: "A".into(), value: Sealed("v1.x".into()), updated_at: Timestamp(0) };
        let change = |name: &str, value: Option<&str>| SecretChange {
            name: name.to_owned(),
            value: value.map(|value| Secret::new(value.to_owned())),
        };
        let before = [own];
        let check = |wanted: &[SecretChange], limits| check_secrets(&before, wanted, limits);
        let (limits, one) = (ACTION_SECRETS, SecretLimits { count_max: 1, ..ACTION_SECRETS });
        assert!(check(&[change("A", None), change("B", Some("x"))], limits).is_ok());
        assert!(check(&[change("A", None), change("B", Some("x"))], one).is_err());
        assert!(check(&[change("B", None)], limits).is_err());
        assert!(check(&[change("A", None), change("A", Some("x"))], limits).is_err());
        assert!(check(&[change("", Some("x"))], limits).is_err());
        assert!(check(&[change(&"n".repeat(129), Some("x"))], limits).is_err());
        assert!(check(&[change("B", Some(&"x".repeat(4097)))], limits).is_err());
    }
}

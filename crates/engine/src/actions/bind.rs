//! Which Actions run at a trigger, and in which order.

use domain::action::{Action, ActionVersion, Binding, Trigger, TriggerBindings};
use domain::id::{ActionId, uuid};
use domain::limits::ACTION_BINDINGS_MAX;
use store::{Key, Tx};

use super::ActionView;
use crate::{ApiCall, Engine, Error, Resource};

/// How a request names what to bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindingRef {
    /// An Action.
    ActionId(String),
    /// An Action by its name.
    ActionName(String),
    /// A binding that is there already.
    BindingId(String),
}

/// One binding that there is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBinding {
    /// What to bind.
    pub names: BindingRef,
    /// What the flow's page calls it; the Action's name when absent.
    pub display_name: Option<String>,
}

impl Engine {
    /// What is bound to a trigger, in order, each with its Action.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a trigger that there is not.
    pub async fn bindings(&self, trigger: &str) -> Result<Vec<(Binding, ActionView)>, Error> {
        refuse_absent_trigger(trigger)?;
        let bound = self.store().get::<TriggerBindings>(&Key::of(trigger)).await?;
        let bindings = bound.map(|bound| bound.bindings).unwrap_or_default();
        self.with_actions(bindings).await
    }

    /// Replaces all bindings of a trigger.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a trigger or an Action that there is not, [`Error::Invalid`] for an Action that was
    /// never deployed, and then nothing is changed.
    pub async fn replace_bindings(
        &self,
        call: &ApiCall,
        trigger: &str,
        wanted: &[NewBinding],
    ) -> Result<Vec<(Binding, ActionView)>, Error> {
        refuse_absent_trigger(trigger)?;
        if wanted.len() > ACTION_BINDINGS_MAX {
            let reason = format!("Array is too long ({}), maximum {ACTION_BINDINGS_MAX}", wanted.len());
            return Err(Error::property(&reason, "bindings"));
        }
        let bindings = self
            .store()
            .transact(async |tx| {
                let before = tx.get::<TriggerBindings>(&Key::of(trigger)).await?;
                let before = before.map(|bound| bound.bindings).unwrap_or_default();
                let mut bindings: Vec<Binding> = Vec::with_capacity(wanted.len());
                for (at, new) in wanted.iter().enumerate() {
                    let action = named(tx, &new.names, &before).await?;
                    if bindings.iter().any(|binding| binding.action_id == action.id) {
                        let reason = format!("the action {} is bound twice", action.name);
                        return Err(Error::property(&reason, &format!("bindings[{at}]")));
                    }
                    bindings.push(self.binding(trigger, &action, new, &before)?);
                }
                tx.put(TriggerBindings { trigger: trigger.to_owned(), bindings: bindings.clone() });
                self.record_api(tx, call, "Update Trigger Bindings", 200);
                Ok(bindings)
            })
            .await?;
        self.with_actions(bindings).await
    }

    fn binding(
        &self,
        trigger: &str,
        action: &Action,
        new: &NewBinding,
        before: &[Binding],
    ) -> Result<Binding, Error> {
        let refuse = |why: &str| Error::Invalid { message: format!("{why}: {}", action.name), code: None };
        if action.trigger != trigger {
            return Err(refuse("Trying to create a binding for an action of another trigger"));
        }
        let Some(version_id) = action.deployed_version.clone() else {
            return Err(refuse("Trying to create a binding for an action that has not been deployed yet"));
        };
        let now = self.now();
        let display_name = new.display_name.clone().unwrap_or_else(|| action.name.clone());
        let kept = before.iter().find(|binding| binding.action_id == action.id);
        Ok(Binding {
            id: kept.map_or_else(|| ActionId::new(uuid(self.random())), |binding| binding.id.clone()),
            action_id: action.id.clone(),
            version_id,
            display_name,
            created_at: kept.map_or(now, |binding| binding.created_at),
            updated_at: now,
        })
    }

    async fn with_actions(&self, bindings: Vec<Binding>) -> Result<Vec<(Binding, ActionView)>, Error> {
        let keys: Vec<Key> = bindings.iter().map(|binding| Key::of(&binding.action_id)).collect();
        let actions = self.store().get_many::<Action>(&keys).await?;
        let keys: Vec<Key> = bindings.iter().map(|binding| Key::of(&binding.version_id)).collect();
        let versions = self.store().get_many::<ActionVersion>(&keys).await?;
        let pairs = bindings.into_iter().zip(actions).zip(versions);
        Ok(pairs
            .filter_map(|((binding, action), deployed)| {
                Some((binding, ActionView { action: action?, deployed }))
            })
            .collect())
    }
}

async fn named(tx: &mut Tx, names: &BindingRef, before: &[Binding]) -> Result<Action, Error> {
    let found = match names {
        BindingRef::ActionId(id) => tx.get::<Action>(&Key::of(id)).await?,
        BindingRef::ActionName(name) => tx.find::<Action>("name", &Key::of(name)).await?,
        BindingRef::BindingId(id) => match before.iter().find(|binding| binding.id.as_str() == id) {
            Some(binding) => tx.get::<Action>(&Key::of(&binding.action_id)).await?,
            None => None,
        },
    };
    found.ok_or(Error::NotFound(Resource::Action))
}

fn refuse_absent_trigger(trigger: &str) -> Result<(), Error> {
    Trigger::find(trigger).map(drop).ok_or(Error::NotFound(Resource::Trigger))
}

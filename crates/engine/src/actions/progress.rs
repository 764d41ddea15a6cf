//! How far the Actions of one transaction have come, and which are to run next.
//!
//! Auth0: Actions › redirect with Actions. Bindings may change while a browser is away: see ADR 15.

use domain::id::ActionId;

use super::BoundAction;
use crate::sign_in::commands::Effects;

/// What has happened so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// What was asked for.
    pub(crate) effects: Effects,
    /// The Action that sent the browser away, if it is back now.
    pub(crate) continues: Option<ActionId>,
    /// The Actions that have run.
    pub(crate) done: Vec<ActionId>,
}

/// One Action that is to run.
pub(crate) struct Turn {
    /// The Action.
    pub(crate) action: BoundAction,
    /// The function to call.
    pub(crate) handler: &'static str,
}

impl Progress {
    /// First the Action that sent the browser away, then what has not run yet, all as it is bound now.
    pub(crate) fn turns(
        &self,
        bound: Vec<BoundAction>,
        handler: &'static str,
        continue_handler: &'static str,
    ) -> Vec<Turn> {
        let back = |action: &BoundAction| self.continues.as_ref() == Some(&action.binding.action_id);
        let (first, others): (Vec<_>, Vec<_>) = bound.into_iter().partition(back);
        let others = others.into_iter().filter(|action| !self.done.contains(&action.binding.action_id));
        let first = first.into_iter().map(|action| Turn { action, handler: continue_handler });
        first.chain(others.map(|action| Turn { action, handler })).collect()
    }
}

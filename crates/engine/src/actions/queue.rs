//! Actions that nobody waits for: queued in the commit of what they follow, claimed, run, and recorded with the end of
//! their entry in the outbox.
//!
//! Auth0: Actions › triggers › asynchronous ones. At least once: a node that dies in the middle of a run leaves a lease
//! that runs out, and the Actions run again. What a script does wrong is final; what is ours is tried again, beginning
//! with the Action that did not get its turn (docs/adr/0016-asynchronous-actions-are-kept-their-cache-is-not.md).

use std::time::Duration;

use domain::action::{
    ExecutionResult, TRIGGER_POST_CHANGE_PASSWORD, TRIGGER_POST_USER_REGISTRATION, TriggerBindings,
};
use domain::client::Client;
use domain::event::EventKind;
use domain::id::{ActionId, ClientId, UserId};
use domain::limits::{
    QUEUED_ACTIONS_LEASE_MS, QUEUED_ACTIONS_MS_MAX, QUEUED_ACTIONS_RETRY_TOTAL_MS, QUEUED_ACTIONS_RUNS_MAX,
};
use domain::user::User;
use sandbox::{post_change_password, post_user_registration};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Claimed, Key, NewOutboxEntry, Tx};

use super::run::{Stage, TriggerRun};
use crate::deliver::wait_ms;
use crate::sign_in::commands::Effects;
use crate::{Engine, Error, RequestFacts};

/// The kind of outbox entry that holds a [`Queued`].
const OUTBOX_ACTIONS: &str = "actions";

/// The event of a trigger whose Actions nobody waits for.
pub(crate) trait Afterwards: Clone + Serialize + DeserializeOwned + Send + Sync {
    /// The trigger.
    const TRIGGER: &'static str;
    /// The function that its Actions export.
    const HANDLER: &'static str;

    /// The event as one Action is to see it.
    fn with_secrets(self, secrets: sandbox::Secrets) -> sandbox::Event;
}

/// What the Actions will be told and what their record will tell. It holds no secret and no hash of a password.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Queued {
    /// The record of the run, named by the log event of what it follows.
    execution_id: ActionId,
    trigger: String,
    /// The trigger's event.
    event: Value,
    user_id: UserId,
    #[serde(default)]
    client_id: Option<ClientId>,
    #[serde(default)]
    ip: Option<String>,
    #[serde(default)]
    user_agent: Option<String>,
    #[serde(default)]
    hostname: Option<String>,
    /// The Actions that ended well in an earlier try, and do not run again.
    #[serde(default)]
    ended: Vec<Ended>,
}

/// An Action that ended well.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ended {
    binding_id: ActionId,
    result: ExecutionResult,
}

/// Actions that this node has claimed, to be handed to [`Engine::carry_out`].
#[derive(Debug)]
pub struct QueuedRun(Claimed);

/// What one try came to.
enum Try {
    /// Over, well or not.
    Over(Box<TriggerRun>),
    /// It did not get to its end, and nothing that the scripts did is the reason.
    Unfinished { reason: String, run: Option<Box<TriggerRun>> },
}

impl Engine {
    /// Whether anything is bound, so that it is worth queueing.
    pub(crate) async fn is_bound<E: Afterwards>(&self, tx: &mut Tx) -> Result<bool, Error> {
        let bound = tx.get::<TriggerBindings>(&Key::of(E::TRIGGER)).await?;
        Ok(bound.is_some_and(|bound| !bound.bindings.is_empty()))
    }

    /// Queues what is bound, to run if and only if this unit of work commits; after the commit comes
    /// [`Engine::actions_may_wait`]. Answers the identifier that the record of the run will have.
    pub(crate) fn queue_actions<E: Afterwards>(
        &self,
        tx: &mut Tx,
        event: &E,
        user: &User,
        client: Option<&Client>,
        facts: &RequestFacts,
    ) -> Result<ActionId, Error> {
        let bug = |error: serde_json::Error| Error::Bug(error.to_string());
        let execution_id = ActionId::new(domain::id::uuid(self.random()));
        let queued = Queued {
            execution_id: execution_id.clone(),
            trigger: E::TRIGGER.to_owned(),
            event: serde_json::to_value(event).map_err(bug)?,
            user_id: user.id.clone(),
            client_id: client.map(|client| client.id.clone()),
            ip: facts.ip.clone(),
            user_agent: facts.user_agent.clone(),
            hostname: facts.hostname.clone(),
            ended: Vec::new(),
        };
        let now = self.now();
        tx.outbox_add(NewOutboxEntry {
            id: domain::id::uuid(self.random()),
            kind: OUTBOX_ACTIONS.to_owned(),
            subject: user.id.to_string(),
            due_at: now,
            expires_at: now.plus_millis(QUEUED_ACTIONS_RETRY_TOTAL_MS),
            body: serde_json::to_value(&queued).map_err(bug)?,
        });
        Ok(execution_id)
    }

    /// Wakes this node's loop.
    pub(crate) fn actions_may_wait(&self) {
        self.inner.actions_signal.notify_one();
    }

    /// Waits until Actions were queued by this node.
    pub async fn actions_queued(&self) {
        self.inner.actions_signal.notified().await;
    }

    /// How many queued runs may be under way at once: half of the workers, so that a sign-in finds one free.
    pub fn queued_runs_max(&self) -> usize {
        (self.inner.settings.sandbox.workers_max / 2).clamp(1, QUEUED_ACTIONS_RUNS_MAX)
    }

    /// Claims so many queued runs that are due. Each must go to [`Engine::carry_out`]; one that does not is due again
    /// when its lease has run out.
    ///
    /// # Errors
    /// Whatever the store answers.
    pub async fn claim_queued_runs(&self, max: usize) -> Result<Vec<QueuedRun>, Error> {
        let (now, node) = (self.now(), &self.inner.settings.node);
        let claimed =
            self.store().outbox_claim(OUTBOX_ACTIONS, now, QUEUED_ACTIONS_LEASE_MS, node, max).await?;
        Ok(claimed.into_iter().map(QueuedRun).collect())
    }

    /// Runs what was claimed, and commits what came of it with the end of its entry.
    ///
    /// # Errors
    /// Whatever the store answers. What was not committed is run again when its lease has run out.
    pub async fn carry_out(&self, QueuedRun(claimed): QueuedRun) -> Result<(), Error> {
        let mut queued: Queued = match serde_json::from_value(claimed.entry.body.clone()) {
            Ok(queued) => queued,
            Err(error) => {
                let reason = format!("queued Actions do not decode: {error}");
                return self.give_up_queued(&claimed, None, &reason).await;
            }
        };
        match self.try_queued(&mut queued).await {
            Try::Over(run) => self.finish_queued(&claimed, &queued, &run).await,
            Try::Unfinished { reason, run } => {
                let jitter = f64::from(u32::from_be_bytes(self.random())) / f64::from(u32::MAX);
                let due_at = self.now().plus_millis(wait_ms(claimed.entry.attempts, None, jitter));
                if due_at > claimed.entry.expires_at {
                    return match run {
                        Some(run) => self.finish_queued(&claimed, &queued, &run).await,
                        None => self.give_up_queued(&claimed, Some(&queued), &reason).await,
                    };
                }
                tracing::warn!(trigger = queued.trigger, %due_at, "queued Actions are put off: {reason}");
                let body = serde_json::to_value(&queued).map_err(|error| Error::Bug(error.to_string()))?;
                self.store()
                    .transact(async |tx| -> Result<(), Error> {
                        tx.outbox_rest_later(&claimed, due_at, &reason, body.clone());
                        Ok(())
                    })
                    .await
            }
        }
    }

    async fn try_queued(&self, queued: &mut Queued) -> Try {
        match &*queued.trigger {
            TRIGGER_POST_USER_REGISTRATION => self.try_as::<post_user_registration::Event>(queued).await,
            TRIGGER_POST_CHANGE_PASSWORD => self.try_as::<post_change_password::Event>(queued).await,
            // A newer node queued it: one of its kind will run it.
            other => Try::Unfinished { reason: format!("the trigger {other} is not known here"), run: None },
        }
    }

    async fn try_as<E: Afterwards>(&self, queued: &mut Queued) -> Try {
        let event: E = match serde_json::from_value(queued.event.clone()) {
            Ok(event) => event,
            Err(error) => {
                let reason = format!("the event does not decode: {error}");
                return Try::Unfinished { reason, run: None };
            }
        };
        let before = queued.ended.clone();
        let mut stage = AfterwardsStage { event, ended: &mut queued.ended };
        let limit = Duration::from_millis(QUEUED_ACTIONS_MS_MAX);
        let mut run = match tokio::time::timeout(limit, self.run_trigger(&mut stage)).await {
            Ok(Ok(run)) => run,
            Ok(Err(error)) => {
                let reason = error.private().map_or_else(|| error.to_string(), str::to_owned);
                return Try::Unfinished { reason, run: None };
            }
            Err(_) => {
                let reason = format!("the Actions were not done within {QUEUED_ACTIONS_MS_MAX} ms");
                return Try::Unfinished { reason, run: None };
            }
        };
        if let Some(execution) = &mut run.execution {
            execution.id = queued.execution_id.clone();
            execution.results.splice(0..0, before.into_iter().map(|ended| ended.result));
        }
        match run.failed.as_ref().filter(|failed| failed.had_no_turn()) {
            Some(failed) => Try::Unfinished { reason: failed.reason(), run: Some(Box::new(run)) },
            None => Try::Over(Box::new(run)),
        }
    }

    /// The entry ends with the record of the run and, where an Action failed, its log event.
    async fn finish_queued(&self, claimed: &Claimed, queued: &Queued, run: &TriggerRun) -> Result<(), Error> {
        let client = self.client_of(queued).await?;
        let facts = queued.facts();
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.outbox_done(claimed);
                self.record_run(tx, run, client.as_ref(), Some(&queued.user_id), &facts);
                Ok(())
            })
            .await
    }

    /// Gives up on an entry whose Actions never got to run.
    async fn give_up_queued(
        &self,
        claimed: &Claimed,
        queued: Option<&Queued>,
        reason: &str,
    ) -> Result<(), Error> {
        let client = match queued {
            Some(queued) => self.client_of(queued).await?,
            None => None,
        };
        let facts = queued.map(Queued::facts).unwrap_or_default();
        let details = json!({
            "error_class": "platform_error",
            "action_error": {
                "name": "Error",
                "message": "Actions cannot be run at the moment.",
                "code": "unavailable",
                "stack": "",
            },
            "trigger_id": queued.map_or("", |queued| queued.trigger.as_str()),
            "execution_id": queued.map_or("", |queued| queued.execution_id.as_str()),
            "action_id": "",
            "action_name": "",
            "binding_id": "",
            "version_id": "",
        });
        tracing::error!("queued Actions are given up: {reason}");
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.outbox_dead(claimed, reason);
                let mut event = self.event(EventKind::ActionsFailed, &facts).user_id(&claimed.entry.subject);
                if let Some(client) = &client {
                    event = event.client(client);
                }
                event.says("The Actions could not be run; given up").details(details.clone()).record(tx);
                Ok(())
            })
            .await
    }

    /// The client for the log, unless it left meanwhile.
    async fn client_of(&self, queued: &Queued) -> Result<Option<Client>, Error> {
        match &queued.client_id {
            Some(id) => Ok(self.store().get(&Key::of(id)).await?),
            None => Ok(None),
        }
    }
}

impl Queued {
    /// Where the request came from that they follow.
    fn facts(&self) -> RequestFacts {
        RequestFacts {
            ip: self.ip.clone(),
            user_agent: self.user_agent.clone(),
            hostname: self.hostname.clone(),
            ..RequestFacts::default()
        }
    }
}

struct AfterwardsStage<'a, E> {
    event: E,
    ended: &'a mut Vec<Ended>,
}

impl<E: Afterwards> Stage for AfterwardsStage<'_, E> {
    const TRIGGER: &'static str = E::TRIGGER;
    const HANDLER: &'static str = E::HANDLER;

    fn event(&self, _: &Effects, secrets: sandbox::Secrets) -> sandbox::Event {
        self.event.clone().with_secrets(secrets)
    }

    /// There is nothing to ask for but the cache.
    fn absorb(&mut self, _: &Effects) -> Result<(), String> {
        Ok(())
    }

    fn ran_before(&self, binding_id: &ActionId) -> bool {
        self.ended.iter().any(|ended| ended.binding_id == *binding_id)
    }

    fn ended_well(&mut self, binding_id: &ActionId, result: &ExecutionResult) {
        self.ended.push(Ended { binding_id: binding_id.clone(), result: result.clone() });
    }
}

#[cfg(test)]
mod tests;

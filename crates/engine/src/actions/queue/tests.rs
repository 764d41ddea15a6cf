//! Queued Actions that find no worker, that ran in part, and that nobody can read.

use std::sync::Arc;

use domain::action::{ActionSource, ActionVersion, Binding, Execution};
use domain::event::LogEvent;
use domain::secret::Secret;
use domain::time::{Timestamp, minutes};
use serde_json::Map;
use store::{Order, OutboxFilter, OutboxState};

use super::*;
use crate::ports::ManualClock;
use crate::users::{NewUser, UserChanges};
use crate::{ApiCall, Caller, Ports, Settings};

const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// An engine whose sandbox starts no worker, and its clock.
async fn engine() -> (Engine, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW));
    let ports = Ports {
        clock: Arc::<ManualClock>::clone(&clock),
        ..Ports::real(domain::egress::Egress::everywhere_if(true)).unwrap()
    };
    (Engine::open(Settings::for_testing(), ports).await.unwrap(), clock)
}

/// Binds one Action to the trigger.
async fn bind(engine: &Engine) {
    let binding = Binding {
        id: "bound".into(),
        action_id: "action".into(),
        version_id: "version".into(),
        display_name: "Tell".into(),
        created_at: NOW,
        updated_at: NOW,
    };
    let version = ActionVersion {
        id: "version".into(),
        action_id: "action".into(),
        action_name: "Tell".into(),
        number: 1,
        compiled: None,
        packages: None,
        source: ActionSource {
            code: "exports.onExecutePostUserRegistration = async () => {};".into(),
            runtime: "node22".into(),
            dependencies: Vec::new(),
            secrets: Vec::new(),
            modules: Vec::new(),
        },
        modules: Vec::new(),
        created_at: NOW,
    };
    let bindings =
        TriggerBindings { trigger: TRIGGER_POST_USER_REGISTRATION.into(), bindings: vec![binding] };
    let put = async |tx: &mut Tx| -> Result<(), Error> {
        tx.insert(version.clone());
        tx.insert(bindings.clone());
        Ok(())
    };
    engine.store().transact(put).await.unwrap();
}

/// Makes a user through the Management API.
async fn register(engine: &Engine) -> User {
    let caller = Caller {
        subject: "x".into(),
        client_id: None,
        scopes: domain::scope::Scopes::default(),
        jti: None,
        is_administrator: false,
    };
    let call = ApiCall { caller, facts: RequestFacts::default(), body: Value::Null };
    let connection = domain::connection::Connection {
        id: domain::id::ConnectionId::new("con_1"),
        name: "db".into(),
        strategy: domain::connection::STRATEGY_DATABASE.into(),
        metadata: Map::new(),
        signup_enabled: true,
        oidc: None,
        kept: Map::new(),
        created_at: NOW,
    };
    let put = async |tx: &mut Tx| -> Result<(), Error> {
        tx.insert(connection.clone());
        Ok(())
    };
    engine.store().transact(put).await.unwrap();
    let email = Some(Some("ann@example.com".to_owned()));
    let new = NewUser {
        connection: "db".into(),
        password: Some(Secret::new("correct horse battery".to_owned())),
        profile: UserChanges { email, ..UserChanges::default() },
        ..NewUser::default()
    };
    engine.create_user(&call, new).await.unwrap()
}

/// Claims what is due and carries it out; answers how many it was.
async fn work(engine: &Engine) -> usize {
    let claimed = engine.claim_queued_runs(10).await.unwrap();
    let count = claimed.len();
    for run in claimed {
        engine.carry_out(run).await.unwrap();
    }
    count
}

async fn entries(engine: &Engine, state: OutboxState) -> Vec<store::OutboxEntry> {
    let filter = OutboxFilter::State { kind: OUTBOX_ACTIONS, state };
    engine.store().outbox_page(filter, None, 10).await.unwrap().items
}

async fn failures(engine: &Engine) -> Vec<LogEvent> {
    let page = engine.store().page_sharded::<LogEvent>(None, &Key::all(), None, 100, Order::Ascending).await;
    page.unwrap().items.into_iter().filter(|event| event.kind == EventKind::ActionsFailed).collect()
}

async fn executions(engine: &Engine) -> Vec<Execution> {
    engine.store().page::<Execution>(None, &Key::all(), None, 10, Order::Ascending).await.unwrap().items
}

#[tokio::test]
async fn what_finds_no_worker_is_put_off_and_given_up_with_its_record_in_the_end() {
    let (engine, clock) = engine().await;
    bind(&engine).await;
    let user = register(&engine).await;
    assert_eq!(work(&engine).await, 1);
    let pending = entries(&engine, OutboxState::Pending).await;
    assert_eq!((pending.len(), pending[0].attempts, &*pending[0].subject), (1, 1, user.id.as_str()));
    let wait_ms = pending[0].due_at.millis_since(NOW);
    assert!((1_000..=2_000).contains(&wait_ms), "{wait_ms}");
    assert!(pending[0].last_error.as_ref().unwrap().contains("no worker could be started"));
    assert_eq!((failures(&engine).await.len(), executions(&engine).await.len()), (0, 0));
    assert_eq!(work(&engine).await, 0, "not before its time");

    clock.advance_millis(QUEUED_ACTIONS_RETRY_TOTAL_MS);
    assert_eq!(work(&engine).await, 1);
    assert!(entries(&engine, OutboxState::Pending).await.is_empty());
    let (failures, executions) = (failures(&engine).await, executions(&engine).await);
    assert_eq!(failures[0].user_id.as_deref(), Some(user.id.as_str()));
    assert_eq!(failures[0].details["error_class"], "platform_error");
    assert_eq!(failures[0].details["execution_id"], executions[0].id.as_str());
    assert_eq!((failures.len(), executions.len(), executions[0].results.len()), (1, 1, 1));
}

#[tokio::test]
async fn an_action_that_ended_well_in_an_earlier_try_is_not_run_again_and_stays_in_the_record() {
    let (engine, _) = engine().await;
    bind(&engine).await;
    register(&engine).await;
    let Some(QueuedRun(claimed)) = engine.claim_queued_runs(1).await.unwrap().pop() else { panic!("queued") };
    let mut queued: Queued = serde_json::from_value(claimed.entry.body.clone()).unwrap();
    let result = ExecutionResult {
        action_name: "Tell".into(),
        action_id: "action".into(),
        version_id: "version".into(),
        started_at: NOW,
        ended_at: NOW,
        error: None,
        error_name: None,
        stack: None,
        cpu_us: 0,
        wall_us: 0,
        console: vec!["log: told".into()],
        commands: Vec::new(),
        event: None,
    };
    queued.ended.push(Ended { binding_id: "bound".into(), result: result.clone() });
    let put_off = async |tx: &mut Tx| -> Result<(), Error> {
        tx.outbox_rest_later(&claimed, NOW, "busy", serde_json::to_value(&queued).unwrap());
        Ok(())
    };
    engine.store().transact(put_off).await.unwrap();
    assert_eq!(work(&engine).await, 1, "there is no worker, and none is needed");
    assert!(entries(&engine, OutboxState::Pending).await.is_empty());
    let executions = executions(&engine).await;
    assert_eq!((&executions[0].id, &executions[0].results), (&queued.execution_id, &vec![result]));
    assert!(failures(&engine).await.is_empty());
}

#[tokio::test]
async fn what_does_not_decode_is_given_up_and_logged() {
    let (engine, _) = engine().await;
    let add = async |tx: &mut Tx| -> Result<(), Error> {
        tx.outbox_add(NewOutboxEntry {
            id: "x".into(),
            kind: OUTBOX_ACTIONS.into(),
            subject: "auth0|1".into(),
            due_at: NOW,
            expires_at: NOW.plus_millis(minutes(1)),
            body: Value::Null,
        });
        Ok(())
    };
    engine.store().transact(add).await.unwrap();
    assert_eq!(work(&engine).await, 1);
    assert_eq!(entries(&engine, OutboxState::Dead).await.len(), 1);
    assert_eq!(failures(&engine).await[0].user_id.as_deref(), Some("auth0|1"));
}

#[tokio::test]
async fn the_entry_holds_neither_hash_nor_password() {
    let (engine, _) = engine().await;
    bind(&engine).await;
    register(&engine).await;
    let body = entries(&engine, OutboxState::Pending).await[0].body.to_string();
    assert!(body.contains("ann@example.com"), "{body}");
    assert!(!body.contains("argon2") && !body.contains("correct horse"), "{body}");
}

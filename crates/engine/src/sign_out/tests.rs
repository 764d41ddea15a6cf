//! Ends of sessions that are too large for one commit, or that meet an exchange under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::client::{Client, ClientAuthMethod};
use domain::connection::{Connection, STRATEGY_DATABASE};
use domain::egress::Egress;
use domain::id::ConnectionId;
use domain::logout::{Initiator, Initiators};
use domain::scope::Scopes;
use domain::session::{Device, Session};
use domain::time::{Timestamp, minutes};
use domain::token::{AuthorizationCode, Grant, RefreshToken};
use domain::user::User;
use serde_json::{Map, Value};
use store::{Key, Order, OutboxFilter, OutboxState, Tx};

use super::{BoundTokens, OUTBOX_LOGOUT};
use crate::ports::ManualClock;
use crate::sign_in::hash;
use crate::users::UserChanges;
use crate::{ApiCall, Caller, Engine, Error, Ports, RequestFacts, Resource, Settings};

const NOW: Timestamp = Timestamp(1_790_000_000_000);

async fn engine() -> Engine {
    let ports =
        Ports { clock: Arc::new(ManualClock::at(NOW)), ..Ports::real(Egress::everywhere_if(true)).unwrap() };
    Engine::open(Settings::for_testing(), ports).await.unwrap()
}

fn call() -> ApiCall {
    let caller = Caller {
        subject: "x".into(),
        client_id: None,
        scopes: Scopes::default(),
        jti: None,
        is_administrator: false,
    };
    ApiCall { caller, facts: RequestFacts::default(), body: Value::Null }
}

fn client(engine: &Engine, id: &str) -> Client {
    let mut client = Client::new(id.into(), id, engine.new_client_secret(), NOW);
    client.auth_method = Some(ClientAuthMethod::None);
    client.logout.urls = vec!["http://localhost:1/".into()];
    client.logout.initiators = Some(Initiators::All);
    client
}

fn user(engine: &Engine) -> User {
    let connection = Connection {
        id: ConnectionId::new("con_1"),
        name: "db".into(),
        strategy: STRATEGY_DATABASE.into(),
        metadata: Map::new(),
        signup_enabled: true,
        oidc: None,
        kept: Map::new(),
        created_at: NOW,
    };
    engine.new_database_user(&connection, "ann@example.com", String::new())
}

fn session(id: String, user: &User, clients: usize) -> Session {
    Session {
        epoch: 0,
        upstream: None,
        id: id.as_str().into(),
        user_id: user.id.clone(),
        connection_id: ConnectionId::new("con_1"),
        organization_id: None,
        cookie_hash: String::new(),
        created_at: NOW,
        updated_at: NOW,
        authenticated_at: NOW,
        last_interacted_at: NOW,
        idle_expires_at: NOW.plus_millis(minutes(60)),
        expires_at: NOW.plus_millis(minutes(60)),
        cookie_mode: domain::session::CookieMode::Persistent,
        device: Device::default(),
        clients: (0..clients).map(|number| format!("c{number}").as_str().into()).collect(),
        methods: Vec::new(),
        metadata: domain::metadata::SessionMetadata::default(),
    }
}

fn grant(user: &User, session_id: &str) -> Grant {
    Grant {
        client_id: "c0".into(),
        user_id: user.id.clone(),
        session_id: Some(session_id.into()),
        organization_id: None,
        scopes: Scopes::parse("openid offline_access"),
        audience: None,
        authenticated_at: NOW,
        methods: Vec::new(),
        id_token_claims: Map::new(),
        access_token_claims: Map::new(),
    }
}

fn refresh_token(id: String, user: &User, session_id: &str) -> RefreshToken {
    RefreshToken {
        metadata: Default::default(),
        id: id.as_str().into(),
        hash: id,
        grant: grant(user, session_id),
        rotating: false,
        created_at: NOW,
        last_exchanged_at: None,
        idle_expires_at: None,
        expires_at: None,
        device: Device::default(),
        previous: None,
        earlier: Vec::new(),
        epoch: 0,
        rotations: 0,
    }
}

async fn commit(engine: &Engine, work: impl Fn(&mut Tx) + Send + Sync) {
    let done = engine.store().transact(async |tx| -> Result<(), Error> {
        work(tx);
        Ok(())
    });
    done.await.unwrap();
}

async fn sessions_and_tokens(engine: &Engine, user: &User) -> (usize, usize) {
    let (by, user) = (Some("user"), Key::of(&user.id));
    let sessions = engine.store().page::<Session>(by, &user, None, 1000, Order::Ascending).await.unwrap();
    let tokens = engine.store().page::<RefreshToken>(by, &user, None, 1000, Order::Ascending).await.unwrap();
    (sessions.items.len(), tokens.items.len())
}

#[tokio::test]
async fn a_user_with_many_sessions_in_many_applications_can_be_blocked() {
    let engine = engine().await;
    let user = user(&engine);
    commit(&engine, |tx| {
        tx.insert(user.clone());
        (0..40).for_each(|number| tx.insert(client(&engine, &format!("c{number}"))));
        for number in 0..60 {
            let session = session(format!("s{number}"), &user, 40);
            tx.insert(refresh_token(format!("r{number}"), &user, session.id.as_str()));
            tx.insert(session);
        }
    })
    .await;
    let changes = UserChanges { blocked: Some(true), ..UserChanges::default() };
    assert!(engine.update_user(&call(), &user.id, changes).await.unwrap().blocked);
    assert_eq!(sessions_and_tokens(&engine, &user).await, (0, 0));
    let filter = OutboxFilter::State { kind: OUTBOX_LOGOUT, state: OutboxState::Pending };
    let (mut queued, mut after) = (0, None);
    loop {
        let page = engine.store().outbox_page(filter, after.as_deref(), 1000).await.unwrap();
        queued += page.items.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(queued, 60, "one entry for each session, whatever the number of its clients");
}

#[tokio::test]
async fn an_end_of_everything_that_a_node_did_not_finish_holds_and_is_finished_by_the_sweep() {
    let engine = engine().await;
    let user = user(&engine);
    commit(&engine, |tx| {
        tx.insert(user.clone());
        tx.insert(client(&engine, "c0"));
        for number in 0..100 {
            let session = session(format!("s{number}"), &user, 1);
            tx.insert(refresh_token(format!("r{number}"), &user, session.id.as_str()));
            tx.insert(session);
        }
    })
    .await;
    // The commit of the change itself, after which the node stops.
    let facts = RequestFacts::default();
    let first_commit = engine.store().transact(async |tx| -> Result<(), Error> {
        let mut user: User = tx.get(&Key::of(&user.id)).await?.expect("it is there");
        let (initiator, tokens) = (Initiator::AccountDeactivated, BoundTokens::Revoke);
        engine.end_sessions_of_user(tx, &mut user, initiator, tokens, &facts).await?;
        tx.put(user);
        Ok(())
    });
    first_commit.await.unwrap();
    let (sessions, tokens) = sessions_and_tokens(&engine, &user).await;
    assert!(sessions > 0 && tokens > 0, "more than one commit has room for");
    assert_eq!(engine.refresh_token(&"r99".into()).await, Err(Error::NotFound(Resource::RefreshToken)));

    engine.sweep().await.unwrap();
    assert_eq!(sessions_and_tokens(&engine, &user).await, (0, 0));
    assert_eq!(engine.store().get::<User>(&Key::of(&user.id)).await.unwrap().unwrap().farewell, None);
}

#[tokio::test]
async fn a_session_with_more_refresh_tokens_than_a_commit_holds_is_revoked_with_all_of_them() {
    let engine = engine().await;
    let user = user(&engine);
    for hundred in 0..13 {
        commit(&engine, |tx| {
            for number in 0..100 {
                tx.insert(refresh_token(format!("r{hundred}-{number}"), &user, "s"));
            }
            if hundred == 0 {
                tx.insert(user.clone());
                tx.insert(session("s".into(), &user, 1));
            }
        })
        .await;
    }
    engine.end_session_by_api(&call(), &"s".into(), BoundTokens::Revoke).await.unwrap();
    assert_eq!(sessions_and_tokens(&engine, &user).await, (0, 0));
}

#[tokio::test]
async fn a_code_exchanged_while_its_session_is_revoked_leaves_no_refresh_token() {
    let engine = engine().await;
    let user = user(&engine);
    let verifier = "v".repeat(43);
    let code = AuthorizationCode {
        refresh_token: Default::default(),
        hash: hash("code"),
        grant: grant(&user, "s"),
        redirect_uri: "https://rp.example/".into(),
        nonce: None,
        code_challenge: Some(protocol::pkce::challenge_of(&verifier)),
        expires_at: NOW.plus_millis(60_000),
        forget_at: NOW.plus_millis(60_000),
        used: None,
    };
    commit(&engine, |tx| {
        tx.insert(user.clone());
        tx.insert(client(&engine, "c0"));
        tx.insert(session("s".into(), &user, 1));
        tx.insert(code.clone());
    })
    .await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "c0"),
        ("code", "code"),
        ("code_verifier", &*verifier),
    ];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let facts = RequestFacts::default();
    let exchanged = AtomicBool::new(false);
    let revoked = engine.store().transact(async |tx| -> Result<(), Error> {
        let Some(session) = tx.get::<Session>(&Key::of("s")).await? else { return Ok(()) };
        let tokens = BoundTokens::Revoke;
        let _ended = engine.end_session(tx, &session, Initiator::SessionRevoked, tokens, &facts).await?;
        if !exchanged.swap(true, Ordering::SeqCst) {
            // The exchange commits between the look at the session's tokens and the commit of its end.
            assert!(engine.token(&form, None, &facts).await?.refresh_token.is_some());
        }
        Ok(())
    });
    revoked.await.unwrap();
    assert_eq!(sessions_and_tokens(&engine, &user).await, (0, 0));
}

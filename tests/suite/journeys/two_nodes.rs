//! Two servers on one PostgreSQL: what one begins the other finishes, and what one held when it died the other takes over.

use domain::limits::OUTBOX_LEASE_MS;
use engine::ports::{Clock, SystemClock};
use serde_json::json;
use suite::browser::{BROWSER_COOKIE, SESSION_COOKIE, the_form};
use suite::program::Program;
use suite::store::{Place, run_in};
use suite::{App, Behaviour, Browser, RelyingParty, Server, Store, User, wait};

/// An application that hears of logouts, and somebody who can sign in to it.
async fn app_and_user(program: &Program) -> (App, RelyingParty, User) {
    let party = RelyingParty::listen(&program.wire).await;
    let client = json!({
        "name": "Shop", "app_type": "regular_web", "callbacks": ["https://shop.test/callback"],
        "oidc_logout": party.settings("all", &[], true),
    });
    let app = App::of(&program.wire, &program.api.post("clients", &client).await.expect(201).json());
    let (email, password) = ("ann@example.com".to_owned(), suite::server::PASSWORD.to_owned());
    let body =
        json!({ "connection": "Username-Password-Authentication", "email": email, "password": password });
    let made = program.api.post("users", &body).await.expect(201).json();
    let id = made["user_id"].as_str().unwrap().to_owned();
    (app, party, User { id, email, password })
}

/// A second server, in this process, whose clock is that of the first and so many milliseconds more.
async fn beside(place: &Place, first: &Program, ahead_ms: i64) -> Server {
    for name in ["master.key", "admin.json"] {
        std::fs::copy(place.folder.join("data").join(name), place.folder.join(name)).unwrap();
    }
    let server = Server::start(place, &[("server.public_url", &first.wire.url)]).await;
    server.advance_ms(SystemClock.now().millis_since(server.now()) + ahead_ms);
    server
}

async fn a_sign_in_begun_on_one_server_is_finished_on_the_other(place: &Place) {
    let first = Program::start(place, 0).await;
    let (app, _party, user) = app_and_user(&first).await;
    let mut second = beside(place, &first, 0).await;
    let other = second.address();

    let here = Browser::new(&first.wire);
    let page = here.get(&app.request().url()).await;
    let mut form = the_form(&page);
    form.set("username", &user.email);
    form.set("password", &user.password);
    let there = Browser::new(&first.wire);
    there.set_cookie(BROWSER_COOKIE, &here.cookie(BROWSER_COOKIE).unwrap());
    let done = there.post_once(&format!("{other}{}", form.action), &form.fields).await;
    let signed_in = app.redeem(&there.callback(&done)).await;

    // The session that the second server made is the first one's too, and the other way round.
    here.set_cookie(SESSION_COOKIE, &there.cookie(SESSION_COOKIE).unwrap());
    assert_eq!(app.sign_in_silently(&here).await.sid, signed_in.sid);
    first.api.set_session_metadata(&signed_in.sid, &json!({ "desk": "window" })).await;
    let silent = there.get_once(&app.silent().replace(&first.wire.url, &other)).await;
    assert_eq!(app.redeem(&there.callback(&silent)).await.sid, signed_in.sid);
    second.stop().await;
    first.kill().await;
}

async fn a_delivery_of_a_killed_server_is_taken_over_within_its_lease(place: &Place) {
    let first = Program::start(place, 0).await;
    let (app, party, user) = app_and_user(&first).await;
    let signed_in = app.sign_in(&Browser::new(&first.wire), &user).await;
    party.answer_next(&[Behaviour::Hang]);
    first.api.delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
    let (claimed, keys) = (party.raw(1).await, first.wire.keys().await);
    let mut second = beside(place, &first, 0).await;
    first.kill().await;

    second.deliver().await;
    assert_eq!(party.count(), 1, "the lease of the dead holds");
    second.advance_ms(OUTBOX_LEASE_MS + 1_000);
    second.deliver().await;
    let again = party.raw(2).await;
    let sid = |token: &str| keys.verify(token).expect("a good signature").claims["sid"].clone();
    assert_eq!((sid(&claimed), sid(&again)), (json!(signed_in.sid), json!(signed_in.sid)));
    second.deliver().await;
    assert_eq!(party.count(), 2, "delivered, and no more");
    second.stop().await;
}

async fn clocks_two_minutes_apart_lose_nothing(place: &Place) {
    let first = Program::start(place, 0).await;
    let (app, party, user) = app_and_user(&first).await;
    let mut second = beside(place, &first, 120_000).await;
    let signed_in = app.sign_in(&Browser::new(&first.wire), &user).await;
    // To the second server the first one's lease is over as soon as it begins.
    party.answer_next(&[Behaviour::Hang]);
    first.api.delete(&format!("sessions/{}", signed_in.sid)).await.expect(202);
    party.raw(1).await;
    wait::until("the delivery", async || {
        second.deliver().await;
        (party.count() >= 2).then_some(())
    })
    .await;
    let deliveries = wait::until("its state", async || {
        let all = first.api.get("logout-deliveries").await.expect(200).json();
        (all[0]["state"] == "delivered").then_some(all)
    })
    .await;
    assert_eq!(deliveries.as_array().unwrap().len(), 1, "{deliveries}");
    first.api.expect_no_session(&signed_in.sid).await;
    second.stop().await;
    first.kill().await;
}

#[test]
fn postgres_a_sign_in_begun_on_one_server_is_finished_on_the_other() {
    run_in(Store::Postgres, a_sign_in_begun_on_one_server_is_finished_on_the_other);
}

#[test]
fn postgres_a_delivery_of_a_killed_server_is_taken_over_within_its_lease() {
    run_in(Store::Postgres, a_delivery_of_a_killed_server_is_taken_over_within_its_lease);
}

#[test]
fn postgres_clocks_two_minutes_apart_lose_nothing() {
    run_in(Store::Postgres, clocks_two_minutes_apart_lose_nothing);
}

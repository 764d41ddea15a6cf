//! Which clock a server goes by: the database's where it has one, so that several servers agree; else its own.

use domain::time::Timestamp;
use engine::ports::{Clock, SystemClock};
use suite::store::{Place, run_in};
use suite::{Server, Store};

/// By how much the clock of the machine with the database may differ from this one's.
const APART_MS_MAX: i64 = 60_000;

/// When a server says that it is, on a machine whose own clock stands still somewhere else.
async fn time_of(place: &Place) -> (Timestamp, Timestamp) {
    let mut server = Server::start(place, &[("store.database_clock", "true")]).await;
    let token = server.api().token().await;
    let claims = server.wire.keys().await.verify(&token).expect("a good signature").claims;
    let issued = Timestamp(claims["iat"].as_i64().unwrap() * 1_000);
    let own = server.now();
    server.stop().await;
    (issued, own)
}

async fn a_server_goes_by_the_clock_of_postgresql(place: &Place) {
    let (issued, own) = time_of(place).await;
    let apart = |time: Timestamp| SystemClock.now().millis_since(time).abs();
    assert!(apart(issued) < APART_MS_MAX, "{issued} is now");
    assert!(apart(own) > APART_MS_MAX, "{own} is not");
}

async fn a_server_on_sqlite_goes_by_its_own(place: &Place) {
    let (issued, own) = time_of(place).await;
    assert!(own.millis_since(issued).abs() < APART_MS_MAX, "{issued}, {own}");
}

#[test]
fn postgres_a_server_goes_by_the_clock_of_postgresql() {
    run_in(Store::Postgres, a_server_goes_by_the_clock_of_postgresql);
}

#[test]
fn sqlite_a_server_on_sqlite_goes_by_its_own() {
    run_in(Store::Sqlite, a_server_on_sqlite_goes_by_its_own);
}

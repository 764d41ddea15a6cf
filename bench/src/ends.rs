//! How long ends take: a sign-out with one client and with a thousand, and very many sessions that ran out at once.
//!
//! The clients hear of it at a receiver of ours, which answers at once.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use axum::Router;
use domain::client::Client;
use domain::id::{ClientId, ConnectionId, SessionId, UserId, hexadecimal};
use domain::limits::SESSION_CLIENTS_MAX;
use domain::session::{CookieMode, Device, Session};
use domain::time::{Timestamp, days, minutes};
use serde_json::json;
use store::{Key, Order, Store};

use crate::place::{self, Place};
use crate::process::{ANY_PORT, Folder, Server};
use crate::setup::Api;
use crate::wire::{Ask, Wire};
use crate::{Options, Result, report};

/// Sign-outs of each kind.
const SIGN_OUTS: u64 = 20;
/// How long sessions that ran out may stay, in seconds.
const EXPIRED_SECONDS_MAX: f64 = 60.0;
/// By how many times a sign-out with a thousand clients may take longer than one with one client.
const RATIO_MAX: f64 = 1.5;
/// How long anything here may take.
const TIME_MAX: Duration = Duration::from_secs(15 * 60);
const POLL: Duration = Duration::from_millis(50);
const COOKIE_SECRET: &str = "bench";

/// Takes logout tokens and counts them.
struct Receiver {
    url: String,
    received: Arc<AtomicU64>,
}

impl Receiver {
    async fn listen() -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/logout", listener.local_addr()?);
        let received = Arc::<AtomicU64>::default();
        let count = Arc::clone(&received);
        let answer = async move || {
            count.fetch_add(1, Ordering::Relaxed);
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        Ok(Self { url, received })
    }

    fn count(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    async fn hears(&self, count: u64) -> Result<()> {
        until("the receiver to hear of every end", async || Ok(self.count() >= count)).await
    }
}

async fn until(what: &str, is_so: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    while !is_so().await? {
        if began.elapsed() > TIME_MAX {
            return Err(format!("waited in vain for {what}").into());
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Measures on SQLite, and on PostgreSQL where its URL is given; answers the report.
pub(crate) async fn measure_all(options: &Options, sessions: u64) -> Result<String> {
    let mut text = format!("Measured on {}.\n\n", report::machine(&options.folder));
    text += "| end | on | measured | at most |\n|---|---|---:|---:|\n";
    report::say(&text);
    Ok(text
        + &place::on_each(options, async |postgres| measure_on(options, sessions, postgres).await).await?)
}

async fn measure_on(options: &Options, sessions: u64, postgres: Option<(&str, &str)>) -> Result<String> {
    let folder = Folder::new(&options.folder, "ends")?;
    let mut place = Place::of(&folder, postgres);
    place.settings.push("logout.allow_insecure_urls=true".to_owned());
    let receiver = Receiver::listen().await?;
    let server = Server::start_in(&options.program, folder, ANY_PORT, &place.settings).await?;
    let party = json!({
        "app_type": "regular_web",
        "allowed_logout_urls": ["http://localhost:9/"],
        "oidc_logout": {
            "backchannel_logout_urls": [receiver.url],
            "backchannel_logout_initiators": { "mode": "all" },
        },
    });
    let client = ClientId::new(Api::open(&server).await?.app("Bench party", party).await?.id);
    let (folder, address) = server.stop();
    let clients = clients(&place, &client).await?;
    let now = place::now()?;
    for (kind, told) in [("one", &clients[..1]), ("many", &clients[..])] {
        place.fill(SIGN_OUTS, |n| session(&format!("{kind}{n}"), now, days(1), told)).await?;
    }
    let mut text = String::new();
    let server = Server::start_in(&options.program, folder, &address, &place.settings).await?;
    let one = sign_outs(&server, &client, ("one", 1), &receiver).await?;
    let many = sign_outs(&server, &client, ("many", clients.len() as u64), &receiver).await?;
    push(&mut text, &place, "sign-out with one client, p50", &format!("{one:.1} ms"), None);
    let name = format!("sign-out with {} clients, p50", clients.len());
    let aim = (format!("{:.1} ms", one * RATIO_MAX), many <= one * RATIO_MAX);
    push(&mut text, &place, &name, &format!("{many:.1} ms"), Some(aim));

    let (folder, address) = server.stop();
    place.fill(sessions, |n| session(&format!("late{n}"), now, -minutes(1), &clients[..1])).await?;
    let (store, before, began) = (place.open().await?, receiver.count(), Instant::now());
    let _server = Server::start_in(&options.program, folder, &address, &place.settings).await?;
    until("the sessions to end", async || none_left(&store).await).await?;
    let ended = began.elapsed().as_secs_f64();
    receiver.hears(before + sessions).await?;
    let told = began.elapsed().as_secs_f64();
    let aim = (format!("{EXPIRED_SECONDS_MAX:.0} s"), ended <= EXPIRED_SECONDS_MAX);
    push(
        &mut text,
        &place,
        &format!("{sessions} sessions that ran out, all ended"),
        &format!("{ended:.1} s"),
        Some(aim),
    );
    push(&mut text, &place, "their clients all told", &format!("{told:.1} s"), None);
    Ok(text)
}

/// So many clients as one session may have, all like this one.
async fn clients(place: &Place, like: &ClientId) -> Result<Vec<ClientId>> {
    let found: Option<Client> = place.open().await?.get(&Key::of(like)).await?;
    let found = found.ok_or("the client is in the store")?;
    let id = |n: u64| ClientId::new(format!("bench{n}"));
    let all = SESSION_CLIENTS_MAX as u64;
    place.fill(all, |n| Client { id: id(n), ..found.clone() }).await?;
    Ok((0..all).map(id).collect())
}

/// A session of its own user, which runs out `left_ms` from `now` on.
fn session(name: &str, now: Timestamp, left_ms: i64, clients: &[ClientId]) -> Session {
    let (begin, end) = (now.plus_millis(-days(1)), now.plus_millis(left_ms));
    Session {
        id: SessionId::new(format!("sid_{name}")),
        user_id: UserId::new(format!("auth0|{name}")),
        connection_id: ConnectionId::new("con_aaaaaaaaaaaaaaaa"),
        organization_id: None,
        cookie_hash: hexadecimal(digest::digest(&digest::SHA256, COOKIE_SECRET.as_bytes()).as_ref()),
        created_at: begin,
        updated_at: begin,
        authenticated_at: begin,
        last_interacted_at: begin,
        idle_expires_at: end,
        expires_at: end,
        cookie_mode: CookieMode::Persistent,
        device: Device::default(),
        clients: clients.to_vec(),
        methods: Vec::new(),
        epoch: 0,
        upstream: None,
        metadata: Default::default(),
    }
}

/// Signs out one browser after the other; answers the median in milliseconds.
/// The median in milliseconds. Before the next one all clients have heard of the last, so that what is measured is the answer
/// to the user, and not what signing a thousand tokens leaves of two cores.
async fn sign_outs(
    server: &Server,
    client: &ClientId,
    (kind, clients): (&str, u64),
    receiver: &Receiver,
) -> Result<f64> {
    let mut wire = Wire::open(&server.address).await?;
    let (mut took_ms, mut heard) = (Vec::new(), receiver.count());
    for n in 0..SIGN_OUTS {
        let path = format!("/v2/logout?client_id={client}&returnTo=http%3A%2F%2Flocalhost%3A9%2F");
        let ask = Ask::get(path).cookies(&format!("__Host-vestibule=sid_{kind}{n}.{COOKIE_SECRET}"));
        let began = Instant::now();
        wire.ask(ask).await?.expect(302)?;
        took_ms.push(began.elapsed().as_secs_f64() * 1e3);
        heard += clients;
        receiver.hears(heard).await?;
    }
    took_ms.sort_by(f64::total_cmp);
    Ok(took_ms[took_ms.len() / 2])
}

async fn none_left(store: &Store) -> Result<bool> {
    let page = store.page::<Session>(None, &Key::default(), None, 1, Order::Ascending).await?;
    Ok(page.items.is_empty())
}

fn push(text: &mut String, place: &Place, name: &str, measured: &str, aim: Option<(String, bool)>) {
    let (most, reached) = aim.unwrap_or_default();
    let mark = report::mark(reached || most.is_empty());
    let line = format!("| {name} | {} | {measured}{mark} | {most} |", place.name);
    report::say(&line);
    let _ = writeln!(text, "{line}");
}

//! How long a page of the log takes among many events: the store is filled, the server numbers and indexes them, and each
//! filter is asked for by one client at a time.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use domain::event::{EventKind, LogEvent};
use domain::id::LogId;
use domain::log_index::{LOG_BLOCK_EVENTS, LogHead};
use domain::time::{Timestamp, days};
use serde_json::json;
use store::tables::log_head_key;

use crate::load::{Measured, measure};
use crate::place::{self, Place};
use crate::process::{ANY_PORT, Folder, Server};
use crate::report;
use crate::setup::Api;
use crate::wire::{Ask, Wire};
use crate::{Options, Result};

/// How far the events reach back: less than they are kept.
const REACH_DAYS: u32 = 28;
/// What a page may take, in milliseconds.
const PAGE_MS_MAX: f64 = 50.0;
/// How long the server may take to number everything.
const NUMBER_TIME_MAX: Duration = Duration::from_secs(30 * 60);
const POLL: Duration = Duration::from_secs(1);
/// Who appears in the events, and how often: one of so many.
const USERS: u64 = 50_000;
const CLIENTS: u64 = 40;

/// One connection that reads the log.
struct Seat {
    wire: Wire,
    token: String,
    first: Timestamp,
    events: u64,
    count: u64,
}

/// What is asked for, and how; `q` is made anew for each request.
struct Row {
    name: &'static str,
    q: fn(&Seat) -> String,
    /// What follows in the query.
    more: &'static str,
}

const ROWS: &[Row] = &[
    Row { name: "the newest", q: |_| String::new(), more: "" },
    Row { name: "`type:f` (one in ten)", q: |_| "type:f".into(), more: "" },
    Row { name: "`NOT type:s` (one in two)", q: |_| "NOT type:s".into(), more: "" },
    Row {
        name: "`user_id:…` (20 events)",
        q: |seat| format!("user_id:\"auth0|{}\"", seat.draw(1, USERS)),
        more: "",
    },
    Row {
        name: "`session_id:…` (2 events)",
        q: |seat| format!("session_id:\"{}\"", session(seat.draw(2, seat.events))),
        more: "",
    },
    Row {
        name: "`ip:…` that is nowhere", q: |seat| format!("ip:203.0.113.{}", seat.draw(3, 250)), more: ""
    },
    Row {
        name: "`client_id:… AND type:(f OR fp)`",
        q: |seat| format!("client_id:client_{} AND type:(f OR fp)", seat.draw(4, CLIENTS)),
        more: "",
    },
    Row {
        name: "`type:fp AND date:[… TO …]`, a day",
        q: |seat| format!("type:fp AND {}", seat.day()),
        more: "",
    },
    Row {
        name: "`user_agent:*Firefox* AND date:[… TO …]`, a day",
        q: |seat| format!("user_agent:*Firefox* AND {}", seat.day()),
        more: "",
    },
    Row { name: "a word, `\"client 7\"`", q: |_| "\"client 7\"".into(), more: "" },
    Row {
        name: "`type:f`, the last page, with its total",
        q: |_| "type:f".into(),
        more: "&page=9&per_page=100&include_totals=true",
    },
    Row {
        name: "`user_id:…`, oldest first",
        q: |seat| format!("user_id:\"auth0|{}\"", seat.draw(5, USERS)),
        more: "&sort=date:1",
    },
];

impl Seat {
    /// A number below `end` that looks like chance.
    fn draw(&self, salt: u64, end: u64) -> u64 {
        mixed(self.count.wrapping_mul(31).wrapping_add(salt)) % end
    }

    fn day(&self) -> String {
        let hours = i64::try_from(self.draw(6, u64::from(REACH_DAYS - 1) * 24)).unwrap_or_default();
        let begin = self.first.plus_millis(hours * 3_600_000);
        format!("date:[{begin} TO {}]", begin.plus_millis(days(1)))
    }

    async fn get(&mut self, path: String) -> Result<()> {
        let ask = Ask::get(path).with("authorization", &format!("Bearer {}", self.token));
        self.wire.ask(ask).await?.expect(200).map(drop)
    }

    async fn search(&mut self, row: &Row) -> Result<()> {
        self.count += 1;
        let q: String = url::form_urlencoded::byte_serialize((row.q)(self).as_bytes()).collect();
        self.get(format!("/api/v2/logs?q={q}{}", row.more)).await
    }

    async fn follow(&mut self) -> Result<()> {
        self.count += 1;
        let id = event(self.first, self.draw(7, self.events), self.events).id;
        self.get(format!("/api/v2/logs?from={id}&take=100")).await
    }
}

/// SplitMix64.
const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn session(n: u64) -> String {
    format!("sid_{:016x}", mixed(n / 2))
}

/// The `n`th of so many events.
fn event(first: Timestamp, n: u64, events: u64) -> LogEvent {
    let draw = |salt: u64, end: u64| mixed(n.wrapping_mul(17).wrapping_add(salt)) % end;
    let span = u64::try_from(days(REACH_DAYS)).unwrap_or_default();
    let date =
        first.plus_millis(i64::try_from(u128::from(span) * u128::from(n) / u128::from(events)).unwrap_or(0));
    let digits: String = date.to_string().chars().filter(char::is_ascii_digit).collect();
    let kind = match draw(1, 20) {
        0..10 => EventKind::Login,
        10..12 => EventKind::LoginFailed,
        12 => EventKind::PasswordWrong,
        13..17 => EventKind::CodeExchange,
        17 => EventKind::Logout,
        _ => EventKind::ApiOperation,
    };
    let (user, client) = (draw(2, USERS), draw(3, CLIENTS));
    let browser = ["Firefox/140.0", "Chrome/139.0.0.0 Safari/537.36", "Version/18.5 Safari/605.1.15"]
        [(user % 3) as usize];
    LogEvent {
        id: LogId::new(format!("900{digits}{:036}", mixed(n))),
        date,
        kind,
        description: (kind == EventKind::PasswordWrong).then(|| "Wrong email or password.".to_owned()),
        client_id: Some(format!("client_{client}")),
        client_name: Some(format!("client {client}")),
        user_id: Some(format!("auth0|{user}")),
        user_name: Some(format!("user{user}@example.com")),
        session_id: Some(session(n)),
        connection: Some("Username-Password-Authentication".to_owned()),
        connection_id: Some("con_aaaaaaaaaaaaaaaa".to_owned()),
        strategy: Some("auth0".to_owned()),
        organization_id: None,
        organization_name: None,
        ip: Some(format!("10.{}.{}.{}", user >> 16, (user >> 8) & 255, user & 255)),
        user_agent: Some(format!("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 {browser}")),
        hostname: Some("id.example.com".to_owned()),
        auth0_client: None,
        correlation_id: None,
        audience: None,
        scope: None,
        details: json!({
            "prompts": [{ "name": "login", "elapsed_ms": draw(4, 60_000), "flow": "login" }],
            "completed_at": date.to_string(),
            "elapsed_ms": draw(5, 90_000),
            "session_id": session(n),
            "stats": { "logins_count": draw(6, 900) },
        }),
        kept_days: None,
    }
}

/// Measures on SQLite, and on PostgreSQL where its URL is given; answers the report.
pub(crate) async fn measure_all(options: &Options, events: u64) -> Result<String> {
    let text = format!("Measured with {events} events on {}.\n", report::machine(&options.folder));
    Ok(text + &place::on_each(options, async |postgres| measure_on(options, events, postgres).await).await?)
}

async fn measure_on(options: &Options, events: u64, postgres: Option<(&str, &str)>) -> Result<String> {
    let folder = Folder::new(&options.folder, "logs")?;
    let place = Place::of(&folder, postgres);
    // The first start makes the tenant. Events come in while no server is there to number them.
    let server = Server::start_in(&options.program, folder, ANY_PORT, &place.settings).await?;
    let (folder, address) = server.stop();
    let first = place::now()?.plus_millis(-days(REACH_DAYS));
    let began = Instant::now();
    fill(&place, first, events).await?;
    let (filled, began) = (began.elapsed(), Instant::now());
    let server = Server::start_in(&options.program, folder, &address, &place.settings).await?;
    numbered(&place, events).await?;
    place.settle().await?;
    let per_second = |took: Duration| events as f64 / took.as_secs_f64();
    let mut text = format!(
        "\nOn {}, written at {:.0} a second, then numbered and indexed at {:.0} a second:\n\n",
        place.name,
        per_second(filled),
        per_second(began.elapsed()),
    );
    text += "| page of the log | count | p50 ms | p99 ms |\n|---|---:|---:|---:|\n";
    report::say(&text);
    let token = Api::open(&server).await?.token;
    for row in ROWS {
        let (wire, token) = (Wire::open(&server.address).await?, token.clone());
        let seats = vec![Seat { wire, token, first, events, count: 0 }];
        let step = async |seat: &mut Seat| seat.search(row).await;
        let (measured, _) = measure(&server.process, seats, options.time, step).await?;
        push(&mut text, row.name, &measured);
    }
    let seats = vec![Seat { wire: Wire::open(&server.address).await?, token, first, events, count: 0 }];
    let step = async |seat: &mut Seat| seat.follow().await;
    let (measured, _) = measure(&server.process, seats, options.time, step).await?;
    push(&mut text, "100 behind a checkpoint", &measured);
    Ok(text)
}

fn push(text: &mut String, name: &str, measured: &Measured) {
    let p99 = measured.percentile_ms(99);
    let (count, p50, mark) = (measured.count, measured.percentile_ms(50), report::mark(p99 <= PAGE_MS_MAX));
    let line = format!("| {name} | {count} | {p50:.1} | {p99:.1}{mark} |");
    report::say(&line);
    let _ = writeln!(text, "{line}");
}

/// Writes events straight to the store.
async fn fill(place: &Place, first: Timestamp, events: u64) -> Result<()> {
    place.fill(events, move |n| event(first, n, events)).await
}

/// Waits until the server has numbered all events.
async fn numbered(place: &Place, events: u64) -> Result<()> {
    let (store, until) = (place.open().await?, Instant::now() + NUMBER_TIME_MAX);
    loop {
        let head: LogHead = store.get(&log_head_key()).await?.unwrap_or_default();
        if head.blocks * LOG_BLOCK_EVENTS as u64 + head.open.ids.len() as u64 >= events {
            return Ok(());
        }
        if Instant::now() > until {
            return Err("the server does not number the events".into());
        }
        tokio::time::sleep(POLL).await;
    }
}

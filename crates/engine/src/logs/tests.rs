//! What the index finds is what a look at each event finds, and whoever follows the log meets each event once.

use std::sync::Arc;

use domain::connection::{CONNECTION_DEFAULT, STRATEGY_DATABASE};
use domain::egress::Egress;
use domain::event::{EventKind, LogEvent};
use domain::id::{LogId, UserId};
use domain::limits::LOG_SEARCH_EVENTS_MAX;
use domain::log_index::{LOG_BLOCK_EVENTS, LOG_SEGMENT_BLOCKS, LogHead, LogSegment};
use domain::query::Query;
use domain::secret::Secret;
use domain::time::{Timestamp, days};
use serde_json::Value;
use store::tables::log_head_key;
use store::{Key, Order};

use super::fields::value;
use super::{LOG_SYNTAX, LogOrder};
use crate::listing::Slice;
use crate::ports::ManualClock;
use crate::users::{NewUser, UserChanges};
use crate::{ApiCall, Caller, Engine, Error, Ports, RequestFacts, Settings};

const NOW: Timestamp = Timestamp(1_790_000_000_000);
/// Events that make two merged segments, some blocks and a part of one.
const MANY: usize = LOG_BLOCK_EVENTS * (2 * 32 + 6) + 50;

async fn engine() -> Engine {
    let nowhere = Egress::default();
    let ports = Ports { clock: Arc::new(ManualClock::at(NOW)), ..Ports::real(nowhere).unwrap() };
    Engine::open(Settings::for_testing(), ports).await.unwrap()
}

/// Numbers that look like chance, the same in each run: SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 33) as usize % end
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// The `n`th event; ten come in each second.
fn event(n: usize, chance: &mut Chance) -> LogEvent {
    let date = NOW.plus_millis(i64::try_from(n).unwrap() * 100);
    let digits: String = date.to_string().chars().filter(char::is_ascii_digit).collect();
    let kinds = [EventKind::ApiOperation, EventKind::Login, EventKind::Logout, EventKind::LoginFailed];
    let some = |text: &str| (text != "-").then(|| text.to_owned());
    LogEvent {
        id: LogId::new(format!("900{digits}{:036}", chance.below(1 << 30))),
        date,
        kind: kinds[chance.below(kinds.len())],
        description: some(chance.of(&["Create a client", "Wrong password", "-"])),
        client_id: some(chance.of(&["a", "b", "c"])),
        client_name: None,
        user_id: match chance.below(12) {
            0..4 => None,
            4..6 => Some("auth0|7".to_owned()),
            _ => Some(format!("auth0|{}", chance.below(300))),
        },
        user_name: None,
        session_id: (chance.below(2) > 0).then(|| format!("sid_{n}")),
        connection: some(chance.of(&["Username-Password-Authentication", "-"])),
        connection_id: None,
        strategy: some(chance.of(&[STRATEGY_DATABASE, "oidc", "-"])),
        organization_id: None,
        organization_name: None,
        ip: some(chance.of(&["127.0.0.1", "::1", "192.0.2.7"])),
        user_agent: None,
        hostname: None,
        auth0_client: None,
        correlation_id: None,
        audience: None,
        scope: None,
        details: Value::Null,
        kept_days: None,
    }
}

async fn write(engine: &Engine, events: &[LogEvent]) {
    let work = async |tx: &mut store::Tx| -> store::Result<()> {
        events.iter().for_each(|event| tx.insert(event.clone()));
        Ok(())
    };
    engine.store().transact(work).await.unwrap();
}

/// Events that are written in some disorder and numbered now and then; the last of them are new. In order.
async fn written(engine: &Engine, count: usize, chance: &mut Chance) -> Vec<LogEvent> {
    let mut events: Vec<LogEvent> = (0..count).map(|n| event(n, chance)).collect();
    let sorted = events.clone();
    for at in 0..count {
        let other = (at + chance.below(200)).min(count - 1);
        // Few come late, as in life; some of them by whole blocks.
        if chance.below(20) == 0 {
            events.swap(at, other);
        }
    }
    for (n, batch) in events.chunks(250).enumerate() {
        write(engine, batch).await;
        let left = count.saturating_sub((n + 1) * 250);
        if left >= 300 && (left < 600 || chance.below(3) > 0) {
            engine.number_logs().await.unwrap();
        }
    }
    sorted
}

fn ids(events: &[LogEvent]) -> Vec<&LogId> {
    events.iter().map(|event| &event.id).collect()
}

fn page(start: usize, limit: usize, totals: bool) -> Slice {
    Slice::Offset { start, limit, totals }
}

fn random_query(chance: &mut Chance) -> String {
    let mut term = || match chance.below(14) {
        0 => format!("user_id:\"auth0|{}\"", chance.below(310)),
        1 => format!("session_id:sid_{}", chance.below(MANY + 500)),
        2 => format!("type:{}", chance.of(&["s", "f", "sapi", "slo", "ssa"])),
        3 => format!("type:{}*", chance.of(&["s", "f", "sa"])),
        4 => format!("NOT type:{}", chance.of(&["s", "f*", "sapi"])),
        5 => format!("client_id:({} OR {})", chance.of(&["a", "b"]), chance.of(&["c", "nobody"])),
        6 => format!("date:[{} TO *]", NOW.plus_millis(chance.below(MANY) as i64 * 100)),
        7 => format!("date:{{* TO {}}}", NOW.plus_millis(chance.below(MANY) as i64 * 100)),
        8 => format!("-ip:{}", chance.of(&["\"::1\"", "127*", "*"])),
        9 => format!("strategy_type:{}", chance.of(&["database", "enterprise", "social"])),
        10 => "description:*password".to_owned(),
        11 => "_exists_:session_id".to_owned(),
        12 => chance.of(&["f", "127.0.0.1", "\"Create a client\""]).to_owned(),
        _ => format!("user_id:auth0|{}*", chance.below(30)),
    };
    let terms: Vec<_> = (0..4).map(|_| term()).collect();
    match chance.below(5) {
        0 => terms[0].clone(),
        1 | 2 => terms[..2].join(" AND "),
        3 => format!("{} AND ({} OR {})", terms[0], terms[1], terms[2]),
        _ => format!("({} AND {}) OR ({} AND {})", terms[0], terms[1], terms[2], terms[3]),
    }
}

#[tokio::test]
async fn a_search_finds_what_a_look_at_each_event_finds() {
    let (engine, mut chance) = (engine().await, Chance(7));
    let mut all = written(&engine, MANY, &mut chance).await;
    let head = engine.store().get::<LogHead>(&log_head_key()).await.unwrap().unwrap();
    assert!(
        head.merged == 2 && head.blocks > 2 * LOG_SEGMENT_BLOCKS && !head.open.ids.is_empty(),
        "{head:?}"
    );
    let new = engine.new_logs(1000).await.unwrap();
    assert!(!new.is_empty(), "some are not numbered");
    for _ in 0..60 {
        let q = random_query(&mut chance);
        let query = Query::parse(&q, &LOG_SYNTAX).unwrap();
        let mut fitting: Vec<LogEvent> =
            all.iter().filter(|event| query.matches(|field| value(event, field))).cloned().collect();
        let (start, limit) = (chance.below(4) * 10, 1 + chance.below(60));
        for order in [LogOrder::OldestFirst, LogOrder::NewestFirst] {
            if order == LogOrder::NewestFirst {
                fitting.reverse();
            }
            let found = engine.logs(&page(start, limit, true), Some(&q), order).await.unwrap();
            let expected: Vec<_> = fitting.iter().skip(start).take(limit).map(|event| &event.id).collect();
            assert_eq!(ids(&found.items), expected, "{q} {order:?} {start} {limit}");
            assert_eq!(found.total, Some(fitting.len().min(1000)), "{q}");
            let found = engine.logs(&page(start, limit, false), Some(&q), order).await.unwrap();
            assert_eq!((ids(&found.items), found.total), (expected, None), "{q}");
        }
    }
    all.reverse();
    let first = engine.logs(&page(0, 50, false), None, LogOrder::NewestFirst).await.unwrap();
    assert_eq!(ids(&first.items), ids(&all[..50]));
}

/// The whole log as somebody sees it who reads it in pages of so many.
async fn followed(engine: &Engine, mut from: Option<LogId>, take: usize) -> Vec<LogEvent> {
    let mut all = Vec::new();
    loop {
        let events = engine.logs_after(from.as_ref(), take).await.unwrap();
        let Some(last) = events.last() else { return all };
        from = Some(last.id.clone());
        all.extend(events);
    }
}

#[tokio::test]
async fn an_event_that_is_committed_late_stands_at_the_end() {
    let (engine, mut chance) = (engine().await, Chance(1));
    let events: Vec<_> = (0..LOG_BLOCK_EVENTS * 2).map(|n| event(n, &mut chance)).collect();
    let late = [3, LOG_BLOCK_EVENTS, LOG_BLOCK_EVENTS + 7];
    let (mut on_time, mut held) = (Vec::new(), Vec::new());
    for (n, event) in events.into_iter().enumerate() {
        if late.contains(&n) { held.push(event) } else { on_time.push(event) }
    }
    write(&engine, &on_time).await;
    let before = followed(&engine, None, 100).await;
    assert_eq!(ids(&before), ids(&on_time));
    write(&engine, &held).await;
    let last = on_time.last().unwrap().id.clone();
    let after = followed(&engine, Some(last), 100).await;
    assert_eq!(ids(&after), ids(&held), "although each of them is older");
    // From a late one, in a block that is full by now, the next is the one that came after it.
    let more: Vec<_> = (500..500 + LOG_BLOCK_EVENTS).map(|n| event(n, &mut chance)).collect();
    write(&engine, &more).await;
    let behind = followed(&engine, Some(held[1].id.clone()), 7).await;
    assert_eq!(ids(&behind), [ids(&held[2..]), ids(&more)].concat());
    // Behind one that is not there: what is newer in its block, and all blocks after it, in which the late ones are.
    let gone = LogId::new(format!("{}!", on_time[9].id));
    let newer = followed(&engine, Some(gone), 50).await;
    assert_eq!(ids(&newer), [ids(&on_time[10..]), ids(&held), ids(&more)].concat());
}

#[tokio::test]
async fn the_log_of_a_user_is_followed_as_the_whole_log_is() {
    let (engine, mut chance) = (engine().await, Chance(3));
    engine.ensure_tenant().await.unwrap();
    let caller = Caller {
        subject: "x".into(),
        client_id: None,
        scopes: Default::default(),
        jti: None,
        is_administrator: false,
    };
    let call = ApiCall { caller, facts: RequestFacts::default(), body: Value::Null };
    let profile = UserChanges { email: Some(Some("ann@example.com".into())), ..UserChanges::default() };
    let connection = CONNECTION_DEFAULT.to_owned();
    let new = NewUser {
        connection,
        user_id: Some("7".into()),
        password: Some(Secret::new("long enough!".to_owned())),
        profile,
    };
    let user = engine.create_user(&call, new).await.unwrap();
    assert_eq!(user.id, UserId::new("auth0|7"));
    written(&engine, MANY, &mut chance).await;
    let whole = followed(&engine, None, 1000).await;
    let of_user: Vec<_> =
        whole.into_iter().filter(|event| event.user_id.as_deref() == Some("auth0|7")).collect();
    assert!(of_user.len() > 1_000, "{}", of_user.len());
    let (mut from, mut seen) = (None, Vec::new());
    loop {
        let slice = Slice::Checkpoint { from: from.clone(), take: 40 };
        let listing = engine.logs_of_user(&user.id, &slice, LogOrder::NewestFirst).await.unwrap();
        seen.extend(listing.items);
        if listing.next.is_none() {
            break;
        }
        from = listing.next;
    }
    assert_eq!(ids(&seen), ids(&of_user));
}

#[tokio::test]
async fn events_from_before_there_was_an_order_are_taken_into_it() {
    let (engine, mut chance) = (engine().await, Chance(9));
    let events: Vec<_> = (0..1_200).map(|n| event(n, &mut chance)).collect();
    for batch in events.chunks(400) {
        write(&engine, batch).await;
        let forget = async |tx: &mut store::Tx| -> store::Result<()> {
            batch.iter().for_each(|event| tx.drop_entries("new", event));
            Ok(())
        };
        engine.store().transact(forget).await.unwrap();
    }
    // As an older release left it: no event is marked as new, and there is no head.
    assert!(engine.new_logs(10).await.unwrap().is_empty());
    let wanted =
        events[5].session_id.clone().or(events[6].session_id.clone()).unwrap_or_else(|| "none".into());
    let q = format!("client_id:a AND NOT session_id:{wanted}");
    let found = engine.logs(&page(0, 1000, true), Some(&q), LogOrder::OldestFirst).await.unwrap();
    let query = Query::parse(&q, &LOG_SYNTAX).unwrap();
    let fitting: Vec<_> = events.iter().filter(|event| query.matches(|field| value(event, field))).collect();
    assert_eq!(ids(&found.items), fitting.iter().map(|event| &event.id).collect::<Vec<_>>());
    let more = [event(2_000, &mut chance)];
    write(&engine, &more).await;
    let all = followed(&engine, None, 100).await;
    assert_eq!(ids(&all), [ids(&events), ids(&more)].concat());
}

#[tokio::test]
async fn a_search_that_would_look_at_too_much_is_refused_with_advice() {
    let (engine, mut chance) = (engine().await, Chance(2));
    let count = LOG_SEARCH_EVENTS_MAX + 300;
    for first in (0..count).step_by(500) {
        let batch: Vec<_> = (first..(first + 500).min(count)).map(|n| event(n, &mut chance)).collect();
        write(&engine, &batch).await;
    }
    for q in ["description:*nowhere*", "ip:* AND description:*nowhere*"] {
        let refused = engine.logs(&page(0, 10, false), Some(q), LogOrder::NewestFirst).await;
        assert!(
            matches!(&refused, Err(Error::Invalid { message, .. }) if message.contains("date:[")),
            "{refused:?}"
        );
        let narrowed = format!("{q} AND date:[{} TO *]", NOW.plus_millis(100 * 1000));
        let found = engine.logs(&page(0, 10, false), Some(&narrowed), LogOrder::NewestFirst).await.unwrap();
        assert!(found.items.is_empty());
    }
}

#[tokio::test]
async fn the_index_goes_when_its_events_have_gone() {
    let (engine, mut chance) = (engine().await, Chance(4));
    written(&engine, LOG_BLOCK_EVENTS * 33, &mut chance).await;
    engine.number_logs().await.unwrap();
    let end = NOW.plus_millis(days(400));
    while engine.store().sweep_expired(end, 10_000).await.unwrap() > 0 {}
    let left =
        engine.store().page::<LogSegment>(None, &Key::all(), None, 10, Order::Ascending).await.unwrap();
    assert_eq!(left.items, []);
    assert_eq!(followed(&engine, None, 100).await, []);
    let found = engine.logs(&page(0, 10, true), Some("type:s"), LogOrder::NewestFirst).await.unwrap();
    assert_eq!((found.items.len(), found.total), (0, Some(0)));
    let more: Vec<_> = (5_000..5_010).map(|n| event(n, &mut chance)).collect();
    write(&engine, &more).await;
    assert_eq!(ids(&followed(&engine, None, 3).await), ids(&more));
}

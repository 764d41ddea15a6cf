//! PostgreSQL behind a connection that breaks at the worst moments: every commit is still known, done once, or said
//! to be unknown.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use store::postgres::Postgres;
use store::{Store, StoreError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::backends::{drop_schema, over, postgres_url, runtime, unique_name};
use crate::records::{Member, count, increment, insert, member};

/// What the connection does with the next bytes from the store that hold the marked value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    /// Drop them and close: the server never hears of it.
    BeforeTheServer,
    /// Pass them on, wait for the answer, drop that and close.
    AfterTheServer,
    /// As before, and let nobody connect from then on.
    AfterTheServerAndStayDown,
}

/// Stands in the marked bytes, as part of a record.
const MARK: &[u8] = b"break the connection here";

struct Link {
    address: std::net::SocketAddr,
    breaks: Arc<std::sync::Mutex<Option<Break>>>,
    broken: Arc<AtomicU64>,
    down: watch::Sender<bool>,
}

impl Link {
    /// A link to the server on a free port.
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (down, is_down) = watch::channel(false);
        let link = Self { address, breaks: Arc::default(), broken: Arc::default(), down };
        let (breaks, broken, down) = (link.breaks.clone(), link.broken.clone(), link.down.clone());
        tokio::spawn(async move {
            while let Ok((store, _)) = listener.accept().await {
                if *is_down.borrow() {
                    continue;
                }
                let (breaks, broken, down, server) =
                    (breaks.clone(), broken.clone(), down.clone(), server.clone());
                tokio::spawn(async move {
                    let server = TcpStream::connect(&*server).await.unwrap();
                    forward(store, server, &breaks, &broken, &down).await;
                });
            }
        });
        link
    }

    fn break_at_mark(&self, how: Break) {
        *self.breaks.lock().unwrap() = Some(how);
    }
}

async fn forward(
    mut store: TcpStream,
    mut server: TcpStream,
    breaks: &std::sync::Mutex<Option<Break>>,
    broken: &AtomicU64,
    down: &watch::Sender<bool>,
) {
    let (mut up, mut back) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = store.read(&mut up) => {
                let Ok(length @ 1..) = read else { return };
                let marked = up[..length].windows(MARK.len()).any(|window| window == MARK);
                let how = if marked { breaks.lock().unwrap().take() } else { None };
                if how.is_some() {
                    broken.fetch_add(1, Ordering::SeqCst);
                }
                if how == Some(Break::BeforeTheServer) {
                    return;
                }
                server.write_all(&up[..length]).await.unwrap();
                if how.is_some() {
                    // The answer's first byte comes only when the statement has committed.
                    let _ = server.read(&mut back).await;
                    down.send_replace(how == Some(Break::AfterTheServerAndStayDown));
                    return;
                }
            }
            read = server.read(&mut back) => {
                let Ok(length @ 1..) = read else { return };
                if store.write_all(&back[..length]).await.is_err() { return }
            }
        }
    }
}

/// The URL with another address, and the address it had.
fn through(url: &str, address: std::net::SocketAddr) -> (String, String) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) =
        authority.rsplit_once('@').map_or((String::new(), authority), |(u, h)| (format!("{u}@"), h));
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:5432") };
    (format!("{scheme}://{user}{address}/{path}"), host)
}

fn with_link<F: Future<Output = ()>>(
    runtime: &tokio::runtime::Runtime,
    test: impl FnOnce(Link, Store, Store) -> F,
) {
    let Some(url) = postgres_url() else {
        eprintln!("lost answers: did NOT run, VESTIBULE_TEST_POSTGRES is not set");
        return;
    };
    runtime.block_on(async {
        let schema = unique_name();
        let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let link = Link::to(through(&url, nowhere).1).await;
        let linked = Postgres::open(&through(&url, link.address).0, Some(&schema), 4).await.unwrap();
        let direct = Postgres::open(&url, Some(&schema), 4).await.unwrap();
        test(link, over(Arc::new(linked)), over(Arc::new(direct))).await;
        drop_schema(&schema).await;
    });
}

fn marked(id: &str) -> Member {
    Member { note: String::from_utf8(MARK.to_vec()).unwrap(), ..member(id, id, "a") }
}

#[test]
fn a_commit_whose_answer_is_lost_is_looked_up_and_done_once() {
    with_link(&runtime(), async |link, store, truth| {
        for (place, how) in
            [Break::AfterTheServer, Break::BeforeTheServer].into_iter().cycle().take(6).enumerate()
        {
            let id = format!("{place}");
            link.break_at_mark(how);
            insert(&store, &[marked(&id)]).await.unwrap_or_else(|error| panic!("{how:?}: {error}"));
            assert_eq!(link.broken.load(Ordering::SeqCst), place as u64 + 1, "the connection did break");
            assert_eq!(truth.get::<Member>(&store::Key::of(&id)).await.unwrap(), Some(marked(&id)));
            assert_eq!(increment(&store, "a").await, Ok(place as u64 + 1));
        }
        assert_eq!(count(&truth, "a").await, 6);
    });
}

#[test]
fn a_commit_whose_answer_is_lost_for_good_is_unknown() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    with_link(&runtime, async |link, store, truth| {
        link.break_at_mark(Break::AfterTheServerAndStayDown);
        let records = [marked("1")];
        let tried = insert(&store, &records);
        tokio::pin!(tried);
        // Once the link is down, only timers can go on, and a paused clock skips to the next of them.
        let mut down = link.down.subscribe();
        tokio::select! {
            answer = &mut tried => panic!("answered before the link went down: {answer:?}"),
            gone = tokio::time::timeout(Duration::from_secs(20), down.wait_for(|down| *down)) => drop(gone.unwrap().unwrap()),
        }
        tokio::time::pause();
        let answer = tried.await;
        tokio::time::resume();
        assert_eq!(answer, Err(StoreError::Unknown));
        assert!(truth.get::<Member>(&store::Key::of("1")).await.unwrap().is_some());
        assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
        link.down.send_replace(false);
        store.ping().await.expect("the store finds its way back by itself");
    });
}

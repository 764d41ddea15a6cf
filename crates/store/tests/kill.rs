//! SQLite loses no acknowledged write and tears no commit, whenever the process is killed.
//!
//! The test starts itself again as a child with 32 writers, which say on their output what was acknowledged, and kills
//! it with SIGKILL when it has said a random number of lines (none at all included), more than fifty times over. The
//! seed is printed; set `STORE_KILL_SEED` to use it again.

#![expect(clippy::unwrap_used, reason = "this whole crate is a test, its helpers too")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use domain::secret::Secret;
use serde::{Deserialize, Serialize};
use store::{BackendSettings, IndexEntry, Key, Order, Record, Store, StoreError, StoreSettings, Tx, key};

const KILLS: u32 = 56;
const WRITERS: u32 = 32;
/// Lines the child may say before it is killed, at most.
const LINES_MAX: u64 = 400;
/// Tells the child where its file is, and its number.
const CHILD_FILE: &str = "STORE_KILL_CHILD_FILE";
const CHILD_NUMBER: &str = "STORE_KILL_CHILD_NUMBER";

/// The newest entry of a writer; always committed together with that entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Head {
    writer: String,
    newest: u64,
}

impl Record for Head {
    const SPACE: &'static str = "head";

    fn key(&self) -> Key {
        Key::of(&self.writer)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    writer: String,
    number: u64,
    text: String,
}

impl Record for Entry {
    const SPACE: &'static str = "entry";

    fn key(&self) -> Key {
        key![self.writer, self.number]
    }

    fn indexes(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::unique("text", Key::of(&self.text))]
    }
}

async fn open(path: &Path) -> Store {
    let backend = BackendSettings::Sqlite { path: path.to_owned() };
    let settings = StoreSettings { backend, tenant: "t".into(), master_key: Secret::new([1; 32]) };
    Store::open(settings).await.unwrap()
}

/// Writes without end; says a line for each acknowledged write.
async fn write(store: Store, writer: String) {
    for number in 1.. {
        let written: Result<(), StoreError> = store
            .transact(async |tx: &mut Tx| {
                let entry = Entry { writer: writer.clone(), number, text: format!("{writer} {number}") };
                tx.insert(entry);
                tx.put(Head { writer: writer.clone(), newest: number });
                Ok(())
            })
            .await;
        written.unwrap();
        // One write of one line: a kill cuts between lines or within the last, which the parent then drops.
        let line = format!("ack {writer} {number}\n");
        if std::io::stdout().lock().write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}

async fn be_the_child(path: PathBuf, number: String) {
    let store = open(&path).await;
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(store.clone(), format!("{number}-{writer}")))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Starts a child, kills it after so many lines; answers the newest acknowledged number of each writer.
fn run_and_kill(path: &Path, number: u32, lines: u64) -> BTreeMap<String, u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed_at_any_moment_sqlite_keeps_what_it_acknowledged", "--nocapture"])
        .env(CHILD_FILE, path)
        .env(CHILD_NUMBER, number.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = BTreeMap::new();
    let (mut line, mut said) = (String::new(), 0);
    let mut killed = lines == 0;
    if killed {
        child.kill().unwrap();
    }
    // What was said before the kill is read to its end: all of it was acknowledged.
    while output.read_line(&mut line).unwrap() > 0 {
        let whole = line.strip_suffix('\n').and_then(|line| line.strip_prefix("ack "));
        if let Some((writer, number)) = whole.and_then(|ack| ack.rsplit_once(' ')) {
            acknowledged.insert(writer.to_owned(), number.parse().unwrap());
            said += 1;
        }
        if !killed && said >= lines {
            child.kill().unwrap();
            killed = true;
        }
        line.clear();
    }
    let status = child.wait().unwrap();
    assert!(killed && !status.success(), "the child ended by itself: {status}");
    acknowledged
}

/// Every acknowledged entry is there, and every head fits the entries: nothing lost, nothing torn.
async fn check(store: &Store, number: u32, acknowledged: &BTreeMap<String, u64>) -> u64 {
    let mut entries = 0;
    for writer in 0..WRITERS {
        let writer = format!("{number}-{writer}");
        let head = store.get::<Head>(&Key::of(&writer)).await.unwrap().map_or(0, |head| head.newest);
        let acknowledged = acknowledged.get(&writer).copied().unwrap_or(0);
        assert!(head >= acknowledged, "{writer}: {acknowledged} was acknowledged, {head} is there");
        assert!(
            head <= acknowledged + 1,
            "{writer}: {head} is there, but {acknowledged} was the last to be answered"
        );
        let found =
            store.page::<Entry>(None, &Key::of(&writer), None, 1_000, Order::Ascending).await.unwrap();
        let numbers: Vec<u64> = found.items.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, (1..=head).collect::<Vec<_>>(), "{writer}");
        for entry in &found.items {
            let by_text = store.find::<Entry>("text", &Key::of(&entry.text)).await.unwrap();
            assert_eq!(by_text.map(|found| found.number), Some(entry.number));
        }
        entries += head;
    }
    entries
}

fn check_file(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn killed_at_any_moment_sqlite_keeps_what_it_acknowledged() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let (Ok(path), Ok(number)) = (std::env::var(CHILD_FILE), std::env::var(CHILD_NUMBER)) {
        return runtime.block_on(be_the_child(path.into(), number));
    }
    let given = std::env::var("STORE_KILL_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut random = given.unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("STORE_KILL_SEED={random}");
    let folder = std::env::temp_dir().join(format!("store-kill-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("store.db");
    let (mut acknowledged, mut there) = (0, 0);
    for number in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Small numbers more often than large ones, so that starting up is hit as well.
        let lines = ((random >> 33) % (LINES_MAX + 1)) * u64::from(number % 8) / 7;
        let newest = run_and_kill(&path, number, lines);
        acknowledged += newest.values().sum::<u64>();
        there += runtime.block_on(async {
            let store = open(&path).await;
            check(&store, number, &newest).await
        });
        check_file(&path);
    }
    eprintln!("{KILLS} kills, {acknowledged} acknowledged commits, {there} found");
    assert!(acknowledged > u64::from(KILLS) * 20, "the children hardly wrote: {acknowledged}");
    std::fs::remove_dir_all(&folder).unwrap();
}

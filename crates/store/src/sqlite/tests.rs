//! The file itself: its settings, groups, plans, and what a damaged or foreign one is answered.

use std::path::PathBuf;
use std::sync::Arc;

use domain::time::Timestamp;
use rusqlite::{Connection, OpenFlags, StatementStatus};
use tokio::sync::oneshot;

use super::{
    Job, SCAN_DOWN, SCAN_UP, Sqlite, Work, connect, make_private, prepare_file, scan_rows, write_group,
};
use crate::backend::{Backend, Batch, Put, RowKey, Scan, Version};
use crate::error::StoreError;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("store-sqlite-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("store.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn writer(folder: &Folder) -> Connection {
    make_private(&folder.file()).unwrap();
    let connection = connect(&folder.file(), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    prepare_file(&connection).unwrap();
    connection
}

fn at(key: &str) -> RowKey {
    RowKey { space: "s".into(), key: key.into() }
}

/// Writes `key`, expecting that it has this version.
fn batch(id: i64, key: &str, expected: Option<i64>) -> Batch {
    let put = Put { at: at(key), value: id.to_string(), expires_at: None };
    let expect = vec![(at(key), expected.map(Version::from_bits))];
    Batch { id: Version::from_bits(id), expect, put: vec![put], delete: Vec::new() }
}

fn job(work: Work) -> Job {
    Job { work, answer: oneshot::channel().0 }
}

#[test]
fn every_commit_is_synced_to_a_file_of_its_owner() {
    let folder = Folder::new("synced");
    let connection = writer(&folder);
    let setting = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(setting("synchronous"), 2, "FULL");
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    #[cfg(unix)]
    for name in ["store.db", "store.db-wal"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.0.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_conflict_fails_one_batch_of_its_group_and_later_ones_see_earlier_ones() {
    let connection = writer(&Folder::new("group"));
    let group = [
        job(Work::Commit(batch(1, "a", None))),
        job(Work::Commit(batch(2, "a", None))),
        job(Work::Commit(batch(3, "a", Some(1)))),
        job(Work::Commit(batch(4, "b", None))),
        job(Work::Sweep { now: Timestamp::from_millis(0), max: 10 }),
    ];
    let answers = write_group(&connection, &group);
    assert_eq!(answers, [Ok(0), Err(StoreError::Conflict), Ok(0), Ok(0), Ok(0)]);
    let value = |key: &str| -> String {
        connection.query_row("SELECT value FROM records WHERE key = ?1", [key], |row| row.get(0)).unwrap()
    };
    assert_eq!((value("a"), value("b")), ("3".into(), "4".into()));
}

#[test]
fn a_group_that_cannot_be_written_leaves_nothing_and_the_next_one_works() {
    let connection = writer(&Folder::new("full"));
    connection.pragma_update(None, "max_page_count", 12).unwrap();
    let mut large = batch(2, "b", None);
    large.put[0].value = "x".repeat(1_000_000);
    let group = [job(Work::Commit(batch(1, "a", None))), job(Work::Commit(large))];
    let answers = write_group(&connection, &group);
    assert!(answers.iter().all(|answer| matches!(answer, Err(StoreError::Unavailable(_)))), "{answers:?}");
    let rows: i64 = connection.query_row("SELECT count(*) FROM records", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 0);
    assert_eq!(write_group(&connection, &group[..1]), [Ok(0)]);
}

#[test]
fn a_scan_is_planned_once_whatever_its_bounds() {
    let connection = writer(&Folder::new("planned"));
    write_group(&connection, &[job(Work::Commit(batch(1, "a", None)))]);
    let scan = |start: &str, limit, descending| {
        let (space, start, end) = ("s".into(), start.into(), "b".into());
        scan_rows(&connection, &Scan { space, start, end, limit, descending }).unwrap().len()
    };
    for descending in [false, true] {
        assert_eq!(
            (scan("a", 10, descending), scan("0", 1, descending), scan("c", 2, descending)),
            (1, 1, 0)
        );
        let sql = if descending { SCAN_DOWN } else { SCAN_UP };
        let select = connection.prepare_cached(sql).unwrap();
        assert_eq!(select.get_status(StatementStatus::Run), 3);
        assert_eq!(select.get_status(StatementStatus::RePrepare), 0);
    }
}

#[tokio::test]
async fn what_was_committed_is_there_after_opening_again() {
    let folder = Folder::new("again");
    Sqlite::open(folder.file()).await.unwrap().commit(batch(1, "a", None)).await.unwrap();
    let again = Sqlite::open(folder.file()).await.unwrap();
    let scan = Scan { space: "s".into(), start: "a".into(), end: "b".into(), limit: 10, descending: false };
    let rows = again.scan(scan).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((&*rows[0].0, rows[0].1.version), ("a", Version::from_bits(1)));
}

#[tokio::test]
async fn two_openings_of_one_file_see_each_other_and_conflict() {
    let folder = Folder::new("two");
    let (one, two) = (Sqlite::open(folder.file()).await.unwrap(), Sqlite::open(folder.file()).await.unwrap());
    one.commit(batch(1, "a", None)).await.unwrap();
    assert_eq!(two.commit(batch(2, "a", None)).await, Err(StoreError::Conflict));
    two.commit(batch(3, "a", Some(1))).await.unwrap();
    assert_eq!(one.get(&[at("a")]).await.unwrap()[0].as_ref().unwrap().value, "3");
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_refused_and_left_alone() {
    let folder = Folder::new("foreign");
    Connection::open(folder.file())
        .unwrap()
        .execute_batch("PRAGMA user_version = 9; CREATE TABLE t (a)")
        .unwrap();
    let refused = Sqlite::open(folder.file()).await.map(drop);
    assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
    std::fs::write(folder.file(), "not a database at all, but long enough to be looked at").unwrap();
    let refused = Sqlite::open(folder.file()).await.map(drop);
    assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
    let nowhere = Sqlite::open(folder.0.join("no such folder/store.db")).await.map(drop);
    assert!(matches!(nowhere, Err(StoreError::Unavailable(_))), "{nowhere:?}");
}

#[tokio::test]
async fn more_reads_at_once_than_readers_all_come_through() {
    let folder = Folder::new("many");
    let store = Arc::new(Sqlite::open(folder.file()).await.unwrap());
    store.commit(batch(1, "a", None)).await.unwrap();
    let mut reads = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let store = store.clone();
        reads.spawn(async move {
            let scan =
                Scan { space: "s".into(), start: "a".into(), end: "b".into(), limit: 100, descending: true };
            store.scan(scan).await.unwrap().len()
        });
    }
    assert_eq!(reads.join_all().await, [1; 200]);
    assert!(store.readers.idle.lock().unwrap().len() <= crate::limits::READERS_MAX);
}

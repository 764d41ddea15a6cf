//! scratch
use store::*;
use serde::{Serialize, Deserialize};
#[derive(Serialize,Deserialize,Clone)]
struct Counter { id: String, n: u64 }
impl Record for Counter { const SPACE:&'static str="counter"; fn key(&self)->Key{Key::of(&*self.id)} }

#[derive(Debug)] enum EngErr { S(StoreError), Gone }
impl From<StoreError> for EngErr { fn from(e: StoreError) -> Self { EngErr::S(e) } }
struct Eng { store: Store, prefix: String }
async fn helper(tx: &mut Tx, id: &str, by: &u64) -> Result<Counter, EngErr> {
    let c = tx.get::<Counter>(&Key::of(id)).await?.ok_or(EngErr::Gone)?;
    let mut c = c; c.n += *by; tx.put(c.clone()); Ok(c)
}
impl Eng {
    async fn go(&self, id: &str, extra: Vec<String>) -> Result<Vec<Counter>, EngErr> {
        let owned = format!("{}{}", self.prefix, id);
        let out = self.store.transact(async |tx| {
            let mut v = vec![];
            for e in &extra { if let Ok(c) = helper(tx, e, &3).await { v.push(c); } }
            let x: Option<Counter> = tx.find("x", &key![owned, 3u64]).await?;
            if x.is_some() { return Err(EngErr::Gone); }
            let more = tx.get_many::<Counter>(&[Key::of(&*owned)]).await?;
            v.extend(more.into_iter().flatten());
            self.note(tx, &extra);
            Ok(v)
        }).await?;
        Ok(out)
    }
    fn note(&self, _tx: &mut Tx, _e: &[String]) {}
}
#[tokio::test]
async fn ergo() {
    let store = Store::open(StoreSettings{backend: BackendSettings::Memory, tenant:"t".into(), master_key: domain::secret::Secret::new([1;32])}).await.unwrap();
    let e = std::sync::Arc::new(Eng{store, prefix: "p".into()});
    let r = tokio::spawn(async move { e.go("x", vec!["a".into()]).await }).await.unwrap();
    assert!(r.unwrap().is_empty());
}
async fn bump(store: &Store, id: &str) -> Result<u64, StoreError> {
    let by = 1;
    store.transact(async |tx: &mut Tx| {
        let mut c = tx.get::<Counter>(&Key::of(id)).await?.unwrap_or(Counter{id: id.to_owned(), n: 0});
        c.n += by;
        let n = c.n;
        tx.put(c);
        Ok::<_, StoreError>(n)
    }).await
}
#[tokio::test(flavor="multi_thread", worker_threads=2)]
async fn scratch() {
    let dir = std::env::temp_dir().join(format!("vst-{}", std::process::id())); std::fs::create_dir_all(&dir).unwrap();
    for backend in [BackendSettings::Memory, BackendSettings::Sqlite{path: dir.join("a.db")}] {
        let store = Store::open(StoreSettings{backend, tenant:"t".into(), master_key: domain::secret::Secret::new([1;32])}).await.unwrap();
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..16 { let store = store.clone(); set.spawn(async move { for _ in 0..20 { bump(&store, "a").await.unwrap(); } }); }
        let t = std::time::Instant::now();
        while let Some(r) = set.join_next().await { r.unwrap(); }
        eprintln!("{:?}", t.elapsed());
        assert_eq!(store.get::<Counter>(&Key::of("a")).await.unwrap().unwrap().n, 320);
    }
}

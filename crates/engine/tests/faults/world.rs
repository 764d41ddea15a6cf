//! The surroundings of a story: a backend, records to begin with, a clock, chance from a seed, relying parties.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use domain::client::{Client, ClientAuthMethod};
use domain::key::SigningAlgorithm;
use domain::logout::Initiators;
use domain::secret::Secret;
use domain::time::{Timestamp, hours, minutes};
use domain::user::User;
use engine::ports::{Answer, Clock, Entropy, ManualClock, Outbound, OutboundError, OutboundFuture};
use engine::settings::{NodeChoice, PasswordSettings, SandboxChoice};
use engine::users::{NewUser, UserChanges};
use engine::{Engine, Error, Ports, Settings, StoreChoice};
use store::backend::{Batch, BoxFuture, Put, Row, RowKey, Scan, Version};
use store::faulty::Faulty;
use store::memory::Memory;
use store::postgres::Postgres;
use store::sqlite::Sqlite;
use store::{Backend, Key, OutboxFilter, OutboxState, Store};

use crate::story::{End, Told, api_call, sign_in_and_more};

/// When every story begins.
pub const BEGIN: Timestamp = Timestamp(1_790_000_000_000);
/// When a run goes on from where its template leaves off.
const FIRST_STEP: Timestamp = Timestamp(BEGIN.0 + minutes(5));
const MASTER_KEY: Secret<[u8; 32]> = Secret::new([7; 32]);
/// The tenant of templates. Those of runs are as long, so that keys can be told apart by their beginning alone.
const TEMPLATE_TENANT: &str = "t00000";
/// Clients: two that hear of every end, and one that hears only of those that a client asked for.
pub const CLIENTS: [&str; 3] = ["first", "second", "third"];
pub const EMAIL: &str = "ann@example.com";
pub const PASSWORD: &str = "correct horse battery";

/// Where records are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Memory,
    Sqlite,
    Postgres,
}

/// One backend for all runs: each run is a tenant of its own in it.
pub struct Place {
    pub backend: Arc<dyn Backend>,
    folder: Option<PathBuf>,
    schema: Option<(String, String)>,
    runs: AtomicU64,
}

impl Place {
    /// A new one; none, and a word about it, where PostgreSQL is not there.
    pub async fn open(kind: Kind) -> Option<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("faults_{}_{number}", std::process::id());
        let (mut folder, mut schema) = (None, None);
        let backend: Arc<dyn Backend> = match kind {
            Kind::Memory => Arc::new(Memory::new()),
            Kind::Sqlite => {
                let path = std::env::temp_dir().join(name);
                std::fs::create_dir_all(&path).unwrap();
                let file = path.join("store.db");
                folder = Some(path);
                Arc::new(Sqlite::open(file).await.unwrap())
            }
            Kind::Postgres => {
                let url = std::env::var("VESTIBULE_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
                let Some(url) = url else {
                    eprintln!("did NOT run on PostgreSQL, VESTIBULE_TEST_POSTGRES is not set");
                    return None;
                };
                let backend = Postgres::open(&url, Some(&name), 4).await.unwrap();
                schema = Some((url, name));
                Arc::new(backend)
            }
        };
        Some(Self { backend, folder, schema, runs: AtomicU64::new(0) })
    }

    /// Removes whatever expires some day, so that the sweeps of a run meet nothing of those before.
    pub async fn purge(&self) {
        while self.backend.sweep(Timestamp(i64::MAX), 10_000).await.unwrap() == 10_000 {}
    }

    /// Removes everything.
    pub async fn close(self) {
        drop(self.backend);
        if let Some(folder) = self.folder {
            std::fs::remove_dir_all(folder).unwrap();
        }
        if let Some((url, schema)) = self.schema {
            store::postgres::drop_schema(&url, &schema).await.unwrap();
        }
    }
}

/// Chance from a seed: SplitMix64.
struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// What goes wrong with one call to a relying party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostFault {
    /// It hears nothing, and we know.
    NotReached,
    /// It hears and answers; we hear nothing.
    AnswerLost,
    /// The process dies before the call.
    DiesBefore,
    /// It hears and answers, and the process dies.
    DiesAfter,
}

/// What a relying party heard.
#[derive(Debug, Clone)]
pub struct Post {
    pub client: String,
    pub token: String,
    pub at: Timestamp,
    pub status: u16,
}

/// The other sides of all clients. The first call to the first one is answered 500.
pub struct Parties {
    clock: Arc<ManualClock>,
    state: Mutex<PartiesState>,
}

#[derive(Default)]
struct PartiesState {
    calls: u64,
    fault: Option<(u64, PostFault, Arc<Faulty>)>,
    heard: Vec<Post>,
}

impl Parties {
    fn new(clock: Arc<ManualClock>) -> Arc<Self> {
        Arc::new(Self { clock, state: Mutex::default() })
    }

    /// The `nth` call fails; a process that dies is this one.
    pub fn fail(&self, nth: u64, fault: PostFault, process: Arc<Faulty>) {
        self.state.lock().unwrap().fault = Some((nth, fault, process));
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.state.lock().unwrap().calls
    }

    /// What they heard so far.
    pub fn heard(&self) -> Vec<Post> {
        self.state.lock().unwrap().heard.clone()
    }

    fn hear(&self, url: &str, body: &str) -> u16 {
        let host =
            url.strip_prefix("https://").and_then(|rest| rest.strip_suffix(".example/logout")).unwrap();
        let token = body.strip_prefix("logout_token=").unwrap();
        let mut state = self.state.lock().unwrap();
        let is_first = !state.heard.iter().any(|post| post.client == CLIENTS[0]);
        let status = if host == CLIENTS[0] && is_first { 500 } else { 204 };
        let at = self.clock.now();
        state.heard.push(Post { client: host.to_owned(), token: token.to_owned(), at, status });
        status
    }
}

impl Outbound for Parties {
    fn post_form<'a>(&'a self, url: &'a str, body: String) -> OutboundFuture<'a> {
        Box::pin(async move {
            let fault = {
                let mut state = self.state.lock().unwrap();
                state.calls += 1;
                let calls = state.calls;
                state.fault.take_if(|(nth, ..)| *nth == calls)
            };
            let answer = |status| Ok(Answer { status, retry_after: None });
            let Some((_, fault, process)) = fault else { return answer(self.hear(url, &body)) };
            if fault != PostFault::NotReached && fault != PostFault::DiesBefore {
                self.hear(url, &body);
            }
            match fault {
                PostFault::NotReached => Err(OutboundError::Failed("connection refused".into())),
                PostFault::AnswerLost => Err(OutboundError::Timeout(5_000)),
                PostFault::DiesBefore | PostFault::DiesAfter => {
                    process.halt();
                    std::future::pending().await
                }
            }
        })
    }
}

/// A memory that remembers every row that is there, to begin runs with.
struct Recorder {
    inner: Memory,
    rows: Mutex<BTreeMap<RowKey, Put>>,
}

impl Backend for Recorder {
    fn get<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, store::Result<Vec<Option<Row>>>> {
        self.inner.get(keys)
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, store::Result<Vec<(String, Row)>>> {
        self.inner.scan(scan)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, store::Result<()>> {
        Box::pin(async move {
            self.inner.commit(batch.clone()).await?;
            let mut rows = self.rows.lock().unwrap();
            batch.delete.iter().for_each(|at| drop(rows.remove(at)));
            rows.extend(batch.put.into_iter().map(|put| (put.at.clone(), put)));
            Ok(())
        })
    }

    fn sweep(&self, now: Timestamp, max: usize) -> BoxFuture<'_, store::Result<usize>> {
        self.inner.sweep(now, max)
    }
}

/// Records to begin with, and what was told to those who made them.
pub struct Template {
    rows: Vec<Put>,
    pub told: Told,
}

impl Template {
    /// A tenant with clients and a user.
    pub async fn before_sign_in(seed: u64) -> Self {
        Self::made(seed, false).await
    }

    /// The same, where the user has signed in here and there, and holds tokens.
    pub async fn signed_in(seed: u64) -> Self {
        Self::made(seed, true).await
    }

    async fn made(seed: u64, signed_in: bool) -> Self {
        let recorder = Arc::new(Recorder { inner: Memory::new(), rows: Mutex::default() });
        let run = Run::on(Arc::clone(&recorder) as Arc<dyn Backend>, seed);
        let engine = run.open(run.backend.clone()).await.unwrap();
        engine.ensure_tenant().await.unwrap();
        make_clients(&run.store()).await;
        let profile = UserChanges { email: Some(Some(EMAIL.to_owned())), ..UserChanges::default() };
        let connection = domain::connection::CONNECTION_DEFAULT.to_owned();
        let password = Some(Secret::new(PASSWORD.to_owned()));
        let new = NewUser { connection, user_id: Some("ann".into()), password, profile };
        let user: User = engine.create_user(&api_call(), new).await.unwrap();
        let mut told = Told::about(user.id);
        if signed_in {
            sign_in_and_more(&engine, &run, &mut told).await;
        }
        let rows = recorder.rows.lock().unwrap().values().cloned().collect();
        Self { rows, told }
    }
}

async fn make_clients(store: &Store) {
    let work = async |tx: &mut store::Tx| -> store::Result<()> {
        for (n, id) in CLIENTS.into_iter().enumerate() {
            let mut client = Client::new(id.into(), id, store.seal("client.secret", b"unused"), BEGIN);
            client.auth_method = Some(ClientAuthMethod::None);
            // Quick to sign with.
            client.signing_algorithm = SigningAlgorithm::Es256;
            client.callbacks = vec![format!("https://{id}.example/callback")];
            client.refresh_token.rotating = true;
            // Against lost answers: who tries again is no thief.
            client.refresh_token.leeway_seconds = 60;
            client.logout.urls = vec![format!("https://{id}.example/logout")];
            client.logout.initiators = (n < 2).then_some(Initiators::All);
            client.logout.include_session_metadata = Some(true);
            tx.insert(client);
        }
        Ok(())
    };
    store.transact(work).await.unwrap();
}

/// One run: a tenant of its own, begun with the rows of a template.
pub struct Run {
    backend: Arc<dyn Backend>,
    tenant: String,
    entropy: Arc<Seeded>,
    pub clock: Arc<ManualClock>,
    pub parties: Arc<Parties>,
}

impl Run {
    /// A run that begins with nothing.
    pub fn on(backend: Arc<dyn Backend>, seed: u64) -> Self {
        let clock = Arc::new(ManualClock::at(BEGIN));
        Self {
            backend,
            tenant: TEMPLATE_TENANT.to_owned(),
            entropy: Arc::new(Seeded(AtomicU64::new(seed))),
            parties: Parties::new(Arc::clone(&clock)),
            clock,
        }
    }

    pub async fn begin(place: &Place, template: &Template, seed: u64) -> Self {
        let number = place.runs.fetch_add(1, Ordering::Relaxed);
        let tenant = format!("r{number:05}");
        let (old, new) = (Key::of(TEMPLATE_TENANT), Key::of(&tenant));
        let moved = |put: &Put| {
            let rest = put.at.key.strip_prefix(old.as_str()).unwrap();
            let at = RowKey { space: put.at.space.clone(), key: format!("{}{rest}", new.as_str()) };
            Put { at, ..put.clone() }
        };
        let put = template.rows.iter().map(moved).collect();
        let bits = i64::try_from(number + 1).unwrap();
        let batch = Batch { id: Version::from_bits(bits), expect: Vec::new(), put, delete: Vec::new() };
        place.backend.commit(batch).await.unwrap();
        let clock = Arc::new(ManualClock::at(FIRST_STEP));
        Self {
            backend: place.backend.clone(),
            tenant,
            // Not the template's own chance again, whose identifiers are taken.
            entropy: Arc::new(Seeded(AtomicU64::new(!seed))),
            parties: Parties::new(Arc::clone(&clock)),
            clock,
        }
    }

    /// The records as they are, without any fault.
    pub fn store(&self) -> Store {
        Store::over(self.backend.clone(), &self.tenant, &MASTER_KEY)
    }

    /// Where the records are, without any fault.
    pub fn backend(&self) -> Arc<dyn Backend> {
        Arc::clone(&self.backend)
    }

    /// An engine over a backend.
    pub async fn open(&self, backend: Arc<dyn Backend>) -> Result<Engine, Error> {
        self.open_at(backend, Arc::clone(&self.clock), false).await
    }

    /// An engine on a machine with a clock of its own, which may take the time from the database instead.
    pub async fn open_at(
        &self,
        backend: Arc<dyn Backend>,
        clock: Arc<ManualClock>,
        database_clock: bool,
    ) -> Result<Engine, Error> {
        let ports = Ports {
            clock: clock as Arc<dyn Clock>,
            entropy: Arc::clone(&self.entropy) as Arc<dyn Entropy>,
            outbound: Arc::clone(&self.parties) as Arc<dyn Outbound>,
        };
        let nowhere = PathBuf::from("/there/is/no/such/place");
        let sandbox = SandboxChoice {
            program: nowhere.clone(),
            args: Vec::new(),
            workers_max: 1,
            queue_max: 1,
            worker_memory_bytes_max: 1 << 30,
        };
        let node_js = NodeChoice {
            enabled: false,
            program: "node".into(),
            npm: None,
            args: Vec::new(),
            folder: nowhere,
        };
        let settings = Settings {
            tenant: self.tenant.clone(),
            domain: "id.example".into(),
            insecure_scheme: false,
            store: StoreChoice::Memory,
            database_clock,
            master_key: MASTER_KEY,
            sandbox,
            node_js,
            passwords: PasswordSettings { threads: 1, queue_max: 8, memory_kib: 8, passes: 1 },
            breached_passwords: None,
            signing_threads: 1,
            logout_egress: domain::egress::Egress::everywhere_if(false),
            upstream_egress: domain::egress::Egress::default(),
            administrators: Vec::new(),
            actions_allow_private_addresses: false,
            actions_authority: None,
            log_streams: engine::settings::LogStreamSettings::default(),
            log_retention_days: domain::limits::LOG_RETENTION_DAYS,
            node: "n".into(),
        };
        Engine::over(Store::over(backend, &self.tenant, &MASTER_KEY), settings, ports).await
    }

    /// What follows a restart: another engine on the same records delivers, and sweeps, until nothing waits any more.
    pub async fn recover(&self, end: End) -> Engine {
        let engine = self.open(self.backend.clone()).await.unwrap();
        if end == End::Expiry {
            // Not once more, where the story came so far: whoever is down for days gives up what waited.
            let left = FIRST_STEP.plus_millis(hours(80)).millis_since(self.clock.now());
            self.clock.advance_millis(left.max(0));
        }
        engine.sweep().await.unwrap();
        for _ in 0..8 {
            while engine.deliver_due().await.unwrap() > 0 {}
            // A lease, or the wait between two tries.
            self.clock.advance_millis(minutes(1));
        }
        assert_eq!(engine.deliver_due().await.unwrap(), 0);
        for kind in ["backchannel_logout", "logout_delivery"] {
            let pending = OutboxFilter::State { kind, state: OutboxState::Pending };
            let page = self.store().outbox_page(pending, None, 10).await.unwrap();
            assert!(page.items.is_empty(), "something waits for ever: {:?}", page.items);
        }
        engine
    }
}

//! What the engine is opened with: plain values that the server reads from its configuration.

use std::path::PathBuf;

use domain::egress::Egress;
use domain::id::UserId;
use domain::secret::Secret;

/// Where records are kept.
#[derive(Debug, Clone)]
pub enum StoreChoice {
    /// In memory, for tests: gone with the process.
    Memory,
    /// One file.
    Sqlite {
        /// The file; its folder must exist.
        path: PathBuf,
    },
    /// A PostgreSQL server.
    Postgres {
        /// `postgres://user:password@host:port/database`.
        url: String,
        /// The schema, made when absent.
        schema: Option<String>,
        /// Connections at most.
        pool_max: usize,
    },
}

/// How Actions are run.
#[derive(Debug, Clone)]
pub struct SandboxChoice {
    /// The program whose `args` start a worker; usually this very binary.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Workers at most.
    pub workers_max: usize,
    /// Runs that may wait for a worker.
    pub queue_max: usize,
    /// Address space of a worker in bytes.
    pub worker_memory_bytes_max: u64,
}

/// How Actions with npm packages are run.
#[derive(Debug, Clone)]
pub struct NodeChoice {
    /// Whether Actions may have npm packages at all.
    pub enabled: bool,
    /// Node.js: a path, or a name to be found on `PATH`.
    pub program: PathBuf,
    /// npm; unset, it is looked for beside Node.js, then on `PATH`.
    pub npm: Option<PathBuf>,
    /// Arguments with which the sandbox's program starts a worker that becomes Node.js.
    pub args: Vec<String>,
    /// Where installed packages are; made when first needed.
    pub folder: PathBuf,
}

/// How passwords are hashed (RFC 9106).
#[derive(Debug, Clone)]
pub struct PasswordSettings {
    /// Threads that hash; each takes a core for some 20 ms a password.
    pub threads: usize,
    /// Passwords that may wait for a thread.
    pub queue_max: usize,
    /// Memory of one hash in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self { threads: 2, queue_max: 256, memory_kib: 19 * 1024, passes: 2 }
    }
}

/// Where log streams may go.
#[derive(Debug, Clone, Default)]
pub struct LogStreamSettings {
    /// Which hosts they may be posted to.
    pub egress: Egress,
    /// The folder of their files; unset, this node writes none.
    pub folder: Option<PathBuf>,
    /// The file of a stream of all events that needs no API.
    pub file: Option<String>,
    /// Bytes after which a file is rotated.
    pub file_bytes_max: u64,
    /// Rotated files that are kept of each stream.
    pub files_max: u32,
}

/// What the engine is opened with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The tenant whose records these are; every key begins with it.
    pub tenant: String,
    /// Host and port under which browsers and clients reach the server, e.g. `localhost:8443`.
    pub domain: String,
    /// Whether that is plain HTTP (tests and benchmarks only; cookies still ask for a secure origin).
    pub insecure_scheme: bool,
    /// Where records are kept.
    pub store: StoreChoice,
    /// Whether the time is the database's, where it has a clock, so that nodes agree on it.
    pub database_clock: bool,
    /// Seals secrets at rest.
    pub master_key: Secret<[u8; 32]>,
    /// How Actions are run.
    pub sandbox: SandboxChoice,
    /// How Actions with npm packages are run.
    pub node_js: NodeChoice,
    /// How passwords are hashed.
    pub passwords: PasswordSettings,
    /// The list of breached passwords, where there is one.
    pub breached_passwords: Option<PathBuf>,
    /// Threads that make RSA signatures.
    pub signing_threads: usize,
    /// Where logout tokens may go.
    pub logout_egress: Egress,
    /// Where other OpenID providers may be.
    pub upstream_egress: Egress,
    /// Whether scripts may fetch from addresses of this machine and of the operator's own network.
    pub actions_allow_private_addresses: bool,
    /// A certificate authority in PEM that scripts' fetches trust beside the machine's own: that of this very server.
    pub actions_authority: Option<String>,
    /// How many days the log's events are kept.
    pub log_retention_days: u32,
    /// Where log streams may go.
    pub log_streams: LogStreamSettings,
    /// Who may use the dashboard beside the tenant's first administrator.
    pub administrators: Vec<UserId>,
    /// Names this node in leases.
    pub node: String,
}

#[cfg(test)]
impl Settings {
    /// In memory, with workers and packages that cannot be started.
    pub(crate) fn for_testing() -> Self {
        let nowhere = PathBuf::from("/there/is/no/such/place");
        Self {
            tenant: "t".into(),
            domain: "localhost".into(),
            insecure_scheme: true,
            store: StoreChoice::Memory,
            database_clock: false,
            master_key: Secret::new([7; 32]),
            sandbox: SandboxChoice {
                program: nowhere.clone(),
                args: Vec::new(),
                workers_max: 1,
                queue_max: 1,
                worker_memory_bytes_max: 1 << 30,
            },
            node_js: NodeChoice {
                enabled: false,
                program: "node".into(),
                npm: None,
                args: Vec::new(),
                folder: nowhere,
            },
            passwords: PasswordSettings { memory_kib: 8, passes: 1, ..PasswordSettings::default() },
            breached_passwords: None,
            signing_threads: 1,
            logout_egress: Egress::everywhere_if(true),
            upstream_egress: Egress::everywhere_if(true),
            actions_allow_private_addresses: false,
            actions_authority: None,
            log_retention_days: domain::limits::LOG_RETENTION_DAYS,
            log_streams: LogStreamSettings::default(),
            administrators: Vec::new(),
            node: "n".into(),
        }
    }
}

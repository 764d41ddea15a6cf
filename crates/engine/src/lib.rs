//! What the product does, without a word of HTTP: sign people in and out, keep sessions, make tokens, run Actions.
//!
//! | question | module |
//! | --- | --- |
//! | what it is opened with | [`settings`], [`ports`] |
//! | what can go wrong | [`error`] |
//! | who calls, from where | [`request`], [`caller`] |
//! | who may administer as a person | [`administrators`] |
//! | how guessing is held, and whom that keeps out | [`attack_protection`], [`user_blocks`], `breached_passwords` |
//! | settings that are only kept | [`settings_documents`] |
//! | sign in, sign out | [`sign_in`], [`sign_out`] |
//! | codes and refresh tokens into tokens | [`tokens`] |
//! | sessions and their metadata | [`sessions`] |
//! | refresh tokens and their metadata | [`refresh_tokens`] |
//! | sign-in and logout at another OpenID provider | [`upstream`] |
//! | telling clients of a logout | [`deliver`], [`logout_deliveries`] |
//! | what the log remembers | [`audit`], [`logs`], how it reads `log_body` |
//! | who else gets it | [`log_streams`] |
//! | keys that sign | [`keys`] |
//! | the time that nodes share | `clock` |
//! | roles, permissions, and what they allow | [`roles`] |
//! | what expires | [`sweep`] |

pub mod actions;
pub mod administrators;
pub mod attack_protection;
pub mod audit;
mod breached_passwords;
pub mod caller;
pub mod clients;
mod clock;
pub mod connections;
pub mod deliver;
pub mod demo;
pub mod error;
pub mod fetch;
pub mod first_start;
pub mod grants;
pub mod keys;
pub mod listing;
mod log_body;
pub mod log_streams;
pub mod logout_deliveries;
pub mod logs;
pub mod organizations;
pub mod outbound;
mod packages;
pub mod passwords;
pub mod ports;
pub mod refresh_tokens;
pub mod request;
pub mod resource_servers;
pub mod roles;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod settings_documents;
pub mod sign_in;
pub mod sign_out;
pub mod sweep;
pub mod tenant;
pub mod tokens;
pub mod upstream;
pub mod user_blocks;
pub mod users;

use std::sync::Arc;

use domain::time::Timestamp;
use sandbox::{Sandbox, SandboxSettings, WorkerCommand};
use store::{BackendSettings, LaneTurn, Store, StoreSettings};
use tokio::sync::Notify;

pub use crate::caller::Caller;
pub use crate::error::{Error, Resource};
pub use crate::ports::Ports;
pub use crate::request::{ApiCall, RequestFacts};
pub use crate::settings::{Settings, StoreChoice};

/// What `vestibule worker` runs: serves Actions until its socket closes. Answers the process's exit code.
pub fn worker_main() -> i32 {
    sandbox::worker_main()
}

/// Scripts' way out. The server's own authority, where it has one, is trusted beside those of the world.
fn script_fetch(
    allow_private_addresses: bool,
    authority: Option<&str>,
) -> Result<Arc<dyn sandbox::Fetch>, Error> {
    let fetch = fetch::HttpFetch::new(allow_private_addresses, authority)
        .map_err(|error| Error::Unavailable(error.to_string()))?;
    Ok(Arc::new(fetch))
}

/// Starts the workers that run Actions.
fn start_sandbox(choice: &settings::SandboxChoice, fetch: Arc<dyn sandbox::Fetch>) -> Sandbox {
    let worker = WorkerCommand { program: choice.program.clone(), args: choice.args.clone() };
    let settings = SandboxSettings {
        worker,
        workers_max: choice.workers_max,
        queue_max: choice.queue_max,
        worker_memory_bytes_max: choice.worker_memory_bytes_max,
    };
    Sandbox::start_with_fetch(settings, fetch)
}

/// What `vestibule node-worker` runs: becomes Node.js and serves one Action. Answers the process's exit code if not.
pub fn node_worker_main() -> i32 {
    sandbox::node::node_worker_main()
}

/// Everything the product does. Clones are cheap and are the same engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    issuer: String,
    store: Store,
    sandbox: Sandbox,
    node_js: actions::node::NodeJs,
    passwords: passwords::Passwords,
    breached_passwords: Option<Arc<breached_passwords::BreachedPasswords>>,
    signers: keys::Signers,
    keys: keys::Published,
    ports: Ports,
    clock: clock::SharedClock,
    logout_signal: Notify,
    hosts: Arc<deliver::hosts::Hosts>,
    delivery_turn: tokio::sync::Mutex<LaneTurn>,
    actions_signal: Notify,
    action_caches: actions::cache::ActionCaches,
    provider_keys: upstream::keys::ProviderKeys,
    stream_http: log_streams::StreamHttp,
    upstream_http: upstream::http::UpstreamHttp,
    log_numbering: logs::number::Numbering,
}

impl Engine {
    /// Opens the store and the sandbox, and loads the signing keys (making them on the first start).
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store does not open, [`Error::Bug`] when what it holds does not decode (a
    /// wrong master key shows itself so).
    pub async fn open(settings: Settings, ports: Ports) -> Result<Self, Error> {
        let backend = match &settings.store {
            StoreChoice::Memory => BackendSettings::Memory,
            StoreChoice::Sqlite { path } => BackendSettings::Sqlite { path: path.clone() },
            StoreChoice::Postgres { url, schema, pool_max } => {
                BackendSettings::Postgres { url: url.clone(), schema: schema.clone(), pool_max: *pool_max }
            }
        };
        let tenant = settings.tenant.clone();
        let store =
            Store::open(StoreSettings { backend, tenant, master_key: settings.master_key.clone() }).await?;
        Self::over(store, settings, ports).await
    }

    /// An engine over a store that is open already: tests bring their own.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub async fn over(store: Store, settings: Settings, ports: Ports) -> Result<Self, Error> {
        let authority = settings.actions_authority.as_deref();
        let fetch = script_fetch(settings.actions_allow_private_addresses, authority)?;
        let sandbox = start_sandbox(&settings.sandbox, Arc::clone(&fetch));
        let node_js = actions::node::NodeJs::new(&settings, fetch);
        let passwords = passwords::Passwords::start(&settings.passwords);
        let list = settings.breached_passwords.as_deref();
        let breached_passwords = list.map(breached_passwords::BreachedPasswords::open).transpose()?;
        let issuer =
            format!("{}://{}/", if settings.insecure_scheme { "http" } else { "https" }, settings.domain);
        let clock = clock::SharedClock::new(Arc::clone(&ports.clock), settings.database_clock);
        clock.follow(&store).await?;
        let keys = keys::load(&store, &issuer, clock.now()).await?;
        let signers = keys::Signers::start(settings.signing_threads);
        let stream_http = log_streams::StreamHttp::new(settings.log_streams.egress.clone())
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        let upstream_http = upstream::http::UpstreamHttp::new(settings.upstream_egress.clone())
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        let inner = Inner {
            settings,
            issuer,
            store,
            sandbox,
            node_js,
            passwords,
            breached_passwords: breached_passwords.map(Arc::new),
            signers,
            keys,
            ports,
            clock,
            logout_signal: Notify::new(),
            hosts: Arc::default(),
            delivery_turn: tokio::sync::Mutex::default(),
            actions_signal: Notify::new(),
            action_caches: actions::cache::ActionCaches::default(),
            provider_keys: upstream::keys::ProviderKeys::default(),
            stream_http,
            upstream_http,
            log_numbering: logs::number::Numbering::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The issuer, `https://{domain}/` with the trailing slash.
    pub fn issuer(&self) -> &str {
        &self.inner.issuer
    }

    /// The host of the issuer, without its port.
    pub fn issuer_host(&self) -> String {
        let issuer = url::Url::parse(&self.inner.issuer).ok();
        issuer.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The Management API's audience, `https://{domain}/api/v2/`.
    pub fn management_audience(&self) -> String {
        format!("{}api/v2/", self.inner.issuer)
    }

    /// What the engine was opened with.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// A fresh secret for a browser's cookie: 32 characters, 192 bits.
    pub fn new_browser_secret(&self) -> String {
        self.secret_text()
    }

    /// The moment that it is, for this node and for every other one on the same database.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Waits until a logout was queued by this node.
    pub async fn logout_queued(&self) {
        self.inner.logout_signal.notified().await;
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.store().ping().await?)
    }

    /// Ends the sandbox's workers.
    pub async fn shut_down(&self) {
        self.inner.sandbox.shut_down().await;
        self.inner.node_js.shut_down().await;
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Random bytes.
    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.inner.ports.entropy.fill(&mut bytes);
        bytes
    }
}

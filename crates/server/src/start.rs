//! Starts a server from its configuration, and stops it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::id::UserId;
use domain::secret::Secret;
use engine::ports::{Clock, OutboundError, SystemClock};
use engine::settings::{LogStreamSettings, NodeChoice, PasswordSettings, SandboxChoice};
use engine::{Engine, Ports, Settings, StoreChoice};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use crate::config::Config;
use crate::data_folder::{DataFolder, DataFolderError};
use crate::first_start::{self, Prepared};
use crate::http::front::Front;
use crate::serve::{self, Listening};
use crate::tls::{Certificate, Certificates, TlsError};
use crate::{App, log_streams, routes, worker};

/// The tenant of this process: one today, but every key in the store begins with it.
const TENANT: &str = "main";
/// Threads that make RSA signatures when the machine does not say how many it has.
const PARALLELISM_UNKNOWN: usize = 2;
/// What the loops may take to end after the listener did, in milliseconds: one delivery, and its commit.
/// A queued Action that takes longer is cut off, and runs again when its lease has run out.
const LOOPS_MS_MAX: u64 = 10_000;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder.
    #[error("data folder: {0}")]
    Folder(#[from] DataFolderError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The engine does not open; the text is for the operator.
    #[error("{0}")]
    Engine(String),
}

impl From<engine::Error> for StartError {
    fn from(error: engine::Error) -> Self {
        Self::Engine(match error.private() {
            Some(private) => format!("{error} {private}"),
            None => error.to_string(),
        })
    }
}

impl From<OutboundError> for StartError {
    fn from(error: OutboundError) -> Self {
        Self::Engine(error.to_string())
    }
}

/// A running server.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where it can be reached from this machine, without a slash at the end.
    pub url: String,
    /// What carries its requests out; tests let time-driven work happen through it.
    pub engine: Engine,
    /// Where its files are.
    pub folder: DataFolder,
    /// What the first start gave.
    pub prepared: Prepared,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    drain: Duration,
}

impl Server {
    /// Stops accepting, lets requests under way finish until the deadline, and ends everything.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        let longest = self.drain + Duration::from_millis(LOOPS_MS_MAX);
        if tokio::time::timeout(longest, ended).await.is_err() {
            tracing::warn!("some work was cut off: it took longer than the drain allows");
        }
        self.tasks.shutdown().await;
        self.engine.shut_down().await;
    }
}

/// Starts a server: data folder, engine, certificate, first start, listener, loops. When it returns, the server
/// answers. Needs a multi-threaded runtime only for speed.
///
/// # Errors
/// [`StartError`].
pub async fn build(config: Config, ports: Ports) -> Result<Server, StartError> {
    let folder = DataFolder::open(&config.server.data)?;
    let address = config.server.listen;
    let listen = |error| StartError::Listen { address, error };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let addr = listener.local_addr().map_err(listen)?;

    let name = Name::of(&config, addr);
    let certificates =
        Certificates { config: config.tls.clone(), folder: folder.clone(), host: name.host.clone() };
    // Clients judge a certificate by their own clocks, so this asks the machine's even where a test moves ours.
    let certificate = match config.tls.enabled {
        true => Some(certificates.current(SystemClock.now())?),
        false => None,
    };
    let encryption = certificate.as_ref().map(Certificate::listener).transpose()?;
    let url = format!("{}://{}", if config.tls.enabled { "https" } else { "http" }, reachable(&name, addr));
    let engine = Engine::open(settings(&config, &folder, &name, &ports)?, ports.clone()).await?;
    let prepared = first_start::prepare(&engine, &folder, config.demo).await?;
    engine.ensure_configured_log_stream().await?;

    let app = App::new(engine.clone(), &config.server.trusted_proxies);
    let mut first_id = [0; 8];
    ports.entropy.fill(&mut first_id);
    let front = Front::new(routes::all(app), name.wants_hsts(), u64::from_le_bytes(first_id));
    let drain = Duration::from_secs(config.server.drain_seconds.into());
    let connections_max = config.server.connections_max;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let (fresh, tls) = watch::channel(encryption);
    if let Some(certificate) = certificate {
        tasks.spawn(worker::certificates(certificates, certificate, fresh, stopped.clone()));
    }
    let listening = Listening { listener, tls, front: Arc::new(front), connections_max, drain };
    tasks.spawn(serve::run(listening, stopped.clone()));
    tasks.spawn(worker::deliver(engine.clone(), Arc::clone(&ports.entropy), stopped.clone()));
    tasks.spawn(worker::run_queued_actions(engine.clone(), Arc::clone(&ports.entropy), stopped.clone()));
    tasks.spawn(worker::number_logs(engine.clone(), Arc::clone(&ports.entropy), stopped.clone()));
    tasks.spawn(log_streams::run(engine.clone(), Arc::clone(&ports.entropy), stopped.clone()));
    tasks.spawn(worker::sweep(engine.clone(), Arc::clone(&ports.entropy), stopped));
    Ok(Server { addr, url, engine, folder, prepared, stop, tasks, drain })
}

/// Under which name the server is known.
struct Name {
    /// Host, and port where it is not the scheme's own.
    domain: String,
    /// The host alone; an IPv6 address without brackets.
    host: String,
    /// Whether browsers and clients reach it without encryption.
    insecure: bool,
}

impl Name {
    fn of(config: &Config, addr: SocketAddr) -> Self {
        let public = config.server.public_url.as_ref();
        let domain = match (public, &config.server.domain) {
            (Some(url), _) => authority(url),
            (None, Some(domain)) => domain.trim_end_matches('/').to_owned(),
            (None, None) => format!("localhost:{}", addr.port()),
        };
        let host =
            Url::parse(&format!("https://{domain}/")).ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.unwrap_or_else(|| domain.clone()).trim_matches(['[', ']']).to_owned();
        let is_local = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
        // Without encryption and without a word about a proxy, only a local server can mean plain HTTP.
        let insecure = public.map_or(!config.tls.enabled && is_local, |url| url.scheme() == "http");
        Self { domain, host, insecure }
    }

    /// HSTS holds for a host with all its ports, so a local server must not ask for it: its neighbours on other
    /// ports would become unreachable.
    fn wants_hsts(&self) -> bool {
        let is_local = self.host == "localhost" || self.host.parse::<std::net::IpAddr>().is_ok();
        !self.insecure && !is_local
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Host and port at which this machine reaches the server.
fn reachable(name: &Name, addr: SocketAddr) -> String {
    match name.host.as_str() {
        "localhost" => format!("localhost:{}", addr.port()),
        _ if addr.ip().is_unspecified() => format!("127.0.0.1:{}", addr.port()),
        _ => addr.to_string(),
    }
}

fn settings(
    config: &Config,
    folder: &DataFolder,
    name: &Name,
    ports: &Ports,
) -> Result<Settings, StartError> {
    let cores = std::thread::available_parallelism().map_or(PARALLELISM_UNKNOWN, usize::from);
    let environment = crate::config::master_key_of_environment();
    let master_key: Secret<[u8; 32]> = folder.master_key(environment.as_deref(), &*ports.entropy)?;
    let store = match &config.store.url {
        None => StoreChoice::Sqlite { path: folder.file("vestibule.sqlite") },
        Some(url) => StoreChoice::Postgres {
            url: url.expose().clone(),
            schema: Some(config.store.schema.clone()),
            pool_max: config.store.pool_max,
        },
    };
    let or_cores = |chosen: usize, least: usize| if chosen == 0 { cores.max(least) } else { chosen };
    Ok(Settings {
        tenant: TENANT.to_owned(),
        domain: name.domain.clone(),
        insecure_scheme: name.insecure,
        store,
        database_clock: config.store.database_clock,
        master_key,
        sandbox: sandbox_choice(config, or_cores(config.sandbox.workers, 2))?,
        node_js: NodeChoice {
            enabled: config.actions.dependencies,
            program: config.actions.node.clone(),
            npm: config.actions.npm.clone(),
            args: vec!["node-worker".to_owned()],
            folder: folder.file("packages"),
        },
        passwords: PasswordSettings {
            threads: or_cores(config.passwords.threads, 1),
            queue_max: config.passwords.queue_max,
            memory_kib: config.passwords.memory_kib,
            passes: config.passwords.passes,
        },
        breached_passwords: config.attack_protection.breached_passwords.clone(),
        signing_threads: cores,
        logout_egress: config.logout.egress(),
        upstream_egress: config.upstream.egress(),
        log_streams: LogStreamSettings {
            egress: config.log_streams.egress(),
            folder: config.log_streams.folder.clone(),
            file: config.log_streams.file.as_ref().map(|name| name.as_str().to_owned()),
            file_bytes_max: u64::from(config.log_streams.file_mib) * 1024 * 1024,
            files_max: config.log_streams.files,
        },
        actions_allow_private_addresses: config.actions.allow_private_addresses,
        actions_authority: match config.tls.enabled && config.tls.certificate_file.is_none() {
            true => folder.read("ca.pem")?,
            false => None,
        },
        log_retention_days: config.events.retention_days.0,
        administrators: config.server.administrators.iter().map(UserId::new).collect(),
        node: node_name(ports),
    })
}

/// How Actions are run, by so many workers.
///
/// # Errors
/// [`StartError::Engine`] when our own program cannot be named.
pub(crate) fn sandbox_choice(config: &Config, workers_max: usize) -> Result<SandboxChoice, StartError> {
    let program = match &config.sandbox.program {
        Some(program) => program.clone(),
        None => own_program()?,
    };
    Ok(SandboxChoice {
        program,
        args: vec!["worker".to_owned()],
        workers_max,
        queue_max: config.sandbox.queue_max,
        worker_memory_bytes_max: config.sandbox.memory_mib as u64 * 1024 * 1024,
    })
}

fn own_program() -> Result<PathBuf, StartError> {
    std::env::current_exe()
        .map_err(|error| StartError::Engine(format!("our own program is not found: {error}")))
}

/// A name that no other process has, so that a lease tells whose it is.
fn node_name(ports: &Ports) -> String {
    let mut bytes = [0; 8];
    ports.entropy.fill(&mut bytes);
    format!("{}-{}", std::process::id(), domain::id::hexadecimal(&bytes))
}

#[cfg(test)]
mod tests;

//! Actions with npm packages: which set of packages they run with, and the worker that runs them.
//!
//! A version keeps the set that was installed when it was deployed. A set that is not on this machine is installed again
//! before the first run. What a job may use differs from other Actions' only in what Node.js itself takes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use domain::action::{ActionSource, ActionVersion, Packages};
use domain::id::uuid;
use domain::limits::{
    ACTION_CONSOLE_BYTES_MAX, ACTION_CPU_MS_MAX, ACTION_MEMORY_BYTES_MAX, ACTION_NODE_CPU_MS_MAX,
    ACTION_NODE_MEMORY_BYTES_MAX, ACTION_PACKAGES_SWEEP_MS,
};
use domain::time::Timestamp;
use sandbox::node::{NodeProgram, NodeSandbox, NodeSettings};
use sandbox::{Failure, Fetch, Job, Limits, Outcome, SyntaxError, WorkerCommand};
use store::{Key, Order};
use tokio::sync::OnceCell;

use super::dependencies;
use crate::packages::{Hold, PackagesError, PackagesFolder};
use crate::settings::{NodeChoice, Settings};
use crate::{Engine, Error};

/// Versions that are read at once when packages are swept.
const VERSIONS_STEP: usize = 20;

/// What Actions with npm packages need, found when the first one needs it.
pub(crate) struct NodeJs {
    choice: NodeChoice,
    worker: WorkerCommand,
    workers_max: usize,
    queue_max: usize,
    fetch: Arc<dyn Fetch>,
    running: OnceCell<(NodeProgram, NodeSandbox)>,
    packages: PackagesFolder,
    swept_at: Mutex<Option<Timestamp>>,
}

impl NodeJs {
    /// Nothing is started or looked for yet.
    pub(crate) fn new(settings: &Settings, fetch: Arc<dyn Fetch>) -> Self {
        let choice = settings.node_js.clone();
        let packages = PackagesFolder::new(choice.folder.clone(), choice.npm.clone());
        Self {
            worker: WorkerCommand { program: settings.sandbox.program.clone(), args: choice.args.clone() },
            workers_max: settings.sandbox.workers_max,
            queue_max: settings.sandbox.queue_max,
            choice,
            fetch,
            running: OnceCell::new(),
            packages,
            swept_at: Mutex::default(),
        }
    }

    /// Ends its workers.
    pub(crate) async fn shut_down(&self) {
        if let Some((_, sandbox)) = self.running.get() {
            sandbox.shut_down().await;
        }
    }

    /// Node.js and its workers. One that is installed later is found without a restart.
    async fn running(&self) -> Result<&(NodeProgram, NodeSandbox), String> {
        if !self.choice.enabled {
            return Err("npm dependencies are switched off on this server (actions.dependencies)".to_owned());
        }
        let find = async || {
            let program = NodeProgram::find(&self.choice.program).await;
            let program =
                program.map_err(|reason| format!("its npm dependencies need Node.js to run: {reason}"))?;
            let settings = NodeSettings {
                worker: self.worker.clone(),
                program: program.clone(),
                workers_max: self.workers_max,
                queue_max: self.queue_max,
            };
            Ok((program, NodeSandbox::start(settings, Arc::clone(&self.fetch))))
        };
        self.running.get_or_try_init(find).await
    }

    fn is_sweep_due(&self, now: Timestamp) -> bool {
        let mut swept_at = self.swept_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = swept_at.is_none_or(|at| now >= at.plus_millis(ACTION_PACKAGES_SWEEP_MS));
        if is_due {
            *swept_at = Some(now);
        }
        is_due
    }
}

/// How much a run may use, with or without packages.
pub(super) fn limits(packages: Option<&Packages>, wall_ms: u64) -> Limits {
    let (cpu_ms, memory_bytes) = match packages {
        None => (ACTION_CPU_MS_MAX, ACTION_MEMORY_BYTES_MAX),
        Some(_) => (ACTION_NODE_CPU_MS_MAX, ACTION_NODE_MEMORY_BYTES_MAX),
    };
    Limits { cpu_ms, wall_ms, memory_bytes, console_bytes_max: ACTION_CONSOLE_BYTES_MAX }
}

impl Engine {
    /// The packages that a source runs with, installed; absent where it asks for none. As long as a source asks for
    /// the same, it keeps the set of the version that is deployed.
    ///
    /// # Errors
    /// [`Error::Invalid`] when they can't be had, with what npm says; [`Error::Busy`]; [`Error::Unavailable`].
    pub(super) async fn packages_for(
        &self,
        source: &ActionSource,
        deployed: Option<&ActionVersion>,
    ) -> Result<Option<(Packages, Hold)>, Error> {
        let wanted = dependencies::read(&source.dependencies)?;
        if wanted.is_empty() {
            return Ok(None);
        }
        let node_js = &self.inner.node_js;
        let (program, _) = node_js.running().await.map_err(|reason| cannot_deploy(&reason))?;
        let known = deployed.filter(|version| version.source.dependencies == source.dependencies);
        if let Some(packages) = known.and_then(|version| version.packages.clone()) {
            let hold = node_js.packages.hold(&packages.id);
            self.packages_folder(&packages, program).await?;
            return Ok(Some((packages, hold)));
        }
        let token = uuid(self.random());
        Ok(Some(node_js.packages.install(&wanted, &program.path, &token).await?))
    }

    async fn packages_folder(&self, packages: &Packages, program: &NodeProgram) -> Result<(), PackagesError> {
        let token = uuid(self.random());
        let ensured = self.inner.node_js.packages.ensure(packages, &program.path, &token, self.now()).await;
        ensured.map(drop)
    }

    /// Runs a job where it belongs.
    pub(super) async fn run_job(&self, job: Job, packages: Option<&Packages>) -> Outcome {
        let Some(packages) = packages else { return self.inner.sandbox.run(job).await };
        let node_js = &self.inner.node_js;
        let unavailable =
            |reason: String| Outcome { failure: Some(Failure::Unavailable { reason }), ..Outcome::default() };
        let (program, sandbox) = match node_js.running().await {
            Ok(running) => running,
            Err(reason) => return unavailable(reason),
        };
        let _hold = node_js.packages.hold(&packages.id);
        if let Err(error) = self.packages_folder(packages, program).await {
            let reason = match error {
                PackagesError::Unavailable(reason) => reason,
                other => other.to_string(),
            };
            tracing::error!(reason, "the npm packages of an Action can't be installed again");
            return unavailable(reason);
        }
        sandbox.run(job, &node_js.packages.path_of(&packages.id)).await
    }

    /// Parses code as the worker that will run it does.
    pub(super) async fn check_with_node(&self, code: &str, packages: &Packages) -> Result<(), SyntaxError> {
        let node_js = &self.inner.node_js;
        let unknown = |message: String| SyntaxError { message, line: 0, column: 0 };
        let (_, sandbox) = node_js.running().await.map_err(unknown)?;
        sandbox.check_syntax(code, &node_js.packages.path_of(&packages.id)).await
    }

    /// Removes packages that no version names any more, once an hour.
    pub(crate) async fn sweep_packages(&self) -> Result<(), Error> {
        let node_js = &self.inner.node_js;
        if !node_js.is_sweep_due(self.now()) {
            return Ok(());
        }
        node_js.packages.sweep(async || self.packages_in_use().await).await
    }

    async fn packages_in_use(&self) -> Result<BTreeSet<String>, Error> {
        let (mut named, mut after) = (BTreeSet::new(), None);
        loop {
            let page = self
                .store()
                .page::<ActionVersion>(None, &Key::all(), after.as_deref(), VERSIONS_STEP, Order::Ascending)
                .await?;
            named.extend(page.items.into_iter().filter_map(|version| version.packages).map(|set| set.id));
            after = page.next;
            if after.is_none() {
                return Ok(named);
            }
        }
    }
}

/// The answer to a deploy that this machine, or npm, can't do.
fn cannot_deploy(reason: &str) -> Error {
    Error::Invalid {
        message: format!("The action cannot be deployed: {reason}."),
        code: Some("operation_not_supported"),
    }
}

impl From<PackagesError> for Error {
    fn from(error: PackagesError) -> Self {
        match error {
            PackagesError::Refused(reason) => cannot_deploy(&reason),
            PackagesError::Busy => Self::Busy,
            PackagesError::Unavailable(reason) => Self::Unavailable(reason),
        }
    }
}

//! The only place that names the script engine: a fresh realm for each run, made from bytecode.
//!
//! Invariants. A realm serves one run and is dropped. Nothing of ours is reachable from a script but functions that
//! append to [`Effects`]. Every entry into the engine happens under a deadline ([`Watch`]) that the
//! interpreter asks for, and a kernel timer for built-in functions that never ask.

mod bytecode;
mod cache;
mod host;
mod platform;
mod realm;

use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rquickjs::{Context, Runtime};
use rustix::time::{ClockId, clock_gettime};

use self::bytecode::Bytecode;
use self::cache::Caches;
use self::platform::Platform;
use self::realm::{Realm, Spent};
use crate::cpu_timer::CpuTimer;
use crate::effects::Effects;
use crate::outcome::{Failure, Outcome, SyntaxError};
use crate::typescript::{self, NoJavascript};
use crate::wire::Request;

/// How much longer than the interpreter's own deadline the kernel's timer waits, in milliseconds.
const KERNEL_GRACE_MS: u64 = 30;
/// The scripts that make a realm out of an empty one, as text and by the name they have in stack traces.
const PRELUDES: [(&str, &str); 3] = [
    (include_str!("../js/platform.js"), realm::FILE),
    (include_str!("../js/redirect.js"), realm::FILE),
    (include_str!("../js/realm.js"), realm::FILE),
];

/// What a worker keeps between runs: bytecode, the next run's realm, and the last one's until it has been answered.
pub(crate) struct Vm {
    preludes: Vec<Bytecode>,
    platform: Rc<Platform>,
    caches: Caches,
    ready: Option<Realm>,
    spent: Option<Spent>,
    timer: CpuTimer,
}

/// How long a run may go on.
#[derive(Debug, Clone, Copy)]
struct Watch {
    started: Instant,
    wall: Duration,
    cpu_started: Duration,
    cpu: Duration,
}

impl Watch {
    fn start(request: &Request) -> Self {
        Self {
            started: Instant::now(),
            wall: Duration::from_millis(request.limits.wall_ms),
            cpu_started: cpu_time(),
            cpu: Duration::from_millis(request.limits.cpu_ms),
        }
    }

    fn cpu_used(&self) -> Duration {
        cpu_time().saturating_sub(self.cpu_started)
    }

    /// What has run out, if anything.
    fn verdict(&self) -> Option<Failure> {
        if self.cpu_used() >= self.cpu {
            return Some(Failure::CpuTime);
        }
        (self.started.elapsed() >= self.wall).then_some(Failure::WallClock)
    }
}

/// Processor time of this worker so far. It has one thread, whose own clock is exact: the process's moves in steps of
/// some milliseconds while the kernel's timer on it is armed.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanoseconds)
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Vm {
    /// Compiles what every realm needs, and makes the first.
    ///
    /// # Errors
    /// Says what failed: only a lack of memory or of timers can be the reason.
    pub(crate) fn new() -> Result<Self, String> {
        let text = |error: rquickjs::Error| format!("script engine: {error}");
        let timer = CpuTimer::new().map_err(|error| format!("processor timer: {error}"))?;
        let runtime = Runtime::new().map_err(text)?;
        let context = Context::full(&runtime).map_err(text)?;
        let preludes = context
            .with(|ctx| {
                let compile = |(source, file): &(&str, &str)| Bytecode::compile(&ctx, source, file, 1);
                PRELUDES.iter().map(compile).collect::<rquickjs::Result<Vec<_>>>()
            })
            .map_err(text)?;
        let mut vm = Self {
            preludes,
            platform: Rc::default(),
            caches: Caches::default(),
            ready: None,
            spent: None,
            timer,
        };
        vm.prepare()?;
        Ok(vm)
    }

    /// Drops the last run's realm and makes the next one's, if there is none yet.
    ///
    /// # Errors
    /// When memory doesn't suffice.
    pub(crate) fn prepare(&mut self) -> Result<(), String> {
        self.spent = None;
        if self.ready.is_none() {
            let realm = Realm::new(&self.preludes, &self.platform)
                .map_err(|error| format!("fresh realm: {error}"))?;
            self.ready = Some(realm);
        }
        Ok(())
    }

    /// Drops the prepared realm.
    pub(crate) fn discard(&mut self) {
        self.ready = None;
    }

    /// Runs an Action to its end, or until a limit ends it. `socket` is watched while a timer is awaited.
    pub(crate) fn run(&mut self, request: &Request, socket: BorrowedFd<'_>) -> Outcome {
        let effects = match Effects::new(request.session_metadata.as_ref(), request.limits.console_bytes_max)
        {
            Ok(effects) => effects.with_cache(request.cache.clone(), request.now_ms.is_some()),
            Err(reason) => return Outcome::failed(Failure::Unavailable { reason }),
        };
        if let Err(reason) = self.prepare() {
            return Outcome::failed(Failure::Unavailable { reason });
        }
        let Some(realm) = self.ready.take() else { return Outcome::failed(Failure::Crashed) };
        let watch = Watch::start(request);
        let limit = Duration::from_millis(request.limits.cpu_ms.saturating_add(KERNEL_GRACE_MS));
        if let Err(error) = self.timer.arm(Some(limit)) {
            return Outcome::failed(Failure::Unavailable { reason: format!("processor timer: {error}") });
        }
        let (effects, failure, spent) = realm.run(&mut self.caches, request, effects, watch, socket);
        self.spent = Some(spent);
        let (cpu_us, wall_us) = (microseconds(watch.cpu_used()), microseconds(watch.started.elapsed()));
        let failure = match self.timer.arm(None) {
            Ok(()) => failure,
            Err(error) => Some(Failure::Unavailable { reason: format!("processor timer: {error}") }),
        };
        let (commands, console) = effects.into_parts();
        Outcome { commands, console, cpu_us, wall_us, failure }
    }

    /// Parses an Action. Answers the JavaScript to run, where that isn't the text as it stands.
    ///
    /// What is JavaScript stays what it is; only a text that isn't is read as TypeScript. Where neither reading gets to
    /// the end, the error of the one that got farther is answered, and JavaScript's if they stop at the same place.
    ///
    /// # Errors
    /// [`Failure::Syntax`], or that it couldn't be parsed for another reason.
    pub(crate) fn build(&mut self, request: Request) -> Result<Option<String>, Failure> {
        let timer_broke =
            |error: std::io::Error| Failure::Unavailable { reason: format!("processor timer: {error}") };
        let limit = Duration::from_millis(request.limits.cpu_ms);
        self.timer.arm(Some(limit)).map_err(timer_broke)?;
        let built = self.built(request);
        self.timer.arm(None).map_err(timer_broke)?;
        built
    }

    fn built(&mut self, mut request: Request) -> Result<Option<String>, Failure> {
        let Some(as_javascript) = self.parse(&request)? else { return Ok(None) };
        let code = match typescript::javascript_of(&request.code) {
            Ok(code) => code,
            Err(NoJavascript::Refused(error)) => return Err(Failure::Syntax(error)),
            Err(NoJavascript::Unreadable(error)) if error.is_later_than(&as_javascript) => {
                return Err(Failure::Syntax(error));
            }
            Err(NoJavascript::Unreadable(_)) => return Err(Failure::Syntax(as_javascript)),
        };
        if code == request.code {
            return Err(Failure::Syntax(as_javascript));
        }
        request.code = code;
        match self.parse(&request)? {
            None => Ok(Some(request.code)),
            Some(error) => Err(Failure::Syntax(error)),
        }
    }

    /// Parses JavaScript. `Some` says where it is wrong.
    fn parse(&mut self, request: &Request) -> Result<Option<SyntaxError>, Failure> {
        self.prepare().map_err(|reason| Failure::Unavailable { reason })?;
        let realm = self.ready.take().ok_or(Failure::Crashed)?;
        match realm.check(&mut self.caches.actions, request) {
            None => Ok(None),
            Some(Failure::Syntax(error)) => Ok(Some(error)),
            Some(other) => Err(other),
        }
    }
}

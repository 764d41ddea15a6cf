//! The only place that names the script engine: for each run a realm that no script has touched.
//!
//! Invariants. After a run the realm's whole memory is put back to what it was before the first one. Nothing of ours is reachable from a script but functions that
//! append to [`Effects`]. Every entry into the engine happens under a deadline ([`Watch`]) that the
//! interpreter asks for, and a kernel timer for built-in functions that never ask.

mod arena;
mod bytecode;
mod cache;
mod host;
mod judgement;
mod platform;
mod realm;

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use self::cache::Caches;
use self::realm::Realm;
use crate::cpu_timer::CpuTimer;
use crate::effects::Effects;
use crate::outcome::{Failure, Outcome, SyntaxError};
use crate::typescript::{self, NoJavascript};
use crate::wire::Request;

/// How much longer than the interpreter's own deadline the kernel's timer waits, in milliseconds.
const KERNEL_GRACE_MS: u64 = 30;
/// The scripts that furnish a realm, as text and by the name they have in stack traces.
const PRELUDES: [(&str, &str); 3] = [
    (include_str!("../js/platform.js"), realm::FILE),
    (include_str!("../js/redirect.js"), realm::FILE),
    (include_str!("../js/realm.js"), realm::FILE),
];

/// What a worker keeps between runs.
pub(crate) struct Vm {
    realm: Realm,
    /// Whether something ran in the realm since it was last put back.
    touched: bool,
    caches: Caches,
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
    /// Makes the realm.
    ///
    /// # Errors
    /// Says what failed: only a lack of memory or of timers can be the reason.
    pub(crate) fn new() -> Result<Self, String> {
        let timer = CpuTimer::new().map_err(|error| format!("processor timer: {error}"))?;
        Ok(Self { realm: Realm::new(&PRELUDES)?, touched: false, caches: Caches::default(), timer })
    }

    /// Puts the realm back to what it was before anything ran in it. Better while nobody waits.
    pub(crate) fn prepare(&mut self) {
        if std::mem::take(&mut self.touched) {
            self.realm.restore();
        }
    }

    /// What [`Vm::prepare`] does after a run.
    pub(crate) fn touch_and_prepare(&mut self) {
        self.touched = true;
        self.prepare();
    }

    /// The realm, untouched, for one use.
    fn realm(&mut self) -> (&mut Realm, &mut Caches) {
        self.prepare();
        self.touched = true;
        (&mut self.realm, &mut self.caches)
    }

    /// Runs an Action to its end, or until a limit ends it. `socket` is watched while a timer is awaited.
    pub(crate) fn run(&mut self, request: &Request, socket: BorrowedFd<'_>) -> Outcome {
        let effects = match Effects::new(request.session_metadata.as_ref(), request.limits.console_bytes_max)
        {
            Ok(effects) => effects.with_cache(request.cache.clone(), request.now_ms.is_some()),
            Err(reason) => return Outcome::failed(Failure::Unavailable { reason }),
        };
        self.prepare();
        let watch = Watch::start(request);
        let limit = Duration::from_millis(request.limits.cpu_ms.saturating_add(KERNEL_GRACE_MS));
        if let Err(error) = self.timer.arm(Some(limit)) {
            return Outcome::failed(Failure::Unavailable { reason: format!("processor timer: {error}") });
        }
        let (realm, caches) = self.realm();
        let (effects, failure) = realm.run(caches, request, effects, watch, socket);
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
        let (realm, caches) = self.realm();
        match realm.check(&mut caches.actions, request) {
            None => Ok(None),
            Some(Failure::Syntax(error)) => Ok(Some(error)),
            Some(other) => Err(other),
        }
    }
}

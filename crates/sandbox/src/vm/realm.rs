//! A worker's realm: its making, a run in it, and its return to what it was.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use domain::action_module::MODULE_PREFIX;
use rquickjs::context::intrinsic;
use rquickjs::promise::PromiseState;
use rquickjs::{Context, Ctx, Error, Function, Object, Persistent, Promise, Runtime, Value};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Watch;
use super::arena::{Arena, Image};
use super::bytecode::Bytecode;
use super::cache::{Cache, Caches};
use super::host;
use super::judgement::judge;
use super::platform::{self, Chance, Fetches};
use crate::effects::Effects;
use crate::outcome::{Failure, SyntaxError};
use crate::wire::{self, Answer, Call, Reply, Request};

/// The name of our own script in stack traces, by which its frames are taken out again.
pub(super) const FILE: &str = "vestibule:realm";
/// Bytes of native stack that scripts may use; a worker's main thread has several times as many.
const STACK_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How much more than it may a run can use before the engine refuses it. The interpreter asks now and then whether a
/// limit is reached, and a run that has used too much ends there; refusals are for single requests beyond all measure. They
/// are kept rare because few ways through the engine are tried less than those after one: where the list of an object's
/// properties cannot grow, it collects garbage while that object is half unlinked.
const OVERSHOOT: usize = 2;
/// What stands before an Action's source: whole lines, so that columns keep their numbers.
const WRAPPER_HEAD: &str = "(function (exports, require, module, __filename, __dirname) {\n\n";
/// The same for a module, whose `actions` is outside, so that its source may declare one of its own.
const MODULE_HEAD: &str =
    "(function (actions) { return function (exports, require, module, __filename, __dirname) {\n\n";
/// The number of the wrapper's first line, so that the source begins at line 1. The engine reads 0 as 1, hence two.
const WRAPPER_LINE: i32 = -1;
/// What stands after it, on a line of its own because the source may end in a comment.
const WRAPPER_TAIL: &str = "\n})";
/// The same for a module.
const MODULE_TAIL: &str = "\n} })";

/// The engine's parts that scripts find: all but those that the prelude replaces (`DOMException`, `atob`,
/// `btoa`, `performance`).
type Intrinsics = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
    intrinsic::WeakRef,
);

/// A realm with our `api` in it, which no script has touched when a run begins.
pub(super) struct Realm {
    // Dropped in this order: values before their context, the context before its runtime, all before their memory.
    entry: Persistent<Object<'static>>,
    context: Context,
    runtime: Runtime,
    shared: Shared,
    untouched: Image,
}

/// What the engine's callbacks and the run both hold.
#[derive(Clone)]
struct Shared {
    effects: Rc<RefCell<Effects>>,
    fetches: Rc<RefCell<Fetches>>,
    watch: Rc<Cell<Option<Watch>>>,
    expired: Rc<RefCell<Option<Failure>>>,
    /// What `performance.now` counts from.
    origin: Rc<Cell<Instant>>,
    chance: Rc<Chance>,
    arena: Arena,
    /// Bytes that a run may use.
    memory: Rc<Cell<usize>>,
}

impl Shared {
    fn new(arena: Arena) -> Self {
        Self {
            arena,
            memory: Rc::new(Cell::new(usize::MAX)),
            effects: Rc::default(),
            fetches: Rc::default(),
            watch: Rc::default(),
            expired: Rc::default(),
            origin: Rc::new(Cell::new(Instant::now())),
            chance: Rc::default(),
        }
    }

    /// Whether a limit has been reached, now or earlier.
    fn is_expired(&self) -> bool {
        let mut expired = self.expired.borrow_mut();
        if expired.is_none() {
            let memory = (self.arena.used() > self.memory.get()).then_some(Failure::Memory);
            *expired = memory.or_else(|| self.watch.get().and_then(|watch| watch.verdict()));
        }
        expired.is_some()
    }
}

impl Realm {
    /// Makes one by the preludes, and notes how it looks.
    ///
    /// # Errors
    /// Says what failed: only a lack of memory can be the reason.
    pub(super) fn new(preludes: &[(&str, &str)]) -> Result<Self, String> {
        let arena = Arena::new().ok_or("not enough address space")?;
        let shared = Shared::new(arena.clone());
        let made = || -> rquickjs::Result<_> {
            let runtime = Runtime::new_with_alloc(arena.clone())?;
            runtime.set_max_stack_size(STACK_BYTES_MAX);
            let context = Context::custom::<Intrinsics>(&runtime)?;
            let entry = context.with(|ctx| Self::furnish(&ctx, &compiled_elsewhere(preludes)?, &shared))?;
            Ok((runtime, context, entry))
        };
        let (runtime, context, entry) = made().map_err(|error| format!("script engine: {error}"))?;
        let for_interrupt = shared.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || for_interrupt.is_expired())));
        // What making it left behind is not copied each time. The next collection comes when half as much again is in use, as
        // the engine itself has it after one: its first threshold is less than the realm, and each run would begin with one.
        runtime.run_gc();
        runtime.set_gc_threshold(arena.used() / 2 * 3);
        let untouched = arena.image();
        Ok(Self { entry, context, runtime, shared, untouched })
    }

    fn furnish(
        ctx: &Ctx<'_>,
        preludes: &[Bytecode],
        shared: &Shared,
    ) -> rquickjs::Result<Persistent<Object<'static>>> {
        let host = host::functions(ctx, &shared.effects, &shared.origin)?;
        platform::install(ctx, &host, &shared.fetches, &shared.chance)?;
        let mut entry = Object::new(ctx.clone())?;
        for prelude in preludes {
            let make: Function<'_> = prelude.evaluate(ctx)?.get()?;
            entry = make.call((host.clone(), entry))?;
        }
        Ok(Persistent::save(ctx, entry))
    }

    /// Runs an Action and answers what it asked for, and why it failed if it did. [`Realm::restore`] comes next.
    pub(super) fn run(
        &mut self,
        caches: &mut Caches,
        request: &Request,
        effects: Effects,
        watch: Watch,
        socket: BorrowedFd<'_>,
    ) -> (Effects, Option<Failure>) {
        let Self { entry, context, shared, .. } = &*self;
        *shared.effects.borrow_mut() = effects;
        shared.watch.set(Some(watch));
        shared.origin.set(watch.started);
        self.limit_memory(request);
        let failure = context.with(|ctx| {
            let run = Run { ctx: &ctx, entry: entry.clone().restore(&ctx)?, shared, watch, socket };
            Ok::<_, Error>(run.to_the_end(caches, request).err())
        });
        shared.watch.set(None);
        (shared.effects.take(), failure.unwrap_or(Some(Failure::Crashed)))
    }

    /// Parses an Action and answers why that failed if it did. [`Realm::restore`] comes next.
    pub(super) fn check(&mut self, actions: &mut Cache, request: &Request) -> Option<Failure> {
        self.limit_memory(request);
        let Self { entry, context, shared, .. } = &*self;
        context.with(|ctx| {
            let entry = entry.clone().restore(&ctx).ok()?;
            compiled(&ctx, &entry, shared, actions, &Script::action(request)).err()
        })
    }

    /// Makes it what it was before anything ran in it.
    pub(super) fn restore(&mut self) {
        #[expect(unsafe_code, reason = "what the engine keeps is put back under it")]
        // SAFETY: no code of the engine runs: `&mut self` and the closures given to `with` have ended. The handles that
        // live are `entry`, `context` and `runtime`, made before the image and not changed since: a run works on a
        // clone of `entry`, which is dropped before `with` returns. Functions of ours that the engine holds were all
        // made before the image too (`platform::install` makes those of every module), so none is forgotten unfreed.
        unsafe {
            self.shared.arena.restore(&self.untouched);
        }
        *self.shared.fetches.borrow_mut() = Fetches::default();
        *self.shared.expired.borrow_mut() = None;
        self.shared.chance.forget();
    }

    fn limit_memory(&self, request: &Request) {
        let bytes = usize::try_from(request.limits.memory_bytes).unwrap_or(usize::MAX).max(1);
        self.shared.memory.set(bytes);
        self.runtime.set_memory_limit(bytes.saturating_mul(OVERSHOOT));
    }
}

/// The preludes' bytecode, made in an engine of its own: what parsing takes would lie about in every copy of the realm.
fn compiled_elsewhere(preludes: &[(&str, &str)]) -> rquickjs::Result<Vec<Bytecode>> {
    let context = Context::full(&Runtime::new()?)?;
    let compile = |ctx: &Ctx<'_>| {
        preludes.iter().map(|(source, file)| Bytecode::compile(ctx, source, file, 1)).collect()
    };
    context.with(|ctx| compile(&ctx))
}

/// A tenant's source with what stands around it, and the name it has in stack traces.
struct Script<'a> {
    name: Cow<'a, str>,
    code: &'a str,
    head: &'static str,
    tail: &'static str,
}

impl<'a> Script<'a> {
    fn action(request: &'a Request) -> Self {
        let name = Cow::Borrowed(request.action_name.as_str());
        Self { name, code: &request.code, head: WRAPPER_HEAD, tail: WRAPPER_TAIL }
    }

    fn module(module: &'a wire::Module) -> Self {
        let name = Cow::Owned([MODULE_PREFIX, &module.name].concat());
        Self { name, code: &module.code, head: MODULE_HEAD, tail: MODULE_TAIL }
    }
}

/// A script's bytecode, from the cache or from its source.
fn compiled<'cache, 'js>(
    ctx: &Ctx<'js>,
    entry: &Object<'js>,
    shared: &Shared,
    cache: &'cache mut Cache,
    script: &Script<'_>,
) -> Result<&'cache Bytecode, Failure> {
    let key = (script.name.as_ref().to_owned(), script.code.to_owned());
    if cache.get(&key).is_none() {
        let source = [script.head, script.code, script.tail].concat();
        // A NUL can end neither a C string nor a line of JavaScript.
        let file = script.name.replace('\0', "");
        let bytecode = match Bytecode::compile(ctx, &source, &file, WRAPPER_LINE) {
            Ok(bytecode) => bytecode,
            Err(Error::Exception) => return Err(judge(entry, &shared.expired, ctx.catch(), true)),
            Err(_) => {
                let message = "Invalid or unexpected token".to_owned();
                return Err(Failure::Syntax(SyntaxError { message, line: 0, column: 0 }));
            }
        };
        cache.keep(key.clone(), bytecode);
    }
    cache.get(&key).ok_or(Failure::Crashed)
}

/// The host's socket, as a run borrows it.
struct Socket<'a>(BorrowedFd<'a>);

impl io::Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(self.0, buffer)?)
    }
}

impl io::Write for Socket<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(self.0, buffer)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A script's number of milliseconds, at most a day.
fn milliseconds(number: f64) -> Duration {
    Duration::from_secs_f64((number / 1e3).clamp(0.0, 86_400.0))
}

/// A run under way.
struct Run<'a, 'js> {
    ctx: &'a Ctx<'js>,
    entry: Object<'js>,
    shared: &'a Shared,
    watch: Watch,
    socket: BorrowedFd<'a>,
}

impl<'js> Run<'_, 'js> {
    fn to_the_end(&self, caches: &mut Caches, request: &Request) -> Result<(), Failure> {
        self.share_modules(&mut caches.modules, request)?;
        let script = Script::action(request);
        let bytecode = compiled(self.ctx, &self.entry, self.shared, &mut caches.actions, &script)?;
        let factory = self.attempt(bytecode.evaluate(self.ctx))?;
        let event = self.attempt(self.ctx.json_parse(request.event.get()))?;
        if let Some(now_ms) = request.now_ms {
            let stop: Function<'js> = self.attempt(self.entry.get("stopClock"))?;
            // Whole milliseconds: a double holds those of any date.
            self.attempt(stop.call::<_, ()>((now_ms as f64,)))?;
        }
        let start: Function<'js> = self.attempt(self.entry.get("start"))?;
        let arguments = (event, factory, request.handler.as_str(), request.action_name.as_str());
        let promise: Promise<'js> = match self.attempt(start.call::<_, Value<'js>>(arguments))?.get() {
            Ok(promise) => promise,
            Err(_) => return Err(Failure::NoHandler),
        };
        loop {
            self.run_jobs()?;
            self.send_fetches()?;
            match promise.state() {
                PromiseState::Resolved => return Ok(()),
                PromiseState::Rejected => return self.attempt(promise.finish::<Value<'js>>()).map(drop),
                PromiseState::Pending => self.next_event()?,
            }
        }
    }

    /// Lays out what the Action may require; nothing of it runs yet.
    fn share_modules(&self, cache: &mut Cache, request: &Request) -> Result<(), Failure> {
        if request.modules.is_empty() {
            return Ok(());
        }
        let share: Function<'js> = self.attempt(self.entry.get("share"))?;
        for module in &request.modules {
            let bytecode = compiled(self.ctx, &self.entry, self.shared, cache, &Script::module(module))?;
            let factory = self.attempt(bytecode.evaluate(self.ctx))?;
            let secrets = serde_json::to_vec(&module.secrets).map_err(|_| Failure::Crashed)?;
            let secrets = self.attempt(self.ctx.json_parse(secrets))?;
            self.attempt(share.call::<_, ()>((module.name.as_str(), factory, secrets)))?;
        }
        Ok(())
    }

    /// Runs promise reactions until none is left.
    fn run_jobs(&self) -> Result<(), Failure> {
        loop {
            if self.shared.is_expired() {
                return Err(self.expired());
            }
            if !self.ctx.execute_pending_job() {
                return Ok(());
            }
        }
    }

    /// Tells the host what the script wants to fetch.
    fn send_fetches(&self) -> Result<(), Failure> {
        let unsent = self.shared.fetches.borrow_mut().take_unsent();
        for ask in unsent {
            let sent = wire::send_blocking(&mut Socket(self.socket), &Reply::Fetch(ask));
            sent.map_err(|_| Failure::Crashed)?;
        }
        Ok(())
    }

    /// Waits for the timer that is due next, or for an answer, and lets the script go on with it. With neither left,
    /// a pending promise stays so for ever.
    fn next_event(&self) -> Result<(), Failure> {
        let next: Function<'js> = self.attempt(self.entry.get("nextTimerMs"))?;
        let wait_ms: f64 = self.attempt(next.call(()))?;
        let fetching = self.shared.fetches.borrow().is_awaited();
        if wait_ms < 0.0 && !fetching {
            let message = "The Action's promise never settled: nothing is left that could settle it.";
            return Err(Failure::Script {
                name: "Error".to_owned(),
                message: message.to_owned(),
                stack: String::new(),
            });
        }
        let wanted = if wait_ms < 0.0 { self.watch.wall } else { milliseconds(wait_ms) };
        if self.sleep(wanted, fetching)? {
            return self.take_answer();
        }
        let fire: Function<'js> = self.attempt(self.entry.get("fireTimer"))?;
        self.attempt(fire.call::<_, Value<'js>>(())).map(drop)
    }

    /// Reads the host's answer, and settles the promise that waits for it.
    fn take_answer(&self) -> Result<(), Failure> {
        let call = wire::receive_blocking::<Call>(&mut Socket(self.socket));
        let Ok(Some(Call::Answer(Answer { id, result }))) = call else { return Err(Failure::Crashed) };
        if !self.shared.fetches.borrow_mut().settle(id) {
            return Ok(());
        }
        let settle: Function<'js> = self.attempt(self.entry.get("settleFetch"))?;
        match result {
            Ok(response) => {
                let response = self.attempt(platform::response(self.ctx, response))?;
                self.attempt(settle.call::<_, ()>((id, (), response)))
            }
            Err(error) => self.attempt(settle.call::<_, ()>((id, error.to_string()))),
        }
    }

    /// Sleeps, but not beyond the wall clock's limit, and not when the host has hung up. True when the host has
    /// written something that is expected.
    fn sleep(&self, wanted: Duration, expecting: bool) -> Result<bool, Failure> {
        let left = self.watch.wall.saturating_sub(self.watch.started.elapsed());
        let wait = wanted.min(left);
        let timeout = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(wait.subsec_nanos()),
        };
        // Where nothing is expected, any event means that the host hung up or breaks the protocol.
        let mut sockets = [PollFd::from_borrowed_fd(self.socket, PollFlags::IN)];
        match poll(&mut sockets, Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => Ok(false),
            Ok(_) if expecting => Ok(true),
            Ok(_) | Err(_) => Err(Failure::Crashed),
        }
    }

    /// The failure behind an error of the engine.
    fn attempt<T>(&self, result: rquickjs::Result<T>) -> Result<T, Failure> {
        let error = match result {
            Ok(value) if self.shared.expired.borrow().is_none() => return Ok(value),
            Ok(_) => return Err(self.expired()),
            Err(error) => error,
        };
        match error {
            Error::Exception => Err(judge(&self.entry, &self.shared.expired, self.ctx.catch(), false)),
            other => Err(Failure::Script {
                name: "Error".to_owned(),
                message: other.to_string(),
                stack: String::new(),
            }),
        }
    }

    fn expired(&self) -> Failure {
        self.shared.expired.borrow().clone().unwrap_or(Failure::Crashed)
    }
}

//! For measurements: what one untouched realm costs when nothing is done with it, and what one run in it costs.

use std::cell::RefCell;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::value::to_raw_value;

use crate::job::Job;
use crate::outcome::Outcome;
use crate::pool::{SandboxSettings, start_and_end_worker};
use crate::vm::Vm;
use crate::wire::{Request, Task};

thread_local! {
    static VM: RefCell<Option<Vm>> = const { RefCell::new(None) };
}

fn with_vm<T>(work: impl FnOnce(&mut Vm) -> T) -> T {
    VM.with_borrow_mut(|slot| {
        let vm = match slot {
            Some(vm) => vm,
            None => slot.insert(Vm::new().expect("the preludes are ours and compile")),
        };
        work(vm)
    })
}

/// Puts a realm with our `api` in it back to what it was. Benchmarks compare a whole run with this.
#[doc(hidden)]
pub fn untouched_realm() {
    with_vm(Vm::touch_and_prepare);
}

/// Runs a job in this process, without its fences, and puts its realm back: what a worker does between two messages.
#[doc(hidden)]
pub fn run(job: &Job) -> Outcome {
    let (socket, _host) = UnixStream::pair().expect("a pair of sockets");
    let request = Request {
        task: Task::Run,
        code: job.code.as_ref().to_owned(),
        action_name: job.action_name.clone(),
        handler: job.handler.clone(),
        limits: job.limits,
        event: to_raw_value(&job.event).expect("events are JSON"),
        session_metadata: job.event.session_metadata().cloned(),
        cache: job.cache.clone(),
        modules: Vec::new(),
        now_ms: None,
    };
    with_vm(|vm| {
        let outcome = vm.run(&request, socket.as_fd());
        vm.prepare();
        outcome
    })
}

/// How long a worker takes from being spawned to being ready for a job. It is ended before this answers.
///
/// # Errors
/// When it can't be started.
#[doc(hidden)]
pub async fn worker_start(settings: &SandboxSettings) -> io::Result<Duration> {
    start_and_end_worker(settings).await
}

//! For the fuzzer: what the host makes of a worker's bytes, and a worker of the host's.
//!
//! Not here: what must hold of that (`fuzz/src/wire.rs`).

use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde::de::DeserializeOwned;

use crate::distrust::Heard;
use crate::fetch::FetchRequest;
use crate::job::Limits;
use crate::outcome::{Failure, Outcome};
use crate::wire::{self, Call, Reply, Request, Task};

/// What the host makes of a reply.
#[doc(hidden)]
#[derive(Debug)]
pub enum Verdict {
    /// The worker is ended.
    Broken,
    /// A request that is carried out if it is within the limits, and else answered with a refusal.
    Fetch {
        /// The request.
        request: FetchRequest,
        /// Whether it is within the limits.
        carried_out: bool,
    },
    /// The outcome of a run, as it goes to the caller.
    Ran(Box<Outcome>),
    /// The end of a build.
    Built(Result<Option<String>, Failure>),
}

/// A host that waited so many microseconds reads a stream of bytes: length, then message.
#[doc(hidden)]
pub fn reply(stream: &[u8], building: bool, limits: Limits, waited_us: u64) -> Verdict {
    let task = if building { Task::Build } else { Task::Run };
    match received(stream) {
        Err(_) => Verdict::Broken,
        Ok(Reply::Fetch(ask)) => {
            Verdict::Fetch { carried_out: ask.request.is_within_limits(), request: ask.request }
        }
        Ok(reply) => match Heard::of(reply, task, limits, waited_us) {
            Err(_) => Verdict::Broken,
            Ok(Heard::Ran(outcome)) => Verdict::Ran(outcome),
            Ok(Heard::Built(built)) => Verdict::Built(built),
        },
    }
}

/// An outcome as a worker sends it: length, then message. `None` where it is longer than a message may be.
#[doc(hidden)]
pub fn ran(outcome: &Outcome) -> Option<Vec<u8>> {
    wire::frame(&Reply::Ran(outcome.clone())).ok()
}

/// A worker reads a call from a stream of bytes, and it is written again; `None` where it can't be read.
#[doc(hidden)]
pub fn call(mut stream: &[u8]) -> Option<Vec<u8>> {
    let call: Call<Request> = wire::receive_blocking(&mut stream).ok()??;
    wire::frame(&call).ok()
}

/// Reads with the host's own function, which never waits for a slice.
fn received<T: DeserializeOwned>(mut stream: &[u8]) -> io::Result<T> {
    let reading = pin!(wire::receive(&mut stream));
    match reading.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

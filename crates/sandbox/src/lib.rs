//! The tenant's own code: runs one Action in a worker process and hands back its effects as data.
//!
//! [`Sandbox::run`] takes a [`Job`] (code, event, limits) and answers an [`Outcome`] (commands, console lines, time
//! used, failure). Nothing that a script does reaches anything of ours: it runs in a process without files, network
//! or keys, and all it can do is append [`Command`]s, which the caller applies through the same rules as everyone else.
//!
//! An Action that needs npm packages runs in [`node`], the second kind of worker.
//!
//! What a script fetches goes through the [`fetch::Fetch`] that the caller brings.
//!
//! Not here: what a command means for a session, a user or a token (`engine`), and which metadata is legal
//! (`domain::metadata`, which the worker asks).

mod cpu_timer;
pub mod credentials_exchange;
mod effects;
pub mod fetch;
pub mod floor;
mod job;
pub mod node;
mod outcome;
mod pool;
pub mod post_login;
pub mod pre_user_registration;
mod rights;
mod vm;
mod wire;
mod worker;

pub use fetch::{Fetch, FetchError, FetchFuture, FetchRequest, FetchResponse};
pub use job::{Event, Job, Limits};
pub use outcome::{Command, ConsoleLevel, ConsoleLine, CookieMode, Failure, Outcome, SyntaxError};
pub use pool::{Sandbox, SandboxSettings, WorkerCommand};
pub use post_login::Secrets;
pub use worker::worker_main;

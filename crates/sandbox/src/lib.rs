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
mod distrust;
mod effects;
pub mod fetch;
pub mod floor;
pub mod fuzzing;
mod job;
pub mod node;
mod outcome;
mod pool;
pub mod post_change_password;
pub mod post_login;
pub mod post_user_registration;
pub mod pre_user_registration;
mod redirect;
mod rights;
pub mod types;
pub mod typescript;
mod vm;
mod wire;
mod worker;

pub use fetch::{Fetch, FetchError, FetchFuture, FetchRequest, FetchResponse};
pub use job::{CacheView, Event, Job, Limits, Module};
pub use outcome::{Command, ConsoleLevel, ConsoleLine, CookieMode, Failure, Outcome, SyntaxError};
pub use pool::{Sandbox, SandboxSettings, WorkerCommand};
pub use post_login::Secrets;
pub use worker::worker_main;

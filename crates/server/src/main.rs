//! The program: parse, configure, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use server::cli::{self, Cli};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A worker gives up its rights before anything else happens: no logging, no runtime, no configuration.
    let worker: Option<fn() -> i32> = match std::env::args_os().nth(1) {
        Some(command) if command == "worker" => Some(engine::worker_main),
        Some(command) if command == "node-worker" => Some(engine::node_worker_main),
        Some(_) | None => None,
    };
    if let Some(worker) = worker {
        return ExitCode::from(u8::try_from(worker()).unwrap_or(cli::EXIT_START));
    }
    match cli::run(Cli::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ =
                std::io::Write::write_all(&mut std::io::stderr(), format!("vestibule: {error}\n").as_bytes());
            ExitCode::from(error.exit_code())
        }
    }
}

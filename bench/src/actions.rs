//! What Actions cost beside what they may: processor time that one adds to a sign-in, memory of many, a worker's start.

use std::path::Path;
use std::time::Duration;

use sandbox::{SandboxSettings, WorkerCommand};

use crate::Result;
use crate::load::measure;
use crate::process::Server;
use crate::report::Aim;
use crate::setup::{self, Api, World};
use crate::wire::Wire;
use crate::work::{SCOPE, Seat, silent_sign_in};

/// Pairs of measurements, with and without the Action in turn: the median of their differences is the result.
const PAIRS: u32 = 7;
/// Actions that are deployed at once.
const DEPLOYED: usize = 500;
/// Actions bound at once, as many as a trigger takes.
const BOUND: usize = domain::limits::ACTION_BINDINGS_MAX;
/// Workers started, one after another.
const STARTS: usize = 100;
/// Address space of those, in bytes: the server's default.
const WORKER_MEMORY_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// What an Action may add, in microseconds of processor time.
const ADDED_CPU_US_MAX: f64 = 400.0;
/// What the server may grow by, in MiB.
const GROWTH_MIB_MAX: f64 = 64.0;
/// What the start of a worker may take, in milliseconds.
const START_MS_MAX: f64 = 20.0;

/// The middle one of some figures.
fn median(figures: &mut [f64]) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// Measures what the bound Action adds to the processor time of a silent sign-in and the exchange of its code.
pub(crate) async fn added(
    server: &Server,
    api: &Api,
    world: &World,
    mut seats: Vec<Seat>,
    time: Duration,
) -> Result<(Aim, Vec<Seat>)> {
    let mut differences = Vec::new();
    for _ in 0..PAIRS {
        let mut cpu_us = [0.0; 2];
        for (bound, cpu_us) in [false, true].into_iter().zip(&mut cpu_us) {
            api.bind(if bound { std::slice::from_ref(&world.action_id) } else { &[] }).await?;
            let (measured, back) = measure(&server.process, seats, time / PAIRS, silent_sign_in).await?;
            (*cpu_us, seats) = (measured.cpu_us(), back);
        }
        differences.push(cpu_us[1] - cpu_us[0]);
    }
    let what = "one Action adds to a silent sign-in, median";
    let aim = Aim { what, figure: median(&mut differences), unit: "CPU µs", at_most: ADDED_CPU_US_MAX };
    Ok((aim, seats))
}

/// Deploys many different Actions, runs each once, and reads how much memory the server itself has taken for that.
pub(crate) async fn growth(server: &Server, api: &Api, seat: &mut Seat) -> Result<Aim> {
    let before = server.process.resident_bytes()?;
    let mut ids = Vec::with_capacity(DEPLOYED);
    for number in 0..DEPLOYED {
        ids.push(api.deploy_action(number).await?);
    }
    for some in ids.chunks(BOUND) {
        api.bind(some).await?;
        let more = format!("prompt=none&{SCOPE}");
        // A connection for each: deploying takes longer than the server lets one idle.
        seat.wire = Wire::open(&server.address).await?;
        let cookie = seat.cookie();
        setup::authorize(&mut seat.wire, &seat.world.app, &cookie, &more).await?.sent_with("code")?;
    }
    api.bind(&[]).await?;
    let grown = server.process.resident_bytes()?.saturating_sub(before);
    let what = "500 different Actions, each run once, make the server grow by";
    Ok(Aim { what, figure: grown as f64 / f64::from(1 << 20), unit: "MiB", at_most: GROWTH_MIB_MAX })
}

/// Starts workers as the server does, and times each from its start until it is ready for a job.
pub(crate) async fn worker_start(program: &Path) -> Result<[Aim; 2]> {
    let settings = SandboxSettings {
        worker: WorkerCommand { program: program.to_owned(), args: vec!["worker".to_owned()] },
        workers_max: 1,
        queue_max: 1,
        worker_memory_bytes_max: WORKER_MEMORY_BYTES_MAX,
    };
    let mut took_ms = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        took_ms.push(sandbox::floor::worker_start(&settings).await?.as_secs_f64() * 1e3);
    }
    took_ms.sort_unstable_by(f64::total_cmp);
    let at = |percent: usize| took_ms[(STARTS * percent / 100).min(STARTS - 1)];
    let aim = |what, figure| Aim { what, figure, unit: "ms", at_most: START_MS_MAX };
    Ok([aim("start of a worker, p50", at(50)), aim("start of a worker, p99", at(99))])
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(&mut [3.0, -1.0, 2.0]), 2.0);
        assert_eq!(median(&mut []), 0.0);
    }
}

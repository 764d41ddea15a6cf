//! Drives many connections at once for a while, and reads latency and the measured process's processor time.

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::Result;
use crate::process::Process;

/// How long the way is smoothed before a measurement: caches, connections, the allocator.
const WARM_UP: Duration = Duration::from_millis(250);

/// What a measurement came to.
#[derive(Default)]
pub(crate) struct Measured {
    /// Operations, warm-up not counted.
    pub(crate) count: usize,
    /// How long they took together.
    pub(crate) elapsed: Duration,
    /// Processor time of the measured process.
    pub(crate) cpu: Duration,
    /// Latencies in microseconds.
    latencies_us: Vec<u32>,
}

impl Measured {
    /// Processor time of one operation, in microseconds.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.count.max(1) as f64
    }

    /// Operations per second.
    pub(crate) fn per_second(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that so many of 100 operations stay below, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let mut sorted = self.latencies_us.clone();
        sorted.sort_unstable();
        let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(at).map_or(0.0, |latency| f64::from(*latency) / 1e3)
    }

    /// Adds what a further measurement of the same came to.
    pub(crate) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.elapsed += other.elapsed;
        self.cpu += other.cpu;
        self.latencies_us.extend(other.latencies_us);
    }
}

/// Lets every seat take one step after another, all seats at once.
pub(crate) async fn measure<S: 'static>(
    process: &Process,
    seats: Vec<S>,
    time: Duration,
    step: impl AsyncFn(&mut S) -> Result<()> + 'static,
) -> Result<(Measured, Vec<S>)> {
    let step = Rc::new(step);
    let (_, seats) = drive(seats, WARM_UP, &step).await?;
    let (cpu, began) = (process.cpu()?, Instant::now());
    let (latencies_us, seats) = drive(seats, time, &step).await?;
    let (elapsed, cpu) = (began.elapsed(), process.cpu()?.saturating_sub(cpu));
    Ok((Measured { count: latencies_us.len(), elapsed, cpu, latencies_us }, seats))
}

async fn drive<S: 'static, F: AsyncFn(&mut S) -> Result<()> + 'static>(
    seats: Vec<S>,
    time: Duration,
    step: &Rc<F>,
) -> Result<(Vec<u32>, Vec<S>)> {
    let until = Instant::now() + time;
    let run = |mut seat: S| {
        let step = Rc::clone(step);
        tokio::task::spawn_local(async move {
            let mut latencies_us = Vec::new();
            loop {
                let began = Instant::now();
                if began >= until {
                    return Result::Ok((latencies_us, seat));
                }
                (*step)(&mut seat).await?;
                latencies_us.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
        })
    };
    let tasks: Vec<_> = seats.into_iter().map(run).collect();
    let (mut all_us, mut seats) = (Vec::new(), Vec::new());
    for task in tasks {
        let (latencies_us, seat) = task.await??;
        all_us.extend(latencies_us);
        seats.push(seat);
    }
    Ok((all_us, seats))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Measured;

    #[test]
    fn figures_follow_from_counts() {
        let second = Duration::from_secs(1);
        let measured = Measured {
            count: 100,
            elapsed: second * 2,
            cpu: second,
            latencies_us: (1..=100).map(|n| n * 1000).collect(),
        };
        assert_eq!((measured.cpu_us(), measured.per_second()), (10_000.0, 50.0));
        assert_eq!((measured.percentile_ms(50), measured.percentile_ms(99)), (51.0, 100.0));
    }
}

//! The tables: printed, and put into `docs/performance.md`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::floor::Committed;
use crate::load::Measured;

/// Above this, a row is marked: the aim is not reached.
const RATIO_AIM: f64 = 1.5;
/// What 64 writers are to commit more than one.
const GROUP_AIM: f64 = 10.0;
/// Where tables stand in the document: what is before and behind them.
pub(crate) type Markers = [&'static str; 2];
/// Where the tables of requests stand.
pub(crate) const TABLES: Markers = ["<!-- bench:begin -->\n", "<!-- bench:end -->"];
/// Where those of a long log stand.
pub(crate) const LOG_TABLES: Markers = ["<!-- bench-log:begin -->\n", "<!-- bench-log:end -->"];
/// Where the figures of the ends of sessions stand there.
pub(crate) const END_TABLES: Markers = ["<!-- bench-ends:begin -->\n", "<!-- bench-ends:end -->"];

/// One row.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) at_once: usize,
    pub(crate) measured: Measured,
    /// In microseconds.
    pub(crate) floor_us: f64,
    pub(crate) made_of: String,
}

impl Line {
    /// The row of the table.
    pub(crate) fn row(&self) -> String {
        let (measured, cpu_us) = (&self.measured, self.measured.cpu_us());
        let ratio = cpu_us / self.floor_us;
        format!(
            "| {} | {} | {} | {:.0} | {:.1} | {:.1} | {cpu_us:.0} | {:.0} | {} | {ratio:.2}{} |",
            self.name,
            self.at_once,
            measured.count,
            measured.per_second(),
            measured.percentile_ms(50),
            measured.percentile_ms(99),
            self.floor_us,
            self.made_of,
            mark(ratio <= RATIO_AIM),
        )
    }
}

/// A figure beside what it may be.
pub(crate) struct Aim {
    pub(crate) what: &'static str,
    pub(crate) figure: f64,
    pub(crate) unit: &'static str,
    pub(crate) at_most: f64,
}

impl Aim {
    /// The row of the table.
    pub(crate) fn row(&self) -> String {
        let Self { what, figure, unit, at_most } = self;
        format!("| {what} | {figure:.1} {unit} | {at_most:.0} {unit}{} |", mark(figure <= at_most))
    }
}

/// What marks a figure that is beyond its aim.
pub(crate) const fn mark(reached: bool) -> &'static str {
    if reached { "" } else { " ▲" }
}

/// Everything that was measured, as Markdown.
pub(crate) fn text(
    lines: &[Line],
    aims: &[Aim],
    pieces: &[(&str, f64)],
    committed: [(usize, Committed); 2],
    row_bytes: usize,
    syncs_per_second: f64,
    folder: &Path,
) -> String {
    let mut text = format!("Measured on {}.\n\n", machine(folder));
    text += "| work | at once | count | per second | p50 ms | p99 ms | CPU µs | floor µs | floor made of | ratio |\n";
    text += "|---|---:|---:|---:|---:|---:|---:|---:|---|---:|\n";
    for line in lines {
        text += &line.row();
        text.push('\n');
    }
    if !aims.is_empty() {
        text += "\n| Actions | measured | at most |\n|---|---:|---:|\n";
    }
    for aim in aims {
        text += &aim.row();
        text.push('\n');
    }
    text += "\n| bare work | CPU µs |\n|---|---:|\n";
    for (piece, cpu_us) in pieces {
        let _ = writeln!(text, "| {piece} | {cpu_us:.1} |");
    }
    let _ = writeln!(
        text,
        "\n| durable commits of {row_bytes} bytes | per second | CPU µs each |\n|---|---:|---:|"
    );
    for (writers, committed) in committed {
        let _ =
            writeln!(text, "| {writers} at once | {:.0} | {:.1} |", committed.per_second, committed.cpu_us);
    }
    let [(_, one), (writers, many)] = committed;
    let gain = many.per_second / one.per_second;
    let _ = writeln!(
        text,
        "\n{writers} writers commit {gain:.1} times as often as one{}. The disk itself syncs {syncs_per_second:.0} \
         times a second.",
        mark(gain >= GROUP_AIM)
    );
    text
}

/// The machine, without anything that names it.
pub(crate) fn machine(folder: &Path) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = read("/proc/cpuinfo");
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let cpu = cpu.map_or("an unknown processor", |(_, name)| name.trim());
    let kernel = read("/proc/sys/kernel/osrelease");
    let file_system = file_system(&read("/proc/self/mounts"), folder);
    format!(
        "{cores} cores of {cpu}, Linux {}, {file_system}",
        kernel.trim().split('-').next().unwrap_or_default()
    )
}

/// The type of the file system that a folder is on: that of the longest mount point above it.
fn file_system(mounts: &str, folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = mounts.filter(|(at, _)| folder.starts_with(at)).max_by_key(|(at, _)| at.len());
    above.map_or_else(|| "an unknown file system".to_owned(), |(_, kind)| kind.to_owned())
}

/// Prints a line.
pub(crate) fn say(text: &str) {
    // A closed pipe is the reader's choice.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Puts the report between the markers of the document.
pub(crate) fn write(markers: Markers, report: &str) -> Result<()> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/performance.md"));
    let written = between_markers(&std::fs::read_to_string(&path)?, markers, report)?;
    Ok(std::fs::write(path, written)?)
}

fn between_markers(document: &str, markers: Markers, report: &str) -> Result<String> {
    let (before, rest) = document.split_once(markers[0]).ok_or("the document has no place for the tables")?;
    let (_, after) = rest.split_once(markers[1]).ok_or("the place for the tables has no end")?;
    Ok(format!("{before}{}\n{report}\n{}{after}", markers[0], markers[1]))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Aim, LOG_TABLES, TABLES, between_markers, file_system};

    #[test]
    fn a_figure_above_its_aim_is_marked() {
        let aim = |figure| Aim { what: "x", figure, unit: "ms", at_most: 20.0 }.row();
        assert_eq!(aim(20.0), "| x | 20.0 ms | 20 ms |");
        assert_eq!(aim(20.1), "| x | 20.1 ms | 20 ms ▲ |");
    }

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let document = "# A\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nend\n";
        let written = between_markers(document, TABLES, "new").unwrap();
        assert_eq!(written, "# A\n<!-- bench:begin -->\n\nnew\n<!-- bench:end -->\nend\n");
        assert_eq!(between_markers(&written, TABLES, "new").unwrap(), written);
        assert!(between_markers(document, LOG_TABLES, "new").is_err());
    }

    #[test]
    fn the_nearest_mount_counts() {
        let mounts = "d / ext4 rw 0 0\nt /nowhere tmpfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/nowhere/deep")), "tmpfs");
        assert_eq!(file_system(mounts, Path::new("/nowhereelse")), "ext4");
        assert_eq!(file_system("", Path::new("/a")), "an unknown file system");
    }
}

//! Holds the manual's tables to the code: a key, an event or a limit that comes, goes or changes must do so there too.

use domain::event::EventKind;

use crate::config::Config;

const CONFIG: &str = include_str!("../../../docs/config.md");
const EVENTS: &str = include_str!("../../../docs/events.md");
const LIMITS: &str = include_str!("../../../docs/limits.md");
const LIMITS_SOURCE: &str = include_str!("../../domain/src/limits.rs");

/// What stands in backquotes at the beginning of each table row, in the given column.
fn column(page: &str, index: usize) -> Vec<&str> {
    page.lines()
        .filter_map(|line| {
            line.strip_prefix("| ")?.split(" | ").nth(index)?.strip_prefix('`')?.split('`').next()
        })
        .collect()
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

#[test]
fn every_configuration_key_stands_in_the_manual_with_its_default() {
    let explained = Config::default().explain();
    let keys = explained.iter().map(|line| line.key.as_str()).collect();
    let documented = column(CONFIG, 0).into_iter().filter(|name| name.contains('.')).collect();
    assert_eq!(sorted(documented), sorted(keys));
    for line in &explained {
        let row = format!("| `{}` | `{}` |", line.key, line.value);
        let unset = [format!("| `{}` | – |", line.key), format!("| `{}` | none |", line.key)];
        let is_there = CONFIG.contains(&row) || unset.iter().any(|row| CONFIG.contains(row));
        assert!(is_there, "docs/config.md does not give {} as {}", line.key, line.value);
    }
}

#[test]
fn every_event_stands_in_the_manual_with_its_meaning() {
    let codes = EventKind::ALL.iter().map(|kind| kind.code()).collect();
    assert_eq!(sorted(column(EVENTS, 0)), sorted(codes));
    for kind in EventKind::ALL {
        let row = format!("| `{}` | {} |", kind.code(), kind.meaning());
        assert!(EVENTS.contains(&row), "docs/events.md lacks {row}");
    }
}

#[test]
fn every_limit_stands_in_the_manual() {
    let named = |line: &'static str| line.strip_prefix("pub const ")?.split(':').next();
    let missing: Vec<_> = LIMITS_SOURCE
        .lines()
        .filter_map(named)
        .filter(|name| !LIMITS.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "docs/limits.md lacks {missing:?}");
}

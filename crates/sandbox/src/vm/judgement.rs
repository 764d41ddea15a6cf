//! What ended a run early: a limit, a lack of memory, the script's grammar, or what it threw, with its own lines.

use std::cell::RefCell;

use rquickjs::{Function, Object, Type, Value};

use super::realm::FILE;
use crate::distrust::TEXT_UNITS_MAX;
use crate::outcome::{Failure, SyntaxError};

/// What a thrown value means. A limit that was reached, which is what `expired` then holds, explains everything else;
/// `parsing` says that no code of the script has run yet.
pub(super) fn judge<'js>(
    entry: &Object<'js>,
    expired: &RefCell<Option<Failure>>,
    thrown: Value<'js>,
    parsing: bool,
) -> Failure {
    let expired = || expired.borrow().clone();
    if let Some(failure) = expired() {
        return failure;
    }
    // With no memory left even for an error object, the engine throws null; some of its functions then throw nothing. A script's own `throw null` looks the
    // same; nobody writes that.
    if thrown.is_null() || thrown.type_of() == Type::Uninitialized {
        return Failure::Memory;
    }
    let described = entry
        .get::<_, Function<'js>>("describe")
        .and_then(|describe| describe.call::<_, Vec<String>>((thrown, TEXT_UNITS_MAX)));
    let mut parts = match described {
        Ok(parts) => parts.into_iter(),
        Err(_) => return expired().unwrap_or(Failure::Memory),
    };
    let mut part = || parts.next().unwrap_or_default();
    let (name, message, stack) = (part(), part(), part());
    if name == "InternalError" && message == "out of memory" {
        return Failure::Memory;
    }
    let stack = without_our_frames(&stack);
    if parsing && name == "SyntaxError" {
        let (line, column) = position_of(&stack);
        return Failure::Syntax(SyntaxError { message, line, column });
    }
    Failure::Script { name, message, stack }
}

fn without_our_frames(stack: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in stack.lines() {
        if !line.contains(FILE) {
            lines.push(line);
        } else if lines.last().is_some_and(|last| last.ends_with("at apply (native)")) {
            // How our own script calls the tenant's.
            lines.pop();
        }
    }
    lines.join("\n")
}

/// Line and column at the end of a stack's first line.
fn position_of(stack: &str) -> (u32, u32) {
    let first = stack.lines().next().unwrap_or_default().trim_end_matches(')');
    let mut parts = first.rsplit(':').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(column)), Some(Ok(line))) => (line, column),
        _ => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::{position_of, without_our_frames};

    #[test]
    fn our_own_frames_are_not_shown() {
        let stack = "    at f (Mine:1:2)\n    at apply (native)\n    at start (vestibule:realm:9:9)\n    at <anonymous> (Mine:3:4)";
        assert_eq!(without_our_frames(stack), "    at f (Mine:1:2)\n    at <anonymous> (Mine:3:4)");
    }

    #[test]
    fn a_syntax_errors_position_is_read_from_its_stack() {
        assert_eq!(position_of("    at My: Action:3:17"), (3, 17));
        assert_eq!(position_of("    at f (x:4:1)"), (4, 1));
        assert_eq!(position_of(""), (0, 0));
    }
}

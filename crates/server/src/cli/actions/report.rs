//! What a run came to, as text for people and as JSON for programs.

use std::collections::BTreeMap;

use engine::actions::local::{self, LocalRun};
use serde_json::{Value, json};

use crate::cli::{EXIT_DENIED, EXIT_FAILED, EXIT_OK};

/// Characters before the columns.
const TITLE_WIDTH: usize = 11;
/// Characters of a column, of two.
const COLUMN_WIDTH: usize = 56;

/// How a run ended.
enum Verdict {
    Ok,
    Denied(String),
    Failed { name: String, message: String, stack: String },
}

type Metadata = BTreeMap<String, String>;

/// One run.
pub(super) struct Report {
    verdict: Verdict,
    wall_us: u64,
    cpu_us: u64,
    commands: Vec<Value>,
    console: Vec<String>,
    /// Before and after, where there is a session and it is known.
    metadata: Option<(Metadata, Metadata)>,
}

impl Report {
    /// A run on this machine.
    pub(super) fn of_run(run: LocalRun) -> Self {
        let LocalRun { run, denied, metadata_before, metadata_after } = run;
        let verdict = match (run.error, denied) {
            (Some((name, message, stack)), _) => Verdict::Failed { name, message, stack },
            (None, Some(reason)) => Verdict::Denied(reason),
            (None, None) => Verdict::Ok,
        };
        Self {
            verdict,
            wall_us: run.wall_us,
            cpu_us: run.cpu_us,
            commands: run.commands,
            console: run.console,
            metadata: metadata_before.zip(metadata_after),
        }
    }

    /// One of the results of a recorded execution.
    pub(super) fn of_record(result: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |name: &str| result[name].as_array().cloned().unwrap_or_default();
        let commands = list("commands");
        let error = &result["error"];
        let verdict = match local::refusal_of(&commands) {
            _ if error.is_object() => Verdict::Failed {
                name: text(if error["name"].is_string() { &error["name"] } else { &error["id"] }),
                message: text(&error["msg"]),
                stack: text(&error["stack"]),
            },
            Some(reason) => Verdict::Denied(reason),
            None => Verdict::Ok,
        };
        Self {
            verdict,
            wall_us: result["wall_us"].as_u64().unwrap_or_default(),
            cpu_us: result["cpu_us"].as_u64().unwrap_or_default(),
            commands,
            console: list("console").iter().map(text).collect(),
            metadata: None,
        }
    }

    pub(super) const fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Ok => EXIT_OK,
            Verdict::Denied(_) => EXIT_DENIED,
            Verdict::Failed { .. } => EXIT_FAILED,
        }
    }

    pub(super) fn value(&self) -> Value {
        let mut value = json!({
            "outcome": self.outcome(),
            "wall_us": self.wall_us,
            "cpu_us": self.cpu_us,
            "commands": self.commands,
            "console": self.console,
        });
        match &self.verdict {
            Verdict::Ok => {}
            Verdict::Denied(reason) => value["reason"] = reason.as_str().into(),
            Verdict::Failed { name, message, stack } => {
                value["error"] = json!({ "name": name, "message": message, "stack": stack });
            }
        }
        if let Some((before, after)) = &self.metadata {
            value["session_metadata"] = json!({ "before": before, "after": after });
        }
        value
    }

    pub(super) fn json(&self) -> String {
        format!("{:#}\n", self.value())
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (title, lines) in self.parts() {
            for (at, line) in lines.iter().enumerate() {
                let title = if at == 0 { title } else { "" };
                text += &format!("{title:<TITLE_WIDTH$} {line}\n");
            }
        }
        text
    }

    const fn outcome(&self) -> &'static str {
        match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Denied(_) => "denied",
            Verdict::Failed { .. } => "failed",
        }
    }

    fn parts(&self) -> [(&'static str, Vec<String>); 5] {
        let time = |us: u64| format!("{}.{:03} ms", us / 1000, us % 1000);
        [
            ("Outcome", self.verdict_lines()),
            ("Time", vec![format!("{}, of them {} of the processor", time(self.wall_us), time(self.cpu_us))]),
            ("Commands", or_none(self.commands.iter().map(command_text).collect())),
            ("Console", or_none(self.console.iter().flat_map(|line| printable(line)).collect())),
            (
                "Metadata",
                self.metadata.as_ref().map(|(before, after)| changes(before, after)).unwrap_or_default(),
            ),
        ]
    }

    fn verdict_lines(&self) -> Vec<String> {
        match &self.verdict {
            Verdict::Ok => vec!["ok".to_owned()],
            Verdict::Denied(reason) => printable(&format!("denied: {reason}")),
            Verdict::Failed { name, message, stack } => {
                let named = if name.is_empty() { message.clone() } else { format!("{name}: {message}") };
                let mut lines = printable(&format!("failed: {named}"));
                lines.extend(printable(stack).into_iter().filter(|line| !line.is_empty()));
                lines
            }
        }
    }
}

/// Two runs in two columns.
pub(super) fn side_by_side(left: (&str, &Report), right: (&str, &Report)) -> String {
    let row = |title: &str, left: &str, right: &str| {
        let line = format!("{title:<TITLE_WIDTH$} {left:<COLUMN_WIDTH$} {right}");
        format!("{}\n", line.trim_end())
    };
    let mut text = row("", left.0, right.0);
    for ((title, left), (_, right)) in left.1.parts().into_iter().zip(right.1.parts()) {
        let wrap = |lines: Vec<String>| lines.iter().flat_map(|line| wrapped(line)).collect::<Vec<_>>();
        let (left, right) = (wrap(left), wrap(right));
        for at in 0..left.len().max(right.len()) {
            let of = |column: &[String]| column.get(at).cloned().unwrap_or_default();
            text += &row(if at == 0 { title } else { "" }, &of(&left), &of(&right));
        }
    }
    text
}

fn or_none(lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() { vec!["none".to_owned()] } else { lines }
}

/// A command as its name and its arguments.
fn command_text(command: &Value) -> String {
    let name = command["command"].as_str().unwrap_or_default();
    let arguments = command.as_object().into_iter().flatten().filter(|(key, _)| *key != "command");
    let arguments: Vec<String> = arguments.map(|(key, value)| format!("{key}={value}")).collect();
    printable(&format!("{name} {}", arguments.join(" "))).concat().trim_end().to_owned()
}

/// Lines that can be shown: what a script wrote must not steer the terminal.
fn printable(text: &str) -> Vec<String> {
    let safe = |character: char| match character {
        '\t' => ' '.to_string(),
        _ if character.is_control() => character.escape_default().to_string(),
        _ => character.to_string(),
    };
    text.lines().map(|line| line.chars().map(safe).collect()).collect()
}

fn wrapped(line: &str) -> Vec<String> {
    let characters: Vec<char> = line.chars().collect();
    characters.chunks(COLUMN_WIDTH).map(|chunk| chunk.iter().collect()).collect()
}

/// What is different: `+` new, `-` gone, `~` other.
fn changes(before: &Metadata, after: &Metadata) -> Vec<String> {
    let quoted = |text: &String| Value::from(text.as_str()).to_string();
    let gone = before.iter().filter(|(key, _)| !after.contains_key(*key));
    let gone = gone.map(|(key, value)| format!("- {key} = {}", quoted(value)));
    let set = after.iter().filter_map(|(key, value)| match before.get(key) {
        None => Some(format!("+ {key} = {}", quoted(value))),
        Some(old) if old != value => Some(format!("~ {key} = {} -> {}", quoted(old), quoted(value))),
        Some(_) => None,
    });
    let mut lines: Vec<String> = gone.chain(set).collect();
    if lines.is_empty() {
        lines.push("unchanged".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Report, changes, side_by_side};

    #[test]
    fn a_recorded_failure_and_a_refusal_are_told_apart_from_a_good_run() {
        let failed = json!({ "error": { "id": "script_error", "msg": "boom", "name": "TypeError", "stack": "    at A:1:2" } });
        let denied = json!({ "commands": [{ "command": "deny_access", "reason": "no" }] });
        let codes = [failed, denied, json!({})].map(|result| Report::of_record(&result).exit_code());
        assert_eq!(codes, [11, 10, 0]);
    }

    #[test]
    fn two_runs_stand_beside_each_other_and_cannot_steer_the_terminal() {
        let failed = json!({ "error": { "id": "crashed", "msg": "gone" }, "console": ["log: a\u{1b}[2Jb"] });
        let text =
            side_by_side(("then", &Report::of_record(&failed)), ("now", &Report::of_record(&json!({}))));
        let squeezed: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(squeezed[..2], ["then now", "Outcome failed: crashed: gone ok"]);
        assert!(squeezed.contains(&"Console log: a\\u{1b}[2Jb none".to_owned()), "{text}");
    }

    #[test]
    fn the_difference_of_metadata_names_what_came_went_and_changed() {
        let map = |value| serde_json::from_value(value).unwrap();
        let lines = changes(
            &map(json!({ "a": "1", "b": "2", "c": "3" })),
            &map(json!({ "b": "2", "c": "4", "d": "5" })),
        );
        assert_eq!(lines, ["- a = \"1\"", "~ c = \"3\" -> \"4\"", "+ d = \"5\""]);
    }
}

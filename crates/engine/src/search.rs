//! The `q` syntax of lists: a subset of Lucene's, evaluated the same on every backend.
//!
//! Auth0: deploy & monitor › log search query syntax; manage users › user search query syntax. Understood here:
//! `field:value`, `field:"exact value"`, `field:prefix*`, `field:*`, joined by `AND`. Everything else is refused with
//! the reason, because a query that is half understood gives wrong lists.

use std::borrow::Cow;

use crate::Error;

/// Conditions in one query. Ours: each costs a comparison per record.
const TERMS_MAX: usize = 20;
/// Bytes of one query. Ours.
const QUERY_BYTES_MAX: usize = 2_000;

/// Conditions that must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    field: String,
    pattern: Pattern,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Exactly(String),
    StartsWith(String),
    Present,
}

impl Query {
    /// Reads a query over these fields.
    ///
    /// # Errors
    /// [`Error::Invalid`], saying what is not understood.
    pub fn parse(text: &str, fields: &[&str]) -> Result<Self, Error> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(refuse(&format!("the query is longer than {QUERY_BYTES_MAX} bytes")));
        }
        let mut terms = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (term, after) = term(rest, fields)?;
            terms.push(term);
            if terms.len() > TERMS_MAX {
                return Err(refuse(&format!("more than {TERMS_MAX} conditions")));
            }
            rest = after.trim_start();
            if rest.is_empty() {
                break;
            }
            rest = match rest.strip_prefix("AND ") {
                Some(after) if !after.trim().is_empty() => after.trim_start(),
                _ => return Err(refuse("conditions can only be joined by AND")),
            };
        }
        Ok(Self(terms))
    }

    /// The value that a field must equal, where the query says so: a way to an index.
    pub fn exact(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|term| term.field == field).and_then(|term| match &term.pattern {
            Pattern::Exactly(value) => Some(value.as_str()),
            Pattern::StartsWith(_) | Pattern::Present => None,
        })
    }

    /// Whether all conditions hold for something whose fields `value` gives.
    pub fn matches<'a>(&self, value: impl Fn(&str) -> Option<Cow<'a, str>>) -> bool {
        self.0.iter().all(|term| {
            value(&term.field).is_some_and(|value| match &term.pattern {
                Pattern::Exactly(wanted) => value == wanted.as_str(),
                Pattern::StartsWith(prefix) => value.starts_with(prefix.as_str()),
                Pattern::Present => true,
            })
        })
    }
}

fn refuse(reason: &str) -> Error {
    Error::query(&format!("Failed to parse query: {reason}"), "q")
}

fn term<'a>(text: &'a str, fields: &[&str]) -> Result<(Term, &'a str), Error> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(text.len());
    let (field, rest) = text.split_at(end);
    if matches!(field, "NOT" | "OR" | "AND") || field.is_empty() {
        return Err(refuse("only conditions of the form field:value, joined by AND, are supported"));
    }
    let Some(rest) = rest.strip_prefix(':') else {
        return Err(refuse("a value without a field is not supported"));
    };
    if !fields.contains(&field) {
        return Err(refuse(&format!(
            "the field {field} cannot be searched; known are {}",
            fields.join(", ")
        )));
    }
    let (pattern, rest) = pattern(rest)?;
    Ok((Term { field: field.to_owned(), pattern }, rest))
}

fn pattern(text: &str) -> Result<(Pattern, &str), Error> {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted_value(quoted).map(|(value, rest)| (Pattern::Exactly(value), rest));
    }
    let (value, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    if value.is_empty() {
        return Err(refuse("a field without a value"));
    }
    if value.starts_with(['(', '[', '{', '/', '<', '>']) || value.ends_with(')') {
        return Err(refuse("groups, ranges and regular expressions are not supported"));
    }
    if value == "*" {
        return Ok((Pattern::Present, rest));
    }
    let pattern = match value.strip_suffix('*') {
        Some(prefix) => Pattern::StartsWith(prefix.to_owned()),
        None => Pattern::Exactly(value.to_owned()),
    };
    let literal = value.strip_suffix('*').unwrap_or(value);
    if literal.contains(['*', '?', '~', '"']) {
        return Err(refuse("an asterisk can only stand at the end of a value"));
    }
    Ok((pattern, rest))
}

/// The value up to the closing quote; a backslash takes the character after it as it is.
fn quoted_value(text: &str) -> Result<(String, &str), Error> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    Err(refuse("a quote is not closed"))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::Query;

    fn holds(q: &str) -> bool {
        let query = Query::parse(q, &["type", "user_id", "ip"]).unwrap();
        query.matches(|field| match field {
            "type" => Some(Cow::Borrowed("sapi")),
            "user_id" => Some(Cow::Borrowed("auth0|a\"b")),
            _ => None,
        })
    }

    #[test]
    fn all_conditions_must_hold() {
        for q in
            ["", "type:sapi", "type:\"sapi\"", "type:sa*", "type:*", "type:s* AND user_id:\"auth0|a\\\"b\""]
        {
            assert!(holds(q), "{q}");
        }
        for q in ["type:s", "type:Sapi", "ip:*", "type:sapi AND user_id:auth0"] {
            assert!(!holds(q), "{q}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for q in [
            "sapi",
            "type:s OR type:f",
            "type:s type:f",
            "NOT type:s",
            "-type:s",
            "type:(s f)",
            "date:[a TO b]",
            "type:",
            "type:\"s",
            "type:*s",
            "other:1",
            "type:s AND",
        ] {
            assert!(Query::parse(q, &["type", "date"]).is_err(), "{q}");
        }
    }

    #[test]
    fn an_exact_condition_can_be_asked_for() {
        let query = Query::parse("type:s* AND ip:\"::1\"", &["type", "ip"]).unwrap();
        assert_eq!((query.exact("ip"), query.exact("type")), (Some("::1"), None));
    }
}

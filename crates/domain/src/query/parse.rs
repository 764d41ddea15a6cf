//! Reads a query's text: terms, phrases, wildcards, ranges, operators and groups, each within bounds.
//!
//! Apache Lucene: classic query parser syntax. As there, what only stands side by side is joined by `OR`; unlike there,
//! `AND` always binds tighter than `OR`, whatever stands first. Regular expressions, boosts and fuzzy terms are refused,
//! as Auth0 refuses them: a query that is half understood gives wrong lists.

use crate::limits::{
    SEARCH_DEPTH_MAX, SEARCH_PATTERN_CHARACTERS_MAX, SEARCH_QUERY_BYTES_MAX, SEARCH_TERMS_MAX,
    SEARCH_WILDCARDS_MAX,
};
use crate::time::Timestamp;

use super::{Bound, Clause, Condition, Field, FieldKind, Pattern, Piece, Query, Syntax, Test};

/// Why a query is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at character {at})")]
pub struct QueryError {
    /// What is not understood.
    pub what: String,
    /// Where: the first character is 1.
    pub at: usize,
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// [`QueryError`], saying what is not understood, and where.
    pub fn parse(text: &str, syntax: &Syntax) -> Result<Self, QueryError> {
        if text.len() > SEARCH_QUERY_BYTES_MAX {
            let what = format!("the query is longer than {SEARCH_QUERY_BYTES_MAX} bytes");
            let within = text.char_indices().take_while(|(byte, _)| *byte < SEARCH_QUERY_BYTES_MAX);
            return Err(refuse(within.count(), &what));
        }
        let mut parser = Parser { text: text.chars().collect(), at: 0, syntax, terms: 0, depth: 0 };
        parser.list(None, None).map(Self)
    }
}

/// Whether something must, may or must not hold within a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occur {
    Must,
    May,
    MustNot,
}

struct Parser<'a> {
    text: Vec<char>,
    at: usize,
    syntax: &'a Syntax,
    terms: usize,
    depth: usize,
}

type Parsed<T> = Result<T, QueryError>;

impl Parser<'_> {
    /// Everything up to the end, or to the parenthesis that closes the one at `opened`.
    fn list(&mut self, field: Option<Field>, opened: Option<usize>) -> Parsed<Clause> {
        let (mut sequences, mut sequence, mut joined) = (Vec::new(), Vec::new(), None);
        loop {
            self.skip_spaces();
            match (self.peek(), opened) {
                (None, None) => break,
                (None, Some(opened)) => return Err(refuse(opened, "this parenthesis is not closed")),
                (Some(')'), None) => return self.refuse("this parenthesis closes nothing"),
                (Some(')'), Some(_)) => {
                    self.at += 1;
                    break;
                }
                (Some(_), _) => {}
            }
            let place = self.at;
            if self.operator(&["OR", "||"]) {
                if sequence.is_empty() {
                    return Err(refuse(place, "OR needs something in front of it"));
                }
                sequences.push(clause_of(std::mem::take(&mut sequence)));
                joined = Some(place);
            } else if self.operator(&["AND", "&&"]) {
                return Err(refuse(place, "AND needs something in front of it"));
            } else {
                sequence.push(self.chain(field)?);
            }
        }
        if sequence.is_empty() {
            return match (joined, opened) {
                (Some(place), _) => Err(refuse(place, "OR needs something behind it")),
                (None, Some(opened)) => Err(refuse(opened, "there is nothing between these parentheses")),
                (None, None) => Ok(Clause::All(Vec::new())),
            };
        }
        sequences.push(clause_of(sequence));
        Ok(one_or(sequences, Clause::Any))
    }

    /// One or more factors joined by `AND`.
    fn chain(&mut self, field: Option<Field>) -> Parsed<(Occur, Clause)> {
        let first = self.factor(field)?;
        let mut rest = Vec::new();
        loop {
            self.skip_spaces();
            let place = self.at;
            if !self.operator(&["AND", "&&"]) {
                break;
            }
            self.skip_spaces();
            if matches!(self.peek(), None | Some(')')) {
                return Err(refuse(place, "AND needs something behind it"));
            }
            rest.push(self.factor(field)?);
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let all = std::iter::once(first).chain(rest).map(|(occur, clause)| match occur {
            Occur::MustNot => Clause::Not(Box::new(clause)),
            Occur::Must | Occur::May => clause,
        });
        Ok((Occur::May, Clause::All(all.collect())))
    }

    /// A term or a group, with its sign.
    fn factor(&mut self, field: Option<Field>) -> Parsed<(Occur, Clause)> {
        let (mut must, mut not) = (false, false);
        loop {
            self.skip_spaces();
            let place = self.at;
            if self.operator(&["NOT"]) || self.takes('!') || self.takes('-') {
                not = !not;
            } else if self.takes('+') {
                must = true;
            } else if self.operator(&["AND", "OR", "&&", "||"]) {
                return Err(refuse(place, "something is missing in front of this operator"));
            } else {
                break;
            }
        }
        let clause = self.primary(field)?;
        Ok(match (must, not) {
            (true, true) => (Occur::Must, Clause::Not(Box::new(clause))),
            (true, false) => (Occur::Must, clause),
            (false, true) => (Occur::MustNot, clause),
            (false, false) => (Occur::May, clause),
        })
    }

    fn primary(&mut self, field: Option<Field>) -> Parsed<Clause> {
        if self.text[self.at..].starts_with(&['*', ':', '*']) {
            self.at += 3;
            return Ok(Clause::All(Vec::new()));
        }
        if let Some(name) = self.field_name() {
            let place = self.at;
            self.at += name.chars().count() + 1;
            self.skip_spaces();
            if self.peek().is_none() {
                return Err(refuse(place, &format!("the field {name} has no value")));
            }
            if name == "_exists_" {
                let place = self.at;
                let named: String = self.word()?.iter().map(|piece| plain(*piece)).collect();
                let field = self.known(&named, place)?;
                return self.condition(Some(field), Test::Present);
            }
            let field = self.known(&name, place)?;
            return self.value(Some(field));
        }
        self.value(field)
    }

    /// The name in front of a colon, where there is one.
    fn field_name(&self) -> Option<String> {
        let name = |c: &&char| c.is_ascii_alphanumeric() || **c == '_' || **c == '.';
        let name: String = self.text[self.at..].iter().take_while(name).collect();
        (!name.is_empty() && self.text.get(self.at + name.len()) == Some(&':')).then_some(name)
    }

    fn value(&mut self, field: Option<Field>) -> Parsed<Clause> {
        let place = self.at;
        match self.peek() {
            Some('(') => {
                self.depth += 1;
                if self.depth > SEARCH_DEPTH_MAX {
                    return self.refuse(&format!("more than {SEARCH_DEPTH_MAX} parentheses in each other"));
                }
                self.at += 1;
                let list = self.list(field, Some(place));
                self.depth -= 1;
                list
            }
            Some('"') => {
                let text = self.phrase()?;
                let test = equal(text, field, place)?;
                self.condition(field, test)
            }
            Some('[' | '{') => {
                let Some(field) = field else { return self.refuse("a range needs a field") };
                let test = self.range(field)?;
                self.condition(Some(field), test)
            }
            Some('<' | '>') => {
                let Some(field) = field else { return self.refuse("a comparison needs a field") };
                let test = self.comparison(field)?;
                self.condition(Some(field), test)
            }
            Some('/') => self.refuse("regular expressions are not supported; put the value into quotes"),
            _ => {
                let pieces = self.word()?;
                if pieces == [Piece::Many] {
                    let Some(field) = field else { return Ok(Clause::All(Vec::new())) };
                    return self.condition(Some(field), Test::Present);
                }
                let wildcards = pieces.iter().filter(|piece| !matches!(piece, Piece::Char(_))).count();
                if wildcards == 0 {
                    let test = equal(pieces.into_iter().map(plain).collect(), field, place)?;
                    return self.condition(field, test);
                }
                if wildcards > SEARCH_WILDCARDS_MAX || pieces.len() > SEARCH_PATTERN_CHARACTERS_MAX {
                    let most = format!(
                        "a value with wildcards has at most {SEARCH_WILDCARDS_MAX} of them and \
                         {SEARCH_PATTERN_CHARACTERS_MAX} characters"
                    );
                    return Err(refuse(place, &most));
                }
                let fold = |piece| match piece {
                    Piece::Char(c) if is_folded(field) => c.to_lowercase().map(Piece::Char).collect(),
                    other => vec![other],
                };
                self.condition(field, Test::Like(Pattern(pieces.into_iter().flat_map(fold).collect())))
            }
        }
    }

    fn condition(&mut self, field: Option<Field>, test: Test) -> Parsed<Clause> {
        self.terms += 1;
        if self.terms > SEARCH_TERMS_MAX {
            return self.refuse(&format!("more than {SEARCH_TERMS_MAX} terms"));
        }
        let fields = match field {
            Some(field) => vec![field.name],
            None if self.syntax.bare.is_empty() => return self.refuse("a value needs a field"),
            None => self.syntax.bare.to_vec(),
        };
        Ok(Clause::Is(Condition { fields, test }))
    }

    /// `[low TO high]`, with `{` and `}` for a bound that is not included and `*` for one that is open.
    fn range(&mut self, field: Field) -> Parsed<Test> {
        let opened = self.at;
        let low_included = self.takes('[');
        self.at += usize::from(!low_included);
        let low = self.bound()?;
        self.skip_spaces();
        if !self.operator(&["TO"]) {
            return self.refuse("a range is written [low TO high]");
        }
        let high = self.bound()?;
        self.skip_spaces();
        let high_included = self.takes(']');
        if !high_included && !self.takes('}') {
            return Err(refuse(opened, "this range is not closed"));
        }
        let bound = |bound: Option<(String, usize)>, low, included| {
            bound.map(|(value, place)| bound_at(value, field, low, included, place)).transpose()
        };
        Ok(Test::Between { low: bound(low, true, low_included)?, high: bound(high, false, high_included)? })
    }

    /// One end of a range, and where it stands; `None`: open.
    fn bound(&mut self) -> Parsed<Option<(String, usize)>> {
        self.skip_spaces();
        let place = self.at;
        if self.peek() == Some('"') {
            return Ok(Some((self.phrase()?, place)));
        }
        let mut value = String::new();
        while let Some(c) = self.peek().filter(|c| !c.is_whitespace() && !matches!(c, ']' | '}' | '"')) {
            self.at += 1;
            value.push(if c == '\\' { self.escaped()? } else { c });
        }
        match &self.text[place..self.at] {
            [] => Err(refuse(place, "a bound of this range is missing")),
            ['*'] => Ok(None),
            _ => Ok(Some((value, place))),
        }
    }

    /// `>value`, `>=value`, `<value`, `<=value`.
    fn comparison(&mut self, field: Field) -> Parsed<Test> {
        let low = self.peek() == Some('>');
        self.at += 1;
        let included = self.takes('=');
        let place = self.at;
        let value = match self.peek() {
            Some('"') => self.phrase()?,
            _ => self.word()?.into_iter().map(plain).collect(),
        };
        let bound = Some(bound_at(value, field, low, included, place)?);
        Ok(if low {
            Test::Between { low: bound, high: None }
        } else {
            Test::Between { low: None, high: bound }
        })
    }

    /// A value without quotes, up to a space or parenthesis.
    fn word(&mut self) -> Parsed<Vec<Piece>> {
        let mut pieces = Vec::new();
        while let Some(c) = self.peek().filter(|c| !c.is_whitespace() && *c != ')') {
            let piece = match c {
                '*' => Piece::Many,
                '?' => Piece::One,
                '\\' => {
                    self.at += 1;
                    pieces.push(Piece::Char(self.escaped()?));
                    continue;
                }
                '(' | '"' | '[' | ']' | '{' | '}' => {
                    return self.refuse(&format!("{c} is not expected here; a backslash takes it as it is"));
                }
                '^' | '~' => {
                    return self.refuse(&format!(
                        "boosts and fuzzy terms are not supported; a backslash takes {c} as it is"
                    ));
                }
                other => Piece::Char(other),
            };
            self.at += 1;
            // Two stars say no more than one.
            if piece != Piece::Many || pieces.last() != Some(&Piece::Many) {
                pieces.push(piece);
            }
        }
        if pieces.is_empty() { self.refuse("a value is missing here") } else { Ok(pieces) }
    }

    /// A value in quotes, in which nothing but the backslash has a meaning.
    fn phrase(&mut self) -> Parsed<String> {
        let opened = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' => return Ok(text),
                '\\' => text.push(self.escaped()?),
                other => text.push(other),
            }
        }
        Err(refuse(opened, "this quote is not closed"))
    }

    fn escaped(&mut self) -> Parsed<char> {
        let Some(c) = self.peek() else { return self.refuse("nothing follows the backslash") };
        self.at += 1;
        Ok(c)
    }

    fn known(&self, name: &str, place: usize) -> Parsed<Field> {
        let fields = self.syntax.fields;
        fields.iter().find(|field| field.name == name).copied().ok_or_else(|| {
            let names: Vec<_> = fields.iter().map(|field| field.name).collect();
            refuse(place, &format!("the field {name} cannot be searched; known are {}", names.join(", ")))
        })
    }

    /// Takes an operator if it stands here; one of letters must end where a word ends.
    fn operator(&mut self, spellings: &[&str]) -> bool {
        for spelling in spellings {
            let end = self.at + spelling.len();
            let here =
                self.text.get(self.at..end).is_some_and(|text| text.iter().copied().eq(spelling.chars()));
            let ends = |c: Option<&char>| c.is_none_or(|c| c.is_whitespace() || "()\"[]{}".contains(*c));
            if here && (!spelling.starts_with(char::is_alphabetic) || ends(self.text.get(end))) {
                self.at = end;
                return true;
            }
        }
        false
    }

    fn takes(&mut self, wanted: char) -> bool {
        let here = self.peek() == Some(wanted);
        self.at += usize::from(here);
        here
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn refuse<T>(&self, what: &str) -> Parsed<T> {
        Err(refuse(self.at, what))
    }
}

fn refuse(at: usize, what: &str) -> QueryError {
    QueryError { what: what.to_owned(), at: at + 1 }
}

/// What stands side by side: all that must hold and nothing that must not; where nothing must, one that may.
fn clause_of(sequence: Vec<(Occur, Clause)>) -> Clause {
    let must_any = sequence.iter().any(|(occur, _)| *occur == Occur::Must);
    let (mut all, mut may) = (Vec::new(), Vec::new());
    for (occur, clause) in sequence {
        match occur {
            Occur::Must => all.push(clause),
            Occur::MustNot => all.push(Clause::Not(Box::new(clause))),
            Occur::May => may.push(clause),
        }
    }
    if !must_any && !may.is_empty() {
        all.push(one_or(may, Clause::Any));
    }
    one_or(all, Clause::All)
}

fn one_or(mut clauses: Vec<Clause>, join: fn(Vec<Clause>) -> Clause) -> Clause {
    match clauses.pop() {
        Some(only) if clauses.is_empty() => only,
        last => {
            clauses.extend(last);
            join(clauses)
        }
    }
}

/// A character as it is, where wildcards have no meaning.
const fn plain(piece: Piece) -> char {
    match piece {
        Piece::Char(c) => c,
        Piece::One => '?',
        Piece::Many => '*',
    }
}

fn is_folded(field: Option<Field>) -> bool {
    field.is_some_and(|field| field.kind == FieldKind::Folded)
}

/// The test for one value: of a moment, that it lies within what the value names.
fn equal(value: String, field: Option<Field>, place: usize) -> Parsed<Test> {
    match field.map(|field| (field, field.kind)) {
        Some((_, FieldKind::Folded)) => Ok(Test::Exactly(value.to_lowercase())),
        Some((field, FieldKind::Moment)) => Ok(Test::Between {
            low: Some(bound_at(value.clone(), field, true, true, place)?),
            high: Some(bound_at(value, field, false, true, place)?),
        }),
        Some((_, FieldKind::Text)) | None => Ok(Test::Exactly(value)),
    }
}

/// One end of a range. A moment that names a whole year, month, day, minute or second is within the range as a whole, or
/// as a whole beyond it.
fn bound_at(value: String, field: Field, low: bool, included: bool, place: usize) -> Parsed<Bound> {
    match field.kind {
        FieldKind::Text => Ok(Bound { value, included }),
        FieldKind::Folded => Ok(Bound { value: value.to_lowercase(), included }),
        FieldKind::Moment => {
            let Some((first, last)) = moments(&value) else {
                let what = "a date is written YYYY-MM-DD or YYYY-MM-DDThh:mm:ss.sssZ, or shorter";
                return Err(refuse(place, what));
            };
            let end = if low == included { first } else { last };
            Ok(Bound { value: end.to_string(), included })
        }
    }
}

/// The first and the last millisecond of what an ISO 8601 date names. Without an offset it is in UTC.
fn moments(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (date, clock) = text.split_once('T').unwrap_or((text, ""));
    let day = |year: u32, month: u32| Timestamp::parse(&format!("{year:04}-{month:02}-01T00:00:00Z"));
    let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let until = |first: Timestamp, next: Option<Timestamp>| Some((first, next?.plus_millis(-1)));
    match (date.len(), clock) {
        (4, "") => until(day(number(date)?, 1)?, day(number(date)? + 1, 1)),
        (7, "") => {
            let (year, month) = date.split_once('-')?;
            let (year, month) = (number(year)?, number(month)?);
            let next = if month == 12 { day(year + 1, 1) } else { day(year, month + 1) };
            until(day(year, month)?, next)
        }
        (10, "") => {
            let first = Timestamp::parse(&format!("{date}T00:00:00Z"))?;
            Some((first, first.plus_millis(crate::time::hours(24) - 1)))
        }
        (10, clock) => {
            let zone = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
            let (clock, zone) = clock.split_at(zone);
            let zone = if zone.is_empty() { "Z" } else { zone };
            let (rest, span_ms) = match clock.len() {
                5 => (":00", 60_000),
                8 => ("", 1_000),
                _ => ("", 1),
            };
            let first = Timestamp::parse(&format!("{date}T{clock}{rest}{zone}"))?;
            Some((first, first.plus_millis(span_ms - 1)))
        }
        _ => None,
    }
}

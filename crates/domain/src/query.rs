//! The `q` of lists: what a query says, and whether something fits it.
//!
//! Auth0: deploy & monitor › log search query syntax; manage users › user search query syntax. Apache Lucene: classic
//! query parser syntax. How the text is read: [`parse`]. Which records are looked at first is the engine's business.

pub mod parse;

use std::borrow::Cow;

/// A field that a query can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name, as on the wire.
    pub name: &'static str,
    /// How its values are compared.
    pub kind: FieldKind,
}

/// How the values of a field are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// As text, character by character.
    Text,
    /// As text whose case does not count. [`Query::matches`] must be given such values in lower case.
    Folded,
    /// As moments. [`Query::matches`] must be given them as [`crate::time::Timestamp`] writes them.
    Moment,
}

impl Field {
    /// A field of text.
    pub const fn text(name: &'static str) -> Self {
        Self { name, kind: FieldKind::Text }
    }

    /// A field of text whose case does not count.
    pub const fn folded(name: &'static str) -> Self {
        Self { name, kind: FieldKind::Folded }
    }

    /// A field of moments.
    pub const fn moment(name: &'static str) -> Self {
        Self { name, kind: FieldKind::Moment }
    }
}

/// What a query over one kind of thing may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Syntax {
    /// Every field that can be named.
    pub fields: &'static [Field],
    /// Names of the fields that a value without a field is compared with; any of them will do.
    pub bare: &'static [&'static str],
}

/// A query as it was understood. The default one lets everything pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(Clause);

/// A part of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    /// Each of these holds; without any, it always holds.
    All(Vec<Self>),
    /// At least one of these holds.
    Any(Vec<Self>),
    /// This one does not hold.
    Not(Box<Self>),
    /// A condition holds.
    Is(Condition),
}

/// What must be true of a field's value. An absent value fulfils nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Any of these fields will do.
    pub fields: Vec<&'static str>,
    /// What its value must be.
    pub test: Test,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// Equal to this.
    Exactly(String),
    /// Of this form.
    Like(Pattern),
    /// Between two bounds, either of which may be open.
    Between {
        /// The lower one.
        low: Option<Bound>,
        /// The upper one.
        high: Option<Bound>,
    },
    /// There.
    Present,
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The value that it lies at.
    pub value: String,
    /// Whether that value is within the range.
    pub included: bool,
}

/// A text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(pub(crate) Vec<Piece>);

/// One character of a [`Pattern`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// This character.
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any number of characters.
    Many,
}

impl Default for Query {
    fn default() -> Self {
        Self(Clause::All(Vec::new()))
    }
}

impl Query {
    /// A query that asks for one value of one field.
    pub fn exactly(field: &'static str, value: impl Into<String>) -> Self {
        Self(Clause::Is(Condition { fields: vec![field], test: Test::Exactly(value.into()) }))
    }

    /// Everything that it says.
    pub const fn root(&self) -> &Clause {
        &self.0
    }

    /// Whether it holds for something whose fields `value` gives.
    pub fn matches<'a>(&self, value: impl Fn(&'static str) -> Option<Cow<'a, str>>) -> bool {
        self.0.holds(&value)
    }

    /// The value that a field must equal, where the query says so: a way to an index.
    pub fn exact(&self, field: &str) -> Option<&str> {
        self.required().into_iter().find_map(|condition| match &condition.test {
            Test::Exactly(value) if condition.fields == [field] => Some(value.as_str()),
            Test::Exactly(_) | Test::Like(_) | Test::Between { .. } | Test::Present => None,
        })
    }

    /// The lowest and the highest value that a field can have, where the query says so.
    pub fn range(&self, field: &str) -> (Option<&str>, Option<&str>) {
        let (mut lowest, mut highest): (Option<&str>, Option<&str>) = (None, None);
        for condition in self.required().into_iter().filter(|condition| condition.fields == [field]) {
            let Test::Between { low, high } = &condition.test else { continue };
            let bound = |bound: &'_ Option<Bound>| bound.as_ref().map(|bound| bound.value.clone());
            if bound(low).is_some_and(|low| lowest.is_none_or(|lowest| *low > *lowest)) {
                lowest = low.as_ref().map(|low| low.value.as_str());
            }
            if bound(high).is_some_and(|high| highest.is_none_or(|highest| *high < *highest)) {
                highest = high.as_ref().map(|high| high.value.as_str());
            }
        }
        (lowest, highest)
    }

    /// Conditions without which nothing fits.
    fn required(&self) -> Vec<&Condition> {
        let (mut open, mut found) = (vec![&self.0], Vec::new());
        while let Some(clause) = open.pop() {
            match clause {
                Clause::All(parts) => open.extend(parts),
                Clause::Is(condition) => found.push(condition),
                Clause::Any(_) | Clause::Not(_) => {}
            }
        }
        found
    }
}

impl Clause {
    fn holds<'a>(&self, value: &dyn Fn(&'static str) -> Option<Cow<'a, str>>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(value)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(value)),
            Self::Not(part) => !part.holds(value),
            Self::Is(condition) => condition
                .fields
                .iter()
                .any(|field| value(field).is_some_and(|value| condition.test.holds(&value))),
        }
    }
}

impl Test {
    /// Whether a value passes.
    pub fn holds(&self, value: &str) -> bool {
        match self {
            Self::Exactly(wanted) => value == wanted,
            Self::Like(pattern) => pattern.matches(value),
            Self::Between { low, high } => {
                let above = |low: &Bound| value > &*low.value || (low.included && value == low.value);
                let below = |high: &Bound| value < &*high.value || (high.included && value == high.value);
                low.as_ref().is_none_or(above) && high.as_ref().is_none_or(below)
            }
            Self::Present => true,
        }
    }
}

impl Pattern {
    /// Whether a text has this form. Takes at most as many steps as the product of the two lengths.
    pub fn matches(&self, text: &str) -> bool {
        let (pieces, mut at, mut rest) = (&self.0, 0, text.chars());
        // Behind the last `*` that was passed, and where the text stood then: from there one character more may be its.
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let mut next = rest.clone();
            let fits = match (pieces.get(at), next.next()) {
                (Some(Piece::Many), _) => {
                    at += 1;
                    retry = Some((at, rest.clone()));
                    continue;
                }
                (None, None) => return true,
                (Some(Piece::One), Some(_)) => true,
                (Some(Piece::Char(wanted)), Some(found)) => *wanted == found,
                (Some(_), None) => return false,
                (None, Some(_)) => false,
            };
            if fits {
                (at, rest) = (at + 1, next);
                continue;
            }
            let Some((behind, from)) = &mut retry else { return false };
            if from.next().is_none() {
                return false;
            }
            (at, rest) = (*behind, from.clone());
        }
    }
}

#[cfg(test)]
mod tests;

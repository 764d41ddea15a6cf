//! Reads a JSON body property by property: takes typed values, names the property that is wrong, refuses leftovers.
//!
//! The first thing that is wrong is what the caller is told; taking goes on so that each reader stays a list of
//! properties.

use engine::Error;
use serde_json::{Map, Value};

/// What kind of value a property that is only kept must have. Null always passes: it removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A boolean.
    Flag,
    /// A whole number.
    Integer,
    /// An array.
    List,
    /// An object.
    Object,
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Flag => "boolean",
            Self::Integer => "integer",
            Self::List => "array",
            Self::Object => "object",
        }
    }
}

/// The properties of an object that are yet to be taken.
#[derive(Debug)]
pub struct Fields {
    left: Map<String, Value>,
    /// What stands before a property's name in messages: empty, or `outer.`.
    path: String,
    wrong: Option<Error>,
}

impl Fields {
    /// The properties of a body.
    ///
    /// # Errors
    /// 400 when it is no object.
    pub fn of(body: &Value) -> Result<Self, Error> {
        match body {
            Value::Object(left) => Ok(Self { left: left.clone(), path: String::new(), wrong: None }),
            other => {
                Err(Error::payload(&format!("Expected type object but found type {}", type_name(other))))
            }
        }
    }

    /// The properties of a body that must have at least one.
    ///
    /// # Errors
    /// 400 when it is no object, or an empty one.
    pub fn of_patch(body: &Value) -> Result<Self, Error> {
        let fields = Self::of(body)?;
        if fields.left.is_empty() {
            return Err(Error::payload("Too few properties defined (0), minimum 1"));
        }
        Ok(fields)
    }

    /// Notes that something is wrong with a property.
    pub fn refuse(&mut self, reason: &str, name: &str) {
        let property = format!("{}{name}", self.path);
        self.wrong.get_or_insert_with(|| Error::property(reason, &property));
    }

    /// Whether a property is there, and not null.
    pub fn has(&self, name: &str) -> bool {
        self.left.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether a property is there, be it null.
    pub fn holds(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    /// A copy of an object that is yet to be taken.
    pub fn peek_object(&self, name: &str) -> Option<Map<String, Value>> {
        self.left.get(name).and_then(Value::as_object).cloned()
    }

    /// A copy of a string that is yet to be taken.
    pub fn peek_text(&self, name: &str) -> Option<String> {
        self.left.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// A value of this kind; `Some(None)` for null.
    fn nullable(&mut self, name: &str, kind: Kind) -> Option<Option<Value>> {
        let value = self.left.remove(name)?;
        if value.is_null() {
            return Some(None);
        }
        if kind.fits(&value) {
            return Some(Some(value));
        }
        self.refuse(&format!("Expected type {} but found type {}", kind.name(), type_name(&value)), name);
        None
    }

    /// A value of this kind; null is refused.
    fn value(&mut self, name: &str, kind: Kind) -> Option<Value> {
        match self.nullable(name, kind)? {
            Some(value) => Some(value),
            None => {
                self.refuse(&format!("Expected type {} but found type null", kind.name()), name);
                None
            }
        }
    }

    /// A string.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.value(name, Kind::Text).and_then(into_text)
    }

    /// A string or null.
    pub fn text_or_null(&mut self, name: &str) -> Option<Option<String>> {
        self.nullable(name, Kind::Text).map(|value| value.and_then(into_text))
    }

    /// A string that must be there; empty where it is not, which [`Fields::finish`] reports.
    pub fn required_text(&mut self, name: &str) -> String {
        if !self.left.contains_key(name) {
            self.missing(name);
        }
        self.text(name).unwrap_or_default()
    }

    /// Notes that a property that must be there is not.
    pub fn missing(&mut self, name: &str) {
        self.wrong.get_or_insert_with(|| {
            Error::payload(&format!("Missing required property: {}{name}", self.path))
        });
    }

    /// A boolean.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.value(name, Kind::Flag).and_then(|value| value.as_bool())
    }

    /// A boolean or null.
    pub fn flag_or_null(&mut self, name: &str) -> Option<Option<bool>> {
        self.nullable(name, Kind::Flag).map(|value| value.and_then(|value| value.as_bool()))
    }

    /// A whole number that fits 64 bits.
    pub fn integer(&mut self, name: &str) -> Option<i64> {
        let value = self.value(name, Kind::Integer)?;
        if value.as_i64().is_none() {
            self.refuse("the number is too large", name);
        }
        value.as_i64()
    }

    /// A whole number of at least `min`.
    pub fn integer_from(&mut self, name: &str, min: i64) -> Option<i64> {
        let value = self.integer(name)?;
        if value < min {
            self.refuse(&format!("Value {value} is less than minimum {min}"), name);
        }
        Some(value)
    }

    /// A whole number from `min` to `max`.
    pub fn integer_within(&mut self, name: &str, min: i64, max: i64) -> Option<i64> {
        let value = self.integer_from(name, min)?;
        if value > max {
            self.refuse(&format!("Value {value} is greater than maximum {max}"), name);
        }
        Some(value)
    }

    /// An array of strings.
    pub fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        self.texts_or_null(name, false).map(Option::unwrap_or_default)
    }

    /// An array of strings; null counts as an empty one.
    pub fn texts_or_none(&mut self, name: &str) -> Option<Vec<String>> {
        self.texts_or_null(name, true).map(Option::unwrap_or_default)
    }

    fn texts_or_null(&mut self, name: &str, null: bool) -> Option<Option<Vec<String>>> {
        let value = if null { self.nullable(name, Kind::List)? } else { Some(self.value(name, Kind::List)?) };
        let Some(Value::Array(items)) = value else { return Some(None) };
        let mut texts = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            match item {
                Value::String(text) => texts.push(text),
                other => {
                    let reason = format!("Expected type string but found type {}", type_name(&other));
                    self.refuse(&reason, &format!("{name}[{at}]"));
                }
            }
        }
        Some(Some(texts))
    }

    /// An object as it is.
    pub fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        self.value(name, Kind::Object).and_then(into_object)
    }

    /// An object as it is, or null.
    pub fn object_or_null(&mut self, name: &str) -> Option<Option<Map<String, Value>>> {
        self.nullable(name, Kind::Object).map(|value| value.and_then(into_object))
    }

    /// An array as it is.
    pub fn list(&mut self, name: &str) -> Option<Vec<Value>> {
        match self.value(name, Kind::List)? {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// One of a closed set of names.
    pub fn one_of<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.one_of_or_null(name, parse)?.or_else(|| {
            self.refuse("Expected type string but found type null", name);
            None
        })
    }

    /// One of a closed set of names, or null.
    pub fn one_of_or_null<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
        let Some(text) = self.text_or_null(name)? else { return Some(None) };
        match parse(&text) {
            Some(value) => Some(Some(value)),
            None => {
                self.refuse(&format!("No enum match for: {text}"), name);
                None
            }
        }
    }

    /// Reads an object with a reader of its own, which must take each property of it; `Some(None)` for null.
    pub fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> Option<Option<T>> {
        let Some(left) = self.object_or_null(name)? else { return Some(None) };
        Some(Some(self.inner(left, name, read)))
    }

    /// Reads each object of an array with a reader of its own.
    pub fn each<T>(&mut self, name: &str, mut read: impl FnMut(&mut Self) -> T) -> Option<Vec<T>> {
        let items = self.list(name)?;
        let mut all = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            match item {
                Value::Object(left) => all.push(self.inner(left, &format!("{name}[{at}]"), &mut read)),
                other => {
                    let reason = format!("Expected type object but found type {}", type_name(&other));
                    self.refuse(&reason, &format!("{name}[{at}]"));
                }
            }
        }
        Some(all)
    }

    fn inner<T>(&mut self, left: Map<String, Value>, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let mut inner = Self { left, path: format!("{}{name}.", self.path), wrong: None };
        let value = read(&mut inner);
        if let Err(error) = inner.finish() {
            self.wrong.get_or_insert(error);
        }
        value
    }

    /// Takes properties that are only kept, if they have the right kind.
    pub fn kept(&mut self, known: &[(&str, Kind)]) -> Map<String, Value> {
        let mut kept = Map::new();
        for (name, kind) in known {
            if let Some(value) = self.nullable(name, *kind) {
                kept.insert((*name).to_owned(), value.unwrap_or(Value::Null));
            }
        }
        kept
    }

    /// Lets a property pass unread.
    pub fn ignore(&mut self, name: &str) {
        self.left.remove(name);
    }

    /// All that is left, as it is.
    pub fn take_rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.left)
    }

    /// Lets all that is left pass unread: for objects where Auth0 tolerates more.
    pub fn ignore_rest(&mut self) {
        self.left.clear();
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// 400 with the first thing that was wrong, or naming what is left.
    pub fn finish(self) -> Result<(), Error> {
        if let Some(error) = self.wrong {
            return Err(error);
        }
        if self.left.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = self.left.keys().map(|name| format!("{}{name}", self.path)).collect();
        Err(Error::payload(&format!("Additional properties not allowed: {}", names.join(","))))
    }
}

/// What JSON calls the kind of a value.
pub(super) const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn into_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn into_object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Fields, Kind};

    fn error<T>(body: Value, read: impl FnOnce(&mut Fields) -> T) -> String {
        let mut fields = Fields::of(&body).unwrap();
        read(&mut fields);
        fields.finish().unwrap_err().to_string()
    }

    #[test]
    fn typed_values_are_taken_and_null_is_told_from_absence() {
        let body = json!({"a": "x", "b": null, "c": true, "d": 7, "e": ["p"], "f": {"g": 1}});
        let mut fields = Fields::of(&body).unwrap();
        assert_eq!(fields.text("a").as_deref(), Some("x"));
        assert_eq!(fields.text_or_null("b"), Some(None));
        assert_eq!(fields.text_or_null("z"), None);
        assert_eq!((fields.flag("c"), fields.integer("d")), (Some(true), Some(7)));
        assert_eq!(fields.texts("e"), Some(vec!["p".to_owned()]));
        assert_eq!(fields.within("f", |inner| inner.integer("g")), Some(Some(Some(1))));
        assert!(fields.finish().is_ok());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let got = error(json!({"a": 1}), |fields| fields.text("a"));
        assert_eq!(
            got,
            "Payload validation error: 'Expected type string but found type number' on property a."
        );
        let got = error(json!({"a": null}), |fields| fields.flag("a"));
        assert!(got.contains("found type null' on property a"), "{got}");
        let got = error(json!({"o": {"x": ["a", 2]}}), |fields| fields.within("o", |o| o.texts("x")));
        assert!(got.contains("on property o.x[1]"), "{got}");
        let got = error(json!({"l": [{"x": 1}]}), |fields| fields.each("l", |item| item.text("x")));
        assert!(got.contains("on property l[0].x"), "{got}");
        let got = error(json!({}), |fields| fields.required_text("name"));
        assert!(got.contains("Missing required property: name"), "{got}");
        let got = error(json!({"m": "c"}), |fields| fields.one_of("m", |m| (m == "a").then_some(1)));
        assert!(got.contains("No enum match for: c' on property m"), "{got}");
        let got = error(json!({"k": 1}), |fields| fields.kept(&[("k", Kind::Object)]));
        assert!(got.contains("on property k"), "{got}");
    }

    #[test]
    fn leftovers_are_refused_at_any_depth() {
        let got = error(json!({"x": 1, "y": 2}), |_| {});
        assert_eq!(got, "Payload validation error: 'Additional properties not allowed: x,y'.");
        let got = error(json!({"o": {"x": 1}}), |fields| fields.within("o", |_| ()));
        assert!(got.contains("not allowed: o.x"), "{got}");
    }

    #[test]
    fn only_objects_are_bodies_and_a_patch_is_not_empty() {
        for body in [json!([]), json!("x"), Value::Null] {
            assert!(Fields::of(&body).is_err(), "{body}");
        }
        assert!(Fields::of_patch(&json!({})).is_err());
    }
}

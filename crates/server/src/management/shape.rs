//! What a document of settings may hold, as data: names, kinds and bounds of its properties.
//!
//! For documents that are only kept: [`check`] refuses what does not fit, naming the property, and what nobody listed.
//! What has an effect is read property by property with `fields`.

use domain::egress::Network;
use engine::Error;
use serde_json::{Map, Value};

use super::fields::type_name;

/// What a value must be like.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A string of at most so many characters.
    Text(usize),
    /// A string that is never given back.
    Secret,
    /// `#` and three or six hexadecimal digits.
    Color,
    /// A URL, or nothing.
    Url,
    /// An IP address, or a network.
    Address,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A boolean.
    Flag,
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// A number from the first to the second.
    Number(f64, f64),
    /// At most so many of the same.
    List(&'static Shape, usize),
    /// An object of these properties.
    Object(&'static [Property]),
    /// An object of any names, each with such a value.
    Map(&'static Shape),
    /// Any of these.
    Either(&'static [Shape]),
    /// Whatever is JSON.
    Anything,
}

/// One property of an object.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What it must be like.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
}

/// A property that may be there. Null is as good as absent.
pub const fn may(name: &'static str, shape: Shape) -> Property {
    Property { name, shape, required: false }
}

/// A property that must be there.
pub const fn must(name: &'static str, shape: Shape) -> Property {
    Property { name, shape, required: true }
}

/// Bytes of a secret. Ours: the longest are private keys of a mail service.
const SECRET_CHARACTERS_MAX: usize = 4_096;
/// Names in an object of any names. Ours.
const MAP_NAMES_MAX: usize = 200;

/// The properties of a body that has this form.
///
/// # Errors
/// 400 with the first thing that does not fit.
pub fn check(properties: &[Property], body: &Value) -> Result<Map<String, Value>, Error> {
    match body {
        Value::Object(map) => {
            check_object(properties, map, "")?;
            Ok(map.clone())
        }
        other => Err(Error::payload(&format!("Expected type object but found type {}", type_name(other)))),
    }
}

/// The properties of a body of any names, each of which must be an object of this shape.
///
/// # Errors
/// 400 with the first thing that does not fit.
pub fn check_map(item: Shape, body: &Value) -> Result<Map<String, Value>, Error> {
    let Value::Object(map) = body else {
        return Err(Error::payload(&format!("Expected type object but found type {}", type_name(body))));
    };
    if map.len() > MAP_NAMES_MAX {
        return Err(Error::payload(&format!(
            "Too many properties defined ({}), maximum {MAP_NAMES_MAX}",
            map.len()
        )));
    }
    map.iter().try_for_each(|(name, value)| check_value(item, value, name))?;
    Ok(map.clone())
}

/// Takes what must not be given back out of an object; what it answers has the same form.
pub fn take_secrets(properties: &[Property], object: &mut Map<String, Value>) -> Map<String, Value> {
    let mut secrets = Map::new();
    for property in properties {
        match property.shape {
            Shape::Secret => {
                if let Some(secret) = object.remove(property.name) {
                    secrets.insert(property.name.to_owned(), secret);
                }
            }
            Shape::Object(inner) => {
                let Some(Value::Object(object)) = object.get_mut(property.name) else { continue };
                let taken = take_secrets(inner, object);
                if !taken.is_empty() {
                    secrets.insert(property.name.to_owned(), taken.into());
                }
            }
            _ => {}
        }
    }
    secrets
}

fn check_object(properties: &[Property], object: &Map<String, Value>, path: &str) -> Result<(), Error> {
    let unknown: Vec<String> = object
        .keys()
        .filter(|name| properties.iter().all(|property| property.name != name.as_str()))
        .map(|name| format!("{path}{name}"))
        .collect();
    if !unknown.is_empty() {
        return Err(Error::payload(&format!("Additional properties not allowed: {}", unknown.join(","))));
    }
    for property in properties {
        match object.get(property.name) {
            None | Some(Value::Null) if property.required => {
                return Err(Error::payload(&format!("Missing required property: {path}{}", property.name)));
            }
            None | Some(Value::Null) => {}
            Some(value) => check_value(property.shape, value, &format!("{path}{}", property.name))?,
        }
    }
    Ok(())
}

fn check_value(shape: Shape, value: &Value, at: &str) -> Result<(), Error> {
    let mismatch = |wanted: &str| {
        let found = type_name(value);
        Err(Error::property(&format!("Expected type {wanted} but found type {found}"), at))
    };
    match (shape, value) {
        (Shape::Text(most), Value::String(text)) => check_length(text, most, at),
        (Shape::Secret, Value::String(text)) => check_length(text, SECRET_CHARACTERS_MAX, at),
        (Shape::Color, Value::String(text)) => check_format(is_color(text), "color", text, at),
        (Shape::Url, Value::String(text)) => {
            check_format(text.is_empty() || url::Url::parse(text).is_ok(), "strict-uri-or-empty", text, at)
        }
        (Shape::Address, Value::String(text)) => {
            check_format(Network::parse(text).is_some(), "ip-or-cidr", text, at)
        }
        (Shape::OneOf(known), Value::String(text)) if !known.contains(&text.as_str()) => {
            Err(Error::property(&format!("No enum match for: {text}"), at))
        }
        (Shape::OneOf(_), Value::String(_)) | (Shape::Flag, Value::Bool(_)) | (Shape::Anything, _) => Ok(()),
        (Shape::Integer(least, most), Value::Number(number)) => match number.as_i64() {
            Some(number) if number < least => {
                Err(Error::property(&format!("Value {number} is less than minimum {least}"), at))
            }
            Some(number) if number > most => {
                Err(Error::property(&format!("Value {number} is greater than maximum {most}"), at))
            }
            Some(_) => Ok(()),
            None => mismatch("integer"),
        },
        (Shape::Number(least, most), Value::Number(number)) => match number.as_f64() {
            Some(number) if (least..=most).contains(&number) => Ok(()),
            _ => Err(Error::property(&format!("Value {number} is not from {least} to {most}"), at)),
        },
        (Shape::List(_, most), Value::Array(items)) if items.len() > most => {
            Err(Error::property(&format!("Array is too long ({}), maximum {most}", items.len()), at))
        }
        (Shape::List(item, _), Value::Array(items)) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, value)| check_value(*item, value, &format!("{at}[{index}]"))),
        (Shape::Object(properties), Value::Object(object)) => {
            check_object(properties, object, &format!("{at}."))
        }
        (Shape::Map(_), Value::Object(object)) if object.len() > MAP_NAMES_MAX => Err(Error::property(
            &format!("Too many properties defined ({}), maximum {MAP_NAMES_MAX}", object.len()),
            at,
        )),
        (Shape::Map(item), Value::Object(object)) => {
            object.iter().try_for_each(|(name, value)| check_value(*item, value, &format!("{at}.{name}")))
        }
        (Shape::Either(shapes), _) => {
            let mut last = Ok(());
            for shape in shapes {
                last = check_value(*shape, value, at);
                if last.is_ok() {
                    break;
                }
            }
            last
        }
        (
            Shape::Text(_) | Shape::Secret | Shape::Color | Shape::Url | Shape::Address | Shape::OneOf(_),
            _,
        ) => mismatch("string"),
        (Shape::Flag, _) => mismatch("boolean"),
        (Shape::Integer(..), _) => mismatch("integer"),
        (Shape::Number(..), _) => mismatch("number"),
        (Shape::List(..), _) => mismatch("array"),
        (Shape::Object(_) | Shape::Map(_), _) => mismatch("object"),
    }
}

fn check_length(text: &str, most: usize, at: &str) -> Result<(), Error> {
    let length = text.chars().count();
    if length <= most {
        return Ok(());
    }
    Err(Error::property(&format!("String is too long ({length} chars), maximum {most}"), at))
}

fn check_format(fits: bool, format: &str, text: &str, at: &str) -> Result<(), Error> {
    if fits {
        return Ok(());
    }
    Err(Error::property(&format!("Object didn't pass validation for format {format}: {text}"), at))
}

/// Whether a text is a color as CSS writes it in hexadecimal.
pub fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| {
        matches!(digits.len(), 3 | 6) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Property, Shape, check, may, must, take_secrets};

    const FORM: &[Property] = &[
        must("name", Shape::Text(5)),
        may("color", Shape::Color),
        may("size", Shape::Integer(1, 9)),
        may("part", Shape::Number(0.0, 1.0)),
        may("from", Shape::List(&Shape::Address, 2)),
        may("link", Shape::Url),
        may("texts", Shape::Map(&Shape::Text(3))),
        may("either", Shape::Either(&[Shape::Color, Shape::Object(&[may("to", Shape::Flag)])])),
        may("keys", Shape::Object(&[may("id", Shape::Text(9)), may("secret", Shape::Secret)])),
    ];

    #[test]
    fn what_fits_is_taken() {
        let body = json!({
            "name": "a", "color": "#09aFe1", "size": 9, "part": 0.5, "from": ["10.0.0.0/8", "::1"], "link": "",
            "texts": { "any": "abc" }, "either": { "to": true }, "keys": null,
        });
        assert_eq!(check(FORM, &body).map(Value::Object), Ok(body));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let with = |name: &str, value: Value| {
            let mut body = json!({ "name": "a" });
            body[name] = value;
            check(FORM, &body).unwrap_err().to_string()
        };
        for (name, value, says) in [
            ("name", json!("longer"), "String is too long (6 chars), maximum 5' on property name"),
            ("name", Value::Null, "Missing required property: name"),
            ("color", json!("red"), "format color: red' on property color"),
            ("size", json!(0), "less than minimum 1' on property size"),
            ("size", json!(10), "greater than maximum 9' on property size"),
            ("size", json!("1"), "Expected type integer but found type string' on property size"),
            ("part", json!(1.5), "on property part"),
            ("from", json!(["x"]), "on property from[0]"),
            ("from", json!(["::1", "::1", "::1"]), "Array is too long (3), maximum 2' on property from"),
            ("link", json!("no link"), "on property link"),
            ("texts", json!({ "any": "abcd" }), "on property texts.any"),
            ("either", json!({ "to": 1 }), "on property either.to"),
            ("keys", json!({ "other": 1 }), "Additional properties not allowed: keys.other"),
            ("other", json!(1), "Additional properties not allowed: other"),
        ] {
            let got = with(name, value);
            assert!(got.contains(says), "{got}");
        }
        assert!(check(FORM, &json!([])).is_err());
    }

    #[test]
    fn secrets_are_taken_out_at_any_depth() {
        let mut body = check(FORM, &json!({ "name": "a", "keys": { "id": "i", "secret": "s" } })).unwrap();
        let secrets = take_secrets(FORM, &mut body);
        assert_eq!(Value::Object(secrets), json!({ "keys": { "secret": "s" } }));
        assert_eq!(Value::Object(body), json!({ "name": "a", "keys": { "id": "i" } }));
    }
}

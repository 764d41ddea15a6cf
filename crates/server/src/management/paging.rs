//! Queries of lists: which slice, which fields; and how a slice is written.
//!
//! Auth0: Management API v2 › paging; fields and include_fields.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use domain::limits::{AUTHORIZE_QUERY_BYTES_MAX, PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use engine::Error;
use engine::listing::{Listing, Slice};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::ApiError;

/// The pairs of a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        if query.len() > AUTHORIZE_QUERY_BYTES_MAX {
            return Err(ApiError::new(StatusCode::URI_TOO_LONG, "The query is too long", None));
        }
        Ok(Self::parse(query))
    }
}

impl Params {
    fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// A value, if it is there and not empty; the first, if it is there twice.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    /// All values of a name that may be repeated, with or without `[]`, or be a comma list.
    pub fn all(&self, name: &str) -> Vec<String> {
        let array = format!("{name}[]");
        let values = self.0.iter().filter(|(own, _)| own == name || *own == array);
        values
            .flat_map(|(_, value)| value.split(','))
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.get(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Error::query(&format!("Expected type boolean but found {other}"), name)),
        }
    }

    fn number(&self, name: &str, min: usize, max: usize) -> Result<Option<usize>, Error> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse::<usize>() {
            Ok(number) if number > max => {
                Err(Error::query(&format!("Value {number} is greater than maximum {max}"), name))
            }
            Ok(number) if number >= min => Ok(Some(number)),
            Ok(number) => Err(Error::query(&format!("Value {number} is less than minimum {min}"), name)),
            Err(_) => Err(Error::query(&format!("Expected type integer but found {text}"), name)),
        }
    }

    /// Which slice is wanted: `from` and `take`, or `page` and `per_page`.
    ///
    /// # Errors
    /// 400 for values that are no numbers or too large.
    pub fn slice(&self) -> Result<Slice, Error> {
        self.slice_of(PAGE_ITEMS_DEFAULT)
    }

    /// The same with another default size of a page.
    ///
    /// # Errors
    /// As [`Params::slice`].
    pub fn slice_of(&self, default: usize) -> Result<Slice, Error> {
        let take = self.number("take", 1, PAGE_ITEMS_MAX)?;
        let per_page = self.number("per_page", 0, PAGE_ITEMS_MAX)?;
        let page = self.number("page", 0, usize::MAX / (2 * PAGE_ITEMS_MAX))?;
        let totals = self.flag("include_totals")?.unwrap_or(false);
        if take.is_some() || self.get("from").is_some() {
            return Ok(Slice::Checkpoint {
                from: self.get("from").map(str::to_owned),
                take: take.unwrap_or(default),
            });
        }
        // A page of nothing is what Auth0's own clients ask for when they only want to know the total.
        let limit = per_page.filter(|limit| *limit > 0).unwrap_or(default);
        Ok(Slice::Offset { start: page.unwrap_or(0) * limit, limit, totals })
    }

    /// A slice of a list that knows checkpoints only.
    ///
    /// # Errors
    /// As [`Params::slice`].
    pub fn checkpoint(&self) -> Result<Slice, Error> {
        let take = self.number("take", 1, PAGE_ITEMS_MAX)?.unwrap_or(PAGE_ITEMS_DEFAULT);
        Ok(Slice::Checkpoint { from: self.get("from").map(str::to_owned), take })
    }

    /// Which fields are wanted.
    ///
    /// # Errors
    /// 400 for a bad `include_fields`.
    pub fn selection(&self) -> Result<Selection, Error> {
        Ok(Selection { fields: self.all("fields"), include: self.flag("include_fields")?.unwrap_or(true) })
    }
}

/// Which fields of an answer are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    fields: Vec<String>,
    include: bool,
}

impl Selection {
    /// An answer with the wanted fields only.
    pub fn of(&self, answer: &impl Serialize) -> Value {
        let mut value = serde_json::to_value(answer).unwrap_or_default();
        if let Value::Object(map) = &mut value {
            map.retain(|name, _| self.shows(name));
        }
        value
    }

    /// Whether an answer keeps a field of this name.
    pub fn shows(&self, name: &str) -> bool {
        self.fields.is_empty() || self.names(name) == self.include
    }

    /// `a.b` names a part of `a`; whole properties are as fine as it gets here.
    fn names(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.split('.').next() == Some(name))
    }

    /// Whether a field is asked for by name.
    pub fn asks_for(&self, name: &str) -> bool {
        self.include && self.fields.iter().any(|field| field == name)
    }
}

/// A list as Auth0 writes it: bare by offset, wrapped with totals or from a checkpoint.
pub fn list_body<T>(
    name: &str,
    slice: &Slice,
    listing: Listing<T>,
    mut render: impl FnMut(T) -> Value,
) -> Value {
    let (start, limit, total, next) = (listing.start, listing.limit, listing.total, listing.next);
    let items: Vec<Value> = listing.items.into_iter().map(&mut render).collect();
    match slice {
        Slice::Offset { totals: false, .. } => Value::Array(items),
        Slice::Offset { .. } => {
            let length = items.len();
            let mut body = json!({ "start": start, "limit": limit, "length": length, "total": total });
            body[name] = Value::Array(items);
            body
        }
        Slice::Checkpoint { .. } => {
            let mut body = Map::new();
            body.insert(name.to_owned(), Value::Array(items));
            if let Some(next) = next {
                body.insert("next".to_owned(), next.into());
            }
            Value::Object(body)
        }
    }
}

/// An answer with a status and a body.
pub fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    (status, axum::Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use engine::listing::{Listing, Slice};
    use serde_json::json;

    use super::{Params, list_body};

    #[test]
    fn slices_are_read_by_offset_or_checkpoint() {
        let slice = |query: &str| Params::parse(query).slice();
        assert_eq!(slice("").unwrap(), Slice::Offset { start: 0, limit: 50, totals: false });
        let third = Slice::Offset { start: 20, limit: 10, totals: true };
        assert_eq!(slice("page=2&per_page=10&include_totals=true").unwrap(), third);
        let checkpoint = Slice::Checkpoint { from: Some("x".into()), take: 5 };
        assert_eq!(slice("from=x&take=5&per_page=50").unwrap(), checkpoint);
        for bad in ["per_page=101", "take=0", "take=101", "page=-1", "page=x", "include_totals=1"] {
            assert!(slice(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn fields_are_chosen_or_left_out() {
        let body = json!({"a": 1, "b": 2, "c": 3});
        let of = |query: &str| Params::parse(query).selection().unwrap().of(&body);
        assert_eq!(of(""), body);
        assert_eq!(of("fields=a,c"), json!({"a": 1, "c": 3}));
        assert_eq!(of("fields=a&include_fields=false"), json!({"b": 2, "c": 3}));
    }

    #[test]
    fn a_list_is_bare_unless_totals_or_a_checkpoint_are_wanted() {
        let listing =
            || Listing { items: vec![1], start: 0, limit: 50, total: Some(1), next: Some("n".into()) };
        let body = |query: &str| {
            let slice = Params::parse(query).slice().unwrap();
            list_body("xs", &slice, listing(), |item| json!(item))
        };
        assert_eq!(body(""), json!([1]));
        assert_eq!(
            body("include_totals=true"),
            json!({"start": 0, "limit": 50, "length": 1, "total": 1, "xs": [1]})
        );
        assert_eq!(body("take=1"), json!({"xs": [1], "next": "n"}));
    }
}

//! A page of the tenant's own that Actions send browsers to: reads the token that they bring, and signs its answer.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::reply::Reply;

/// A browser that stands at the page.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The page, without its query.
    pub url: String,
    /// What the browser brought.
    pub params: BTreeMap<String, String>,
}

impl Visit {
    /// The visit that a redirect leads to.
    ///
    /// # Panics
    /// When it leads to no such page.
    #[track_caller]
    pub fn of(reply: &Reply) -> Self {
        let mut url = reply.location().unwrap_or_else(|| panic!("a redirect: {}", reply.text));
        let params = url.query_pairs().into_owned().collect();
        url.set_query(None);
        let visit = Self { url: url.into(), params };
        assert!(!visit.state().is_empty(), "{visit:?}");
        visit
    }

    /// What the page must give back.
    pub fn state(&self) -> &str {
        self.params.get("state").map_or("", String::as_str)
    }

    /// The claims of the token in a parameter, verified.
    ///
    /// # Panics
    /// When it is not good.
    #[track_caller]
    pub fn claims(&self, parameter: &str, secret: &str) -> Value {
        let (signed, tag) = self.params[parameter].rsplit_once('.').expect("a JWT");
        let tag = URL_SAFE_NO_PAD.decode(tag).expect("base64url");
        hmac::verify(&key(secret), signed.as_bytes(), &tag).expect("a good signature");
        let claims = signed.split_once('.').expect("a JWT").1;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64url")).expect("JSON")
    }

    /// The way back without an answer.
    pub fn back(&self) -> String {
        format!("/continue?state={}", self.state())
    }

    /// The form that takes a signed answer back, with the claims that a page adds itself.
    pub fn answer(&self, secret: &str, mut claims: Value) -> Vec<(String, String)> {
        for (name, value) in [("state", json!(self.state())), ("exp", json!(4_000_000_000_u64))] {
            claims.as_object_mut().expect("an object").entry(name).or_insert(value);
        }
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "HS256", "typ": "JWT" }).to_string());
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&key(secret), signed.as_bytes()));
        let own = |(name, value): (&str, String)| (name.to_owned(), value);
        [("state", self.state().to_owned()), ("session_token", format!("{signed}.{tag}"))].map(own).to_vec()
    }
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

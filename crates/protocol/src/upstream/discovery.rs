//! What a provider says of itself, and whether to believe that it is the one.
//!
//! Spec: OIDC Discovery 1.0 §3, §4.1 and §4.3; RFC 9207 §3.

use domain::upstream::Provider;
use serde_json::{Map, Value};

use super::{Refused, object};

/// What comes after an issuer to make the address of its description (§4.1).
pub const WELL_KNOWN: &str = "/.well-known/openid-configuration";
/// Values of a list that are kept.
const LIST_MAX: usize = 20;

/// Where the provider of an issuer describes itself.
pub fn url_of(issuer: &str) -> String {
    format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/'))
}

/// Reads the description that came from `url`. `issuer` is the one that was set, if one was.
///
/// # Errors
/// [`Refused::Issuer`] where it describes another provider than was asked (§4.3), [`Refused::Member`] naming what is
/// missing.
pub fn read(status: u16, body: &[u8], url: &str, issuer: Option<&str>) -> Result<Provider, Refused> {
    let document = object(status, body)?;
    let provider = Provider {
        issuer: required(&document, "issuer")?,
        authorization_endpoint: required(&document, "authorization_endpoint")?,
        token_endpoint: required(&document, "token_endpoint")?,
        jwks_uri: required(&document, "jwks_uri")?,
        userinfo_endpoint: text(&document, "userinfo_endpoint")?,
        end_session_endpoint: text(&document, "end_session_endpoint")?,
        names_itself: document.get("authorization_response_iss_parameter_supported")
            == Some(&Value::Bool(true)),
        auth_methods: list(&document, "token_endpoint_auth_methods_supported"),
    };
    // §4.3: exactly the issuer that was asked for; without one set, the address itself says which.
    let is_expected = match issuer {
        Some(issuer) => provider.issuer == issuer,
        None => url_of(&provider.issuer) == url,
    };
    if is_expected { Ok(provider) } else { Err(Refused::Issuer) }
}

fn text(document: &Map<String, Value>, name: &'static str) -> Result<Option<String>, Refused> {
    match document.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(Refused::Member(name)),
    }
}

fn required(document: &Map<String, Value>, name: &'static str) -> Result<String, Refused> {
    text(document, name)?.ok_or(Refused::Member(name))
}

fn list(document: &Map<String, Value>, name: &str) -> Vec<String> {
    let values = document.get(name).and_then(Value::as_array).into_iter().flatten();
    values.filter_map(|value| value.as_str().map(str::to_owned)).take(LIST_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{read, url_of};
    use crate::upstream::Refused;

    fn document() -> Value {
        json!({
            "issuer": "https://up.example/",
            "authorization_endpoint": "https://up.example/authorize",
            "token_endpoint": "https://up.example/token",
            "jwks_uri": "https://up.example/jwks",
            "authorization_response_iss_parameter_supported": true,
            "token_endpoint_auth_methods_supported": ["client_secret_basic", 1],
        })
    }

    #[test]
    fn a_provider_is_believed_to_be_the_one_that_was_asked_and_no_other() {
        let url = "https://up.example/.well-known/openid-configuration";
        let body = document().to_string();
        let provider = read(200, body.as_bytes(), url, None).unwrap();
        assert_eq!(provider.token_endpoint, "https://up.example/token");
        assert_eq!(provider.auth_methods, ["client_secret_basic"]);
        assert!(provider.names_itself);
        assert!(
            read(200, body.as_bytes(), "https://elsewhere.example/x", Some("https://up.example/")).is_ok()
        );
        for (url, issuer) in [
            ("https://other.example/.well-known/openid-configuration", None),
            (url, Some("https://up.example")),
            (url, Some("https://other.example/")),
        ] {
            assert_eq!(read(200, body.as_bytes(), url, issuer), Err(Refused::Issuer), "{url} {issuer:?}");
        }
        assert_eq!(url_of("https://up.example"), url_of("https://up.example/"));
    }

    #[test]
    fn what_is_missing_or_of_another_type_is_named() {
        let url = "https://up.example/.well-known/openid-configuration";
        for name in ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"] {
            for value in [None, Some(json!(1)), Some(json!(""))] {
                let mut document = document();
                match value {
                    Some(value) => document[name] = value,
                    None => drop(document.as_object_mut().unwrap().remove(name)),
                }
                let refused = read(200, document.to_string().as_bytes(), url, None);
                assert_eq!(refused, Err(Refused::Member(name)), "{document}");
            }
        }
        assert!(read(404, b"{}", url, None).is_err());
        assert!(read(200, b"<html>", url, None).is_err());
    }
}

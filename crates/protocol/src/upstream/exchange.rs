//! A code into tokens at a provider's token endpoint.
//!
//! Spec: RFC 6749 §2.3.1, §4.1.3, §5.1 and §5.2; RFC 7636 §4.5; OIDC Core 1.0 §3.1.3.

use domain::client::ClientAuthMethod;
use domain::secret::Secret;
use serde_json::Value;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{Refused, object};

/// A request to the token endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The code.
    pub code: &'a str,
    /// The redirect URI of the authorization request, again.
    pub redirect_uri: &'a str,
    /// The verifier of the challenge that was sent.
    pub code_verifier: Option<&'a str>,
    /// Who we are there.
    pub client_id: &'a str,
    /// Our secret.
    pub client_secret: Option<&'a Secret<String>>,
    /// How it travels.
    pub auth_method: ClientAuthMethod,
}

impl Exchange<'_> {
    /// The body, and user and password for the header where the secret travels there (RFC 6749 §2.3.1).
    pub fn request(&self) -> (String, Option<Secret<(String, String)>>) {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", self.code)
            .append_pair("redirect_uri", self.redirect_uri);
        if let Some(verifier) = self.code_verifier {
            form.append_pair("code_verifier", verifier);
        }
        let mut basic = None;
        match (self.auth_method, self.client_secret) {
            (ClientAuthMethod::ClientSecretBasic, Some(secret)) => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                basic = Some(Secret::new((encoded(self.client_id), encoded(secret.expose()))));
            }
            (ClientAuthMethod::ClientSecretPost, Some(secret)) => {
                form.append_pair("client_id", self.client_id).append_pair("client_secret", secret.expose());
            }
            (_, None) | (ClientAuthMethod::None, Some(_)) => {
                form.append_pair("client_id", self.client_id);
            }
        }
        (form.finish(), basic)
    }
}

/// What came for the code.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The ID token, not yet checked.
    pub id_token: Secret<String>,
    /// The access token, if one came that is a bearer's.
    pub access_token: Option<Secret<String>>,
}

/// Reads the answer of the token endpoint.
///
/// # Errors
/// [`Refused::Answer`] with its `error`, [`Refused::Member`] where there is no ID token.
pub fn read(status: u16, body: &[u8]) -> Result<Tokens, Refused> {
    let mut answer = object(status, body)?;
    let is_bearer = answer
        .get("token_type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    let mut take = |name: &str| match answer.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(Secret::new(text)),
        _ => None,
    };
    let id_token = take("id_token").ok_or(Refused::Member("id_token"))?;
    Ok(Tokens { id_token, access_token: take("access_token").filter(|_| is_bearer) })
}

#[cfg(test)]
mod tests {
    use domain::client::ClientAuthMethod;
    use domain::secret::Secret;

    use super::{Exchange, read};
    use crate::upstream::Refused;

    #[test]
    fn the_secret_travels_as_it_was_agreed_and_never_twice() {
        let secret = Secret::new("p&ss:word".to_owned());
        let request = |auth_method, client_secret| {
            let exchange = Exchange {
                code: "c",
                redirect_uri: "https://id.example/login/callback",
                code_verifier: Some("v"),
                client_id: "us:1",
                client_secret,
                auth_method,
            };
            exchange.request()
        };
        let start = "grant_type=authorization_code&code=c&\
                     redirect_uri=https%3A%2F%2Fid.example%2Flogin%2Fcallback&code_verifier=v";
        let (body, basic) = request(ClientAuthMethod::ClientSecretPost, Some(&secret));
        assert_eq!(body, format!("{start}&client_id=us%3A1&client_secret=p%26ss%3Aword"));
        assert!(basic.is_none());
        let (body, basic) = request(ClientAuthMethod::ClientSecretBasic, Some(&secret));
        assert_eq!(body, start);
        assert_eq!(basic.unwrap().expose(), &("us%3A1".to_owned(), "p%26ss%3Aword".to_owned()));
        let (body, basic) = request(ClientAuthMethod::None, None);
        assert_eq!(body, format!("{start}&client_id=us%3A1"));
        assert!(basic.is_none());
    }

    #[test]
    fn an_answer_needs_an_id_token_and_a_good_status() {
        let tokens = read(200, br#"{"id_token":"i","access_token":"a","token_type":"Bearer"}"#).unwrap();
        assert_eq!(tokens.id_token.expose(), "i");
        assert_eq!(tokens.access_token.unwrap().expose(), "a");
        let bound = read(200, br#"{"id_token":"i","access_token":"a","token_type":"DPoP"}"#).unwrap();
        assert!(bound.access_token.is_none());
        assert_eq!(read(200, br#"{"access_token":"a"}"#).unwrap_err(), Refused::Member("id_token"));
        let refused = read(400, br#"{"error":"invalid_grant","id_token":"i"}"#).unwrap_err();
        assert_eq!(refused, Refused::Answer("invalid_grant".into()));
    }
}

//! Sending a browser to a provider, and what it brings back.
//!
//! Spec: OIDC Core 1.0 §3.1.2.1 and §3.1.2.5–6, RFC 6749 §4.1.1 and §4.1.2, RFC 7636 §4.3, RFC 9207 §2.4.

use domain::sign_in::{AuthorizationRequest, Prompt};
use domain::upstream::Provider;
use url::Url;

use super::{Refused, legible};
use crate::error::OAuthErrorCode;
use crate::params::Params;

/// Parameters of an answer, each at most once (RFC 6749 §3.1).
const ANSWER: [&str; 5] = ["state", "code", "error", "error_description", "iss"];

/// A request for a code.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The provider's endpoint, which may have a query of its own.
    pub endpoint: &'a str,
    /// Who we are there.
    pub client_id: &'a str,
    /// Where the browser comes back.
    pub redirect_uri: &'a str,
    /// What is asked for.
    pub scope: &'a str,
    /// Given back untouched.
    pub state: &'a str,
    /// Repeated in the ID token.
    pub nonce: &'a str,
    /// The S256 challenge.
    pub code_challenge: Option<&'a str>,
    /// What our own client wishes for.
    pub wishes: &'a AuthorizationRequest,
}

impl Request<'_> {
    /// The address that the browser is sent to. None: the endpoint is no URL.
    ///
    /// Of our client's wishes those are passed on that are about the user and their proof. `prompt=none` never is:
    /// silence is answered by our own session.
    pub fn url(&self) -> Option<String> {
        let mut url = Url::parse(self.endpoint).ok()?;
        let wishes = self.wishes;
        let prompts: Vec<&str> = wishes
            .prompts
            .iter()
            .filter(|prompt| **prompt != Prompt::None)
            .map(|prompt| prompt.as_str())
            .collect();
        let max_age = wishes.max_age_seconds.map(|seconds| seconds.to_string());
        let optional = [
            ("code_challenge", self.code_challenge.map(str::to_owned)),
            ("code_challenge_method", self.code_challenge.map(|_| "S256".to_owned())),
            ("prompt", some(prompts.join(" "))),
            ("max_age", max_age),
            ("login_hint", wishes.login_hint.clone()),
            ("ui_locales", some(wishes.ui_locales.join(" "))),
            ("acr_values", some(wishes.acr_values.join(" "))),
        ];
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", self.client_id)
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("scope", self.scope)
            .append_pair("state", self.state)
            .append_pair("nonce", self.nonce);
        for (name, value) in optional {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        }
        drop(query);
        Some(url.into())
    }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// What the browser brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A code.
    Code(String),
    /// The provider refused, or the user did.
    Error {
        /// What our own client is told.
        code: OAuthErrorCode,
        /// In the provider's words, cleaned.
        description: String,
    },
}

/// Reads an answer whose `state` was found to be this browser's.
///
/// # Errors
/// [`Refused::Issuer`] where it comes from another provider, or does not say from whom although this one always does
/// (RFC 9207 §2.4); [`Refused::Member`] where it is none.
pub fn read(params: &Params, provider: &Provider) -> Result<Answer, Refused> {
    if params.check_once(&ANSWER).is_err() {
        return Err(Refused::Member("the answer"));
    }
    match params.get("iss") {
        Some(issuer) if issuer != provider.issuer => return Err(Refused::Issuer),
        None if provider.names_itself => return Err(Refused::Issuer),
        Some(_) | None => {}
    }
    match (params.get("code"), params.get("error")) {
        (Some(code), None) => Ok(Answer::Code(code.to_owned())),
        (None, Some(error)) => {
            let description = params.get("error_description").unwrap_or(error);
            Ok(Answer::Error { code: code_of(error), description: legible(description) })
        }
        (Some(_), Some(_)) | (None, None) => Err(Refused::Member("code")),
    }
}

/// What our client is told for a provider's error: what concerns the user as it is; what concerns us is not the
/// client's fault.
fn code_of(error: &str) -> OAuthErrorCode {
    match error {
        "login_required" => OAuthErrorCode::LoginRequired,
        "interaction_required" | "account_selection_required" => OAuthErrorCode::InteractionRequired,
        "consent_required" => OAuthErrorCode::ConsentRequired,
        "temporarily_unavailable" => OAuthErrorCode::TemporarilyUnavailable,
        "server_error" => OAuthErrorCode::ServerError,
        _ => OAuthErrorCode::AccessDenied,
    }
}

#[cfg(test)]
mod tests {
    use domain::scope::Scopes;
    use domain::sign_in::{AuthorizationRequest, Prompt, ResponseMode};
    use domain::upstream::Provider;
    use url::Url;

    use super::{Answer, Request, read};
    use crate::error::OAuthErrorCode;
    use crate::params::{Params, decode};
    use crate::upstream::Refused;

    fn wishes() -> AuthorizationRequest {
        AuthorizationRequest {
            client_id: "rp".into(),
            redirect_uri: "https://rp.example/cb".into(),
            response_mode: ResponseMode::Query,
            scopes: Scopes::parse("openid"),
            audience: None,
            state: Some("theirs".into()),
            nonce: Some("theirs".into()),
            prompts: Vec::new(),
            max_age_seconds: None,
            login_hint: None,
            screen_hint: None,
            connection: Some("up".into()),
            organization: None,
            invitation: None,
            ui_locales: Vec::new(),
            acr_values: Vec::new(),
            code_challenge: None,
            query: Vec::new(),
        }
    }

    fn query(wishes: &AuthorizationRequest, endpoint: &str) -> Vec<(String, String)> {
        let request = Request {
            endpoint,
            client_id: "us",
            redirect_uri: "https://id.example/login/callback",
            scope: "openid email",
            state: "s",
            nonce: "n",
            code_challenge: Some("c"),
            wishes,
        };
        Url::parse(&request.url().unwrap()).unwrap().query_pairs().into_owned().collect()
    }

    fn own(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_request_carries_our_own_state_and_the_clients_wishes_about_the_user() {
        let plain = own(&[
            ("response_type", "code"),
            ("client_id", "us"),
            ("redirect_uri", "https://id.example/login/callback"),
            ("scope", "openid email"),
            ("state", "s"),
            ("nonce", "n"),
            ("code_challenge", "c"),
            ("code_challenge_method", "S256"),
        ]);
        assert_eq!(query(&wishes(), "https://up.example/authorize"), plain);
        let mut wishes = wishes();
        wishes.prompts = vec![Prompt::None, Prompt::Login, Prompt::Consent];
        wishes.max_age_seconds = Some(0);
        wishes.login_hint = Some("ada@example.com".into());
        wishes.ui_locales = vec!["de".into(), "en".into()];
        wishes.acr_values = vec!["gold".into()];
        let mut all = own(&[("own", "1")]);
        all.extend(plain);
        all.extend(own(&[
            ("prompt", "login consent"),
            ("max_age", "0"),
            ("login_hint", "ada@example.com"),
            ("ui_locales", "de en"),
            ("acr_values", "gold"),
        ]));
        assert_eq!(query(&wishes, "https://up.example/authorize?own=1"), all);
    }

    fn answer(query: &str, names_itself: bool) -> Result<Answer, Refused> {
        let provider = Provider {
            issuer: "https://up.example/".into(),
            authorization_endpoint: String::new(),
            token_endpoint: String::new(),
            jwks_uri: String::new(),
            userinfo_endpoint: None,
            end_session_endpoint: None,
            names_itself,
            auth_methods: Vec::new(),
        };
        read(&Params::parse(decode(query)), &provider)
    }

    #[test]
    fn an_answer_is_a_code_or_an_error_and_says_from_whom_where_that_was_promised() {
        let code = Ok(Answer::Code("c".into()));
        assert_eq!(answer("state=s&code=c", false), code);
        for names_itself in [false, true] {
            assert_eq!(answer("state=s&code=c&iss=https%3A%2F%2Fup.example%2F", names_itself), code);
            // RFC 9207 §2.4: a mix-up is refused also where the provider did not promise to say who it is.
            let other = answer("state=s&code=c&iss=https%3A%2F%2Fevil.example%2F", names_itself);
            assert_eq!(other, Err(Refused::Issuer));
        }
        assert_eq!(answer("state=s&code=c", true), Err(Refused::Issuer));
        for bad in [
            "state=s",
            "state=s&code=",
            "state=s&code=a&error=b",
            "code=a&code=b&state=s",
            "iss=a&iss=b&code=c",
        ] {
            assert!(matches!(answer(bad, false), Err(Refused::Member(_))), "{bad}");
        }
    }

    #[test]
    fn a_providers_error_is_told_in_codes_that_a_client_knows() {
        for (error, expected) in [
            ("access_denied", OAuthErrorCode::AccessDenied),
            ("login_required", OAuthErrorCode::LoginRequired),
            ("unauthorized_client", OAuthErrorCode::AccessDenied),
            ("temporarily_unavailable", OAuthErrorCode::TemporarilyUnavailable),
            ("%3Cscript%3E", OAuthErrorCode::AccessDenied),
        ] {
            let read = answer(&format!("state=s&error={error}&error_description=no%0Away%22"), false);
            assert_eq!(read, Ok(Answer::Error { code: expected, description: "noway".into() }));
        }
    }
}

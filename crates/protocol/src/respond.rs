//! How an answer travels to the client: in the redirect URI's query or fragment, or posted by a form.
//!
//! Spec: RFC 6749 §4.1.2, OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode §2.
//! Not here: HTML. Whether an answer may travel at all is decided in [`crate::authorize`].

use domain::sign_in::ResponseMode;
use url::form_urlencoded::Serializer;

use crate::authorize::Rejection;
use crate::error::OAuthError;

/// Where the browser goes. A query that the URI has already is kept. In the mode `form_post` the URI comes back
/// without the parameters, because there it is the form's target ([`form_post_fields`]).
pub fn redirect_location(uri: &str, mode: ResponseMode, parameters: &[(&str, &str)]) -> String {
    let encoded = Serializer::new(String::new()).extend_pairs(parameters).finish();
    match mode {
        _ if parameters.is_empty() => uri.to_owned(),
        ResponseMode::FormPost => uri.to_owned(),
        ResponseMode::Fragment => {
            let base = uri.split_once('#').map_or(uri, |(base, _)| base);
            format!("{base}#{encoded}")
        }
        ResponseMode::Query => with_query(uri, &encoded),
    }
}

fn with_query(uri: &str, encoded: &str) -> String {
    let (base, fragment) = match uri.split_once('#') {
        Some((base, fragment)) => (base, format!("#{fragment}")),
        None => (uri, String::new()),
    };
    let joint = match base.find('?') {
        None => "?",
        Some(_) if base.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    format!("{base}{joint}{encoded}{fragment}")
}

/// The hidden fields of the form that posts the answer.
pub fn form_post_fields(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The parameters of a failed answer: `error`, `error_description` and the `state` of the request.
pub fn error_parameters<'a>(error: &'a OAuthError, state: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
    let mut parameters = vec![("error", error.code.as_str())];
    if !error.description.is_empty() {
        parameters.push(("error_description", error.description.as_str()));
    }
    parameters.extend(state.map(|state| ("state", state)));
    parameters
}

/// The parameters of a good answer: `code` and the `state` of the request.
pub fn code_parameters<'a>(code: &'a str, state: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
    let mut parameters = vec![("code", code)];
    parameters.extend(state.map(|state| ("state", state)));
    parameters
}

impl Rejection {
    /// What went wrong.
    pub fn error(&self) -> &OAuthError {
        match self {
            Self::Page(error) | Self::Redirect { error, .. } => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::sign_in::ResponseMode;

    use super::{form_post_fields, redirect_location};

    #[test]
    fn parameters_are_encoded_and_an_existing_query_is_kept() {
        let parameters = [("code", "a&b"), ("state", "x y#é")];
        let encoded = "code=a%26b&state=x+y%23%C3%A9";
        for (uri, mode, expect) in [
            ("https://rp/cb", ResponseMode::Query, format!("https://rp/cb?{encoded}")),
            ("https://rp/cb?a=1", ResponseMode::Query, format!("https://rp/cb?a=1&{encoded}")),
            ("https://rp/cb?", ResponseMode::Query, format!("https://rp/cb?{encoded}")),
            ("https://rp/cb?a=1&", ResponseMode::Query, format!("https://rp/cb?a=1&{encoded}")),
            ("https://rp/cb#f", ResponseMode::Query, format!("https://rp/cb?{encoded}#f")),
            ("https://rp/cb?a=1", ResponseMode::Fragment, format!("https://rp/cb?a=1#{encoded}")),
            ("com.example:/cb", ResponseMode::Query, format!("com.example:/cb?{encoded}")),
            ("https://rp/cb", ResponseMode::FormPost, "https://rp/cb".to_owned()),
        ] {
            assert_eq!(redirect_location(uri, mode, &parameters), expect);
        }
        assert_eq!(redirect_location("https://rp/", ResponseMode::Query, &[]), "https://rp/");
        assert_eq!(form_post_fields(&parameters)[0], ("code".to_owned(), "a&b".to_owned()));
    }
}

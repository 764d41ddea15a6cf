//! Auth0's older logout endpoint: it always ends the session and asks nothing.
//!
//! Auth0: Authentication API, `/v2/logout`. The query and the fragment of `returnTo` do not count in the comparison;
//! a `*` as the first label of a registered host stands for one label.

use domain::client::Client;
use domain::redact::without_values;

use super::is_federated;
use crate::error::OAuthError;
use crate::params::Params;

/// What the client asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub client_id: Option<String>,
    /// Where the browser should go after it.
    pub return_to: Option<String>,
    /// Whether the upstream provider's session should end too.
    pub federated: bool,
}

impl Request {
    /// Reads the decoded pairs of a query.
    ///
    /// # Errors
    /// `invalid_request` where a parameter repeats.
    pub fn parse(pairs: Vec<(String, String)>) -> Result<Self, OAuthError> {
        let params = Params::parse(pairs);
        params.check_once(&["client_id", "returnTo"])?;
        Ok(Self {
            client_id: params.client_id().map(str::to_owned),
            return_to: params.get("returnTo").map(str::to_owned),
            federated: is_federated(&params),
        })
    }
}

/// What to do once the session has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Send the browser there.
    Redirect(String),
    /// Say `OK`.
    Ok,
    /// Show this on a page; nothing ends.
    Error(OAuthError),
}

/// Decides where the browser goes. `client` is the one that the request names, if it exists.
pub fn decide(request: &Request, client: Option<&Client>, tenant_logout_urls: &[String]) -> Decision {
    let client = match (&request.client_id, client) {
        (None, _) => None,
        (Some(id), Some(client)) if client.id.as_str() == id => Some(client),
        (Some(id), _) => {
            return Decision::Error(
                OAuthError::invalid("Unknown client").with_debug(format!("client_id {id:?}")),
            );
        }
    };
    let allowed = client.map_or(tenant_logout_urls, |client| &client.allowed_logout_urls);
    match &request.return_to {
        Some(url) if allowed.iter().any(|registered| is_allowed(url, registered)) => {
            Decision::Redirect(url.clone())
        }
        Some(url) => Decision::Error(
            OAuthError::invalid("The \"returnTo\" parameter is not in the list of allowed logout URLs.")
                .with_debug(format!("returnTo {:?}", without_values(url))),
        ),
        None => match client.and_then(|client| client.allowed_logout_urls.first()) {
            Some(first) if !first.contains('*') => Decision::Redirect(first.clone()),
            _ => Decision::Ok,
        },
    }
}

fn is_allowed(url: &str, registered: &str) -> bool {
    if url == registered {
        return !registered.contains('*');
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return false;
    }
    let base = |text: &str| text.find(['?', '#']).map_or(text.len(), |end| end);
    let bare = &url[..base(url)];
    bare == registered || matches_wildcard(bare, registered)
}

/// Whether `https://*.rest` is `https://label.rest`, with one label of letters, digits and hyphens.
fn matches_wildcard(url: &str, registered: &str) -> bool {
    let Some((scheme, rest)) = registered.split_once("://*.") else { return false };
    let Some(host) = url.strip_prefix(scheme).and_then(|url| url.strip_prefix("://")) else { return false };
    let Some((label, own_rest)) = host.split_once('.') else { return false };
    let is_label = !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_label && !rest.contains('*') && own_rest == rest
}

#[cfg(test)]
mod tests {
    use domain::client::Client;
    use domain::secret::Sealed;
    use domain::time::Timestamp;

    use super::{Decision, Request, decide, is_allowed};
    use crate::params::decode;

    fn check(query: &str, expect: Result<Option<&str>, &str>) {
        let mut client = Client::new("a".into(), "A", Sealed(String::new()), Timestamp(0));
        client.allowed_logout_urls = vec!["https://rp.example/bye".into(), "https://rp.example/2".into()];
        let tenant = ["https://tenant.example/".to_owned()];
        let request = Request::parse(decode(query)).unwrap();
        let found = (request.client_id.as_deref() == Some("a")).then_some(&client);
        let got = match decide(&request, found, &tenant) {
            Decision::Redirect(url) => Ok(Some(url)),
            Decision::Ok => Ok(None),
            Decision::Error(error) => Err(error.description),
        };
        assert_eq!(got, expect.map(|url| url.map(str::to_owned)).map_err(str::to_owned), "{query}");
    }

    #[test]
    fn the_browser_returns_only_to_a_registered_url() {
        let refused = Err("The \"returnTo\" parameter is not in the list of allowed logout URLs.");
        check("", Ok(None));
        check("client_id=a", Ok(Some("https://rp.example/bye")));
        check("client_id=b", Err("Unknown client"));
        check("client_id=a&returnTo=https://rp.example/2", Ok(Some("https://rp.example/2")));
        check("client_id=a&returnTo=https://rp.example/2%3Fx=1", Ok(Some("https://rp.example/2?x=1")));
        check("client_id=a&returnTo=https://tenant.example/", refused);
        check("returnTo=https://tenant.example/", Ok(Some("https://tenant.example/")));
        check("returnTo=https://rp.example/bye", refused);
        check("client_id=a&returnTo=https://rp.example/bye/more", refused);
    }

    #[test]
    fn a_star_stands_for_one_label_and_nothing_else() {
        let star = "https://*.example.com/bye";
        assert!(is_allowed("https://a-1.example.com/bye", star));
        assert!(is_allowed("https://a.example.com/bye?x=1#y", star));
        for bad in [
            "https://a.b.example.com/bye",
            "https://.example.com/bye",
            "https://*.example.com/bye",
            "https://evil.com/.example.com/bye",
            "https://evil.com#.example.com/bye",
            "https://evil.com?.example.com/bye",
            "https://u@a.example.com/bye",
            "http://a.example.com/bye",
            "https://a.example.com/",
            "https://evil\\.example.com/bye",
        ] {
            assert!(!is_allowed(bad, star), "{bad}");
        }
        assert!(!is_allowed("https://evil.com/", "https://*"));
        assert!(!is_allowed("https://a.evil.com/", "https://*.*.com/"));
    }
}

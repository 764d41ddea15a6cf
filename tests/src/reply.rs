//! What came back from the server: status, headers and text, with the assertions that tests make of them.

use reqwest::header::HeaderMap;
use serde_json::Value;
use url::Url;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Where it came from.
    pub url: Url,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Reply {
    /// Sends a request and reads the answer.
    ///
    /// # Panics
    /// When there is none.
    pub async fn to(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        let (url, status) = (response.url().clone(), response.status().as_u16());
        let headers = response.headers().clone();
        let text = response.text().await.expect("the body arrives");
        Self { url, status, headers, text }
    }

    /// Passes the answer on if it has this status.
    ///
    /// # Panics
    /// When it has another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.url, self.text);
        self
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.url, self.text))
    }

    /// A header; empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where a redirect goes.
    pub fn location(&self) -> Option<Url> {
        self.url.join(self.headers.get("location")?.to_str().ok()?).ok()
    }

    /// The `Set-Cookie` header of a cookie; empty where it is absent.
    pub fn set_cookie(&self, name: &str) -> &str {
        let start = format!("{name}=");
        let headers = self.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        headers.into_iter().find(|value| value.starts_with(&start)).unwrap_or_default()
    }

    /// Asserts that this is a page that says so, and no redirect.
    ///
    /// # Panics
    /// When it is another status, not HTML, or says something else.
    #[track_caller]
    pub fn expect_page(&self, status: u16, says: &str) {
        assert_eq!(self.status, status, "{}: {}", self.url, self.text);
        assert!(self.header("content-type").starts_with("text/html"), "{self:?}");
        assert!(self.location().is_none(), "a page redirects nowhere: {self:?}");
        assert!(self.text.contains(says), "`{says}` is not in {}", self.text);
    }

    /// Asserts an error of the Management API; an empty `code` means that there is none.
    ///
    /// # Panics
    /// When the body is another.
    #[track_caller]
    pub fn expect_api_error(&self, status: u16, error: &str, message: &str, code: &str) {
        let mut body = serde_json::json!({ "statusCode": status, "error": error, "message": message });
        if !code.is_empty() {
            body["errorCode"] = code.into();
        }
        assert_eq!((self.status, self.json()), (status, body), "{}", self.url);
    }

    /// Asserts an error of an OAuth endpoint, and answers its description.
    ///
    /// # Panics
    /// When the body is another.
    #[track_caller]
    pub fn expect_oauth_error(&self, status: u16, error: &str) -> String {
        let body = self.json();
        assert_eq!((self.status, &body["error"]), (status, &Value::from(error)), "{}", self.text);
        assert!(body.get("access_token").is_none(), "{}", self.text);
        body["error_description"].as_str().unwrap_or_default().to_owned()
    }
}

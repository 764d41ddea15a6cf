//! A browser: keeps cookies, follows redirects within the server, fills forms in, stops at the application.
//!
//! Tests run without encryption, so `Secure` is noted but does not keep a cookie back.

use std::collections::BTreeMap;
use std::sync::Mutex;

use url::Url;

use crate::form::Form;
use crate::reply::Reply;
use crate::server::{User, Wire};

/// Redirects that are followed in a row.
const REDIRECTS_MAX: usize = 10;
/// The session's cookie.
pub const SESSION_COOKIE: &str = "__Host-vestibule";
/// The cookie of sign-ins under way.
pub const BROWSER_COOKIE: &str = "__Host-vestibule-browser";

#[derive(Debug, Clone)]
struct Cookie {
    value: String,
    is_persistent: bool,
}

/// One browser with its cookies, its address and its name.
pub struct Browser {
    wire: Wire,
    cookies: Mutex<BTreeMap<String, Cookie>>,
    ip: Mutex<Option<String>>,
    user_agent: Mutex<String>,
}

/// What the application received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Where, without query and fragment.
    pub url: String,
    /// `query`, `fragment` or `form_post`.
    pub mode: &'static str,
    /// What, in order of names.
    pub params: BTreeMap<String, String>,
}

impl Callback {
    /// A parameter; empty where it is absent.
    pub fn get(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// The code.
    ///
    /// # Panics
    /// When something else came.
    #[track_caller]
    pub fn code(&self) -> &str {
        assert!(self.params.contains_key("code") && !self.params.contains_key("error"), "{self:?}");
        self.get("code")
    }

    /// Asserts an error and its description.
    ///
    /// # Panics
    /// When something else came.
    #[track_caller]
    pub fn expect_error(&self, error: &str, description: &str) {
        assert_eq!((self.get("error"), self.get("error_description")), (error, description), "{self:?}");
        assert!(!self.params.contains_key("code"), "{self:?}");
    }
}

impl Browser {
    /// A browser without cookies.
    pub fn new(wire: &Wire) -> Self {
        Self {
            wire: wire.clone(),
            cookies: Mutex::default(),
            ip: Mutex::default(),
            user_agent: Mutex::new("Suite/1.0".to_owned()),
        }
    }

    /// Moves it to another network: the proxy in front of the server names this address.
    pub fn move_to(&self, ip: &str) {
        *self.ip.lock().expect("no panic") = Some(ip.to_owned());
    }

    /// Gives it another name.
    pub fn update_to(&self, user_agent: &str) {
        user_agent.clone_into(&mut self.user_agent.lock().expect("no panic"));
    }

    /// Closes and opens it: cookies without a lifetime go.
    pub fn close_and_open(&self) {
        self.cookies.lock().expect("no panic").retain(|_, cookie| cookie.is_persistent);
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().expect("no panic").get(name).map(|cookie| cookie.value.clone())
    }

    /// Puts a cookie in its place.
    pub fn set_cookie(&self, name: &str, value: &str) {
        let cookie = Cookie { value: value.to_owned(), is_persistent: true };
        self.cookies.lock().expect("no panic").insert(name.to_owned(), cookie);
    }

    /// One `GET`, redirects not followed.
    pub async fn get_once(&self, url: &str) -> Reply {
        let url = self.absolute(url);
        self.send(self.wire.http.get(url)).await
    }

    /// One `POST` of a form, redirects not followed.
    pub async fn post_once(&self, url: &str, fields: &[(String, String)]) -> Reply {
        let url = self.absolute(url);
        self.send(self.wire.http.post(url).form(fields)).await
    }

    /// `GET`, then along the redirects that stay within the server.
    pub async fn get(&self, url: &str) -> Reply {
        let first = self.get_once(url).await;
        self.follow(first).await
    }

    /// Submits a form, then along the redirects that stay within the server.
    pub async fn submit(&self, page: &Reply, form: &Form) -> Reply {
        let action = page.url.join(&form.action).expect("a form's address");
        let first = self.post_once(action.as_str(), &form.fields).await;
        self.follow(first).await
    }

    /// The sign-in page's form, filled in with a password and submitted.
    pub async fn enter(&self, page: &Reply, username: &str, password: &str) -> Reply {
        let mut form = the_form(page);
        form.set("username", username);
        form.set("password", password);
        self.submit(page, &form).await
    }

    /// Opens a URL, signs in on the page that comes, and answers what the application received.
    pub async fn sign_in_at(&self, url: &str, user: &User) -> Callback {
        let page = self.get(url).await;
        self.callback(&self.enter(&page, &user.email, &user.password).await)
    }

    /// Opens a URL that leads to the application without a page.
    pub async fn pass_through(&self, url: &str) -> Callback {
        self.callback(&self.get(url).await)
    }

    /// What the application received with this answer: a redirect to it, or a form that posts itself to it.
    ///
    /// # Panics
    /// When the answer is a page of the server's own.
    #[track_caller]
    pub fn callback(&self, reply: &Reply) -> Callback {
        if let Some(location) = reply.location() {
            assert!(!self.is_ours(&location), "still within the server: {location}");
            let mut url = location.clone();
            url.set_query(None);
            url.set_fragment(None);
            let (mode, text) = match location.fragment() {
                Some(fragment) => ("fragment", fragment),
                None => ("query", location.query().unwrap_or_default()),
            };
            let params = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
            return Callback { url: url.to_string(), mode, params };
        }
        assert_eq!(reply.status, 200, "a page in the way: {}", reply.text);
        let form = the_form(reply);
        assert!(form.action.starts_with("http"), "a page in the way: {}", reply.text);
        Callback { url: form.action, mode: "form_post", params: form.fields.into_iter().collect() }
    }

    async fn follow(&self, mut reply: Reply) -> Reply {
        for _ in 0..REDIRECTS_MAX {
            match reply.location() {
                Some(next) if self.is_ours(&next) => reply = self.get_once(next.as_str()).await,
                _ => return reply,
            }
        }
        panic!("redirects without an end: {}", reply.url);
    }

    fn is_ours(&self, url: &Url) -> bool {
        // The dashboard is an application, though it lives here.
        url.as_str().strip_prefix(&self.wire.issuer()).is_some_and(|path| !path.starts_with("manage/"))
    }

    fn absolute(&self, url: &str) -> String {
        if url.starts_with('/') { format!("{}{url}", self.wire.url) } else { url.to_owned() }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let cookies: Vec<String> = {
            let cookies = self.cookies.lock().expect("no panic");
            cookies.iter().map(|(name, cookie)| format!("{name}={}", cookie.value)).collect()
        };
        let mut request = request.header("user-agent", self.user_agent.lock().expect("no panic").clone());
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if let Some(ip) = self.ip.lock().expect("no panic").clone() {
            request = request.header("x-forwarded-for", ip);
        }
        let reply = Reply::to(request).await;
        self.keep_cookies(&reply);
        reply
    }

    fn keep_cookies(&self, reply: &Reply) {
        let mut cookies = self.cookies.lock().expect("no panic");
        for header in reply.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()) {
            let mut parts = header.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let max_age = parts.find_map(|part| part.strip_prefix("Max-Age=")?.parse::<i64>().ok());
            if max_age.is_some_and(|seconds| seconds <= 0) {
                cookies.remove(name);
                continue;
            }
            let cookie = Cookie { value: value.to_owned(), is_persistent: max_age.is_some() };
            cookies.insert(name.to_owned(), cookie);
        }
    }
}

/// The page's form.
///
/// # Panics
/// When it has none.
#[track_caller]
pub fn the_form(page: &Reply) -> Form {
    Form::first(&page.text)
        .unwrap_or_else(|| panic!("no form on {} ({}): {}", page.url, page.status, page.text))
}

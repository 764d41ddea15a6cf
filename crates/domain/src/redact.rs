//! What of a text from outside may be written down where operators and administrators read it.
//!
//! An address may carry a code or a token behind its question mark, and a password before its host. Whoever looks for
//! the reason of a refusal needs the rest of it.

/// What stands where something was left out.
pub const STARS: &str = "*****";

/// A URL with the names of its parameters, but without their values, its fragment and its user information. Text that
/// is no URL is treated alike: what follows a `?` or a `#` goes.
pub fn without_values(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (front, rest) = url.split_at(end);
    let mut shown = without_user(front);
    let (query, fragment) = match rest.split_once('#') {
        Some((query, _)) => (query, true),
        None => (rest, false),
    };
    if let Some(query) = query.strip_prefix('?') {
        shown.push('?');
        for (number, pair) in query.split('&').enumerate() {
            if number > 0 {
                shown.push('&');
            }
            match pair.split_once('=') {
                Some((name, _)) => {
                    shown.push_str(name);
                    shown.push('=');
                    shown.push_str(STARS);
                }
                // Without a name, all of it is a value.
                None if !pair.is_empty() => shown.push_str(STARS),
                None => {}
            }
        }
    }
    if fragment {
        shown.push('#');
        shown.push_str(STARS);
    }
    shown
}

/// The part before the query, with what stands before an `@` of the authority left out.
fn without_user(front: &str) -> String {
    let Some(begin) = front.find("//").map(|at| at + 2) else { return front.to_owned() };
    let (scheme, rest) = front.split_at(begin);
    let host_end = rest.find(['/', '\\']).unwrap_or(rest.len());
    match rest[..host_end].rfind('@') {
        Some(at) => format!("{scheme}{STARS}{}", &rest[at..]),
        None => front.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn a_url_keeps_its_place_and_loses_its_values() {
        for (url, shown) in [
            ("https://a.example/cb", "https://a.example/cb"),
            ("https://a.example/cb?code=abc&x=1", "https://a.example/cb?code=*****&x=*****"),
            ("https://a.example/cb?abc", "https://a.example/cb?*****"),
            ("https://a.example/cb?", "https://a.example/cb?"),
            ("https://a.example/cb#access_token=abc", "https://a.example/cb#*****"),
            ("https://a.example/cb?a=b#c?d", "https://a.example/cb?a=*****#*****"),
            ("https://u:p@a.example:1/x@y", "https://*****@a.example:1/x@y"),
            ("myapp://cb?code=abc", "myapp://cb?code=*****"),
            ("not a url?secret", "not a url?*****"),
            ("", ""),
        ] {
            assert_eq!(without_values(url), shown);
        }
    }
}

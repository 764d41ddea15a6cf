//! Pictures of initials, for users who have no picture of their own.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// Hues that the backgrounds are taken from; white text is readable on each (WCAG 2.2 §1.4.3).
const HUES: u32 = 24;

/// `/avatars/{letters}.svg`: two letters or digits, or `user` for a plain figure.
pub async fn avatar(Path(name): Path<String>) -> Response {
    match name.strip_suffix(".svg").and_then(drawing) {
        Some(drawing) => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
                (CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
            ];
            (headers, drawing).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn drawing(letters: &str) -> Option<String> {
    let inside = match letters {
        "user" => r#"<circle cx="64" cy="50" r="22"/><path d="M20 128a44 44 0 0 1 88 0z"/>"#.to_owned(),
        _ if letters.len() == 2 && letters.bytes().all(is_lower_or_digit) => {
            let shown = letters.to_ascii_uppercase();
            format!(
                r#"<text x="64" y="64" dy=".35em" text-anchor="middle" font-family="sans-serif" font-size="52">{shown}</text>"#
            )
        }
        _ => return None,
    };
    let hue = letters.bytes().fold(0, |sum: u32, byte| sum * 31 + u32::from(byte)) % HUES * (360 / HUES);
    Some(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128" width="128" height="128"><rect width="128" height="128" fill="hsl({hue} 45% 32%)"/><g fill="#fff">{inside}</g></svg>"##
    ))
}

const fn is_lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::drawing;

    #[test]
    fn only_two_plain_letters_or_the_figure_are_drawn() {
        assert!(drawing("ab").unwrap().contains(">AB<"));
        assert!(drawing("user").unwrap().contains("circle"));
        for letters in ["", "a", "abc", "AB", "<b", "é", "a\u{301}"] {
            assert_eq!(drawing(letters), None, "{letters}");
        }
    }
}

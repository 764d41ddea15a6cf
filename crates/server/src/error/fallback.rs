//! Errors where no handler was reached or it did not come back: the path alone decides the face.

use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use engine::Error;

use super::{ApiError, OAuthFailure, PageError};

/// Which face a path shows.
enum Face {
    Api,
    OAuth,
    Page,
}

fn face(path: &str) -> Face {
    match path {
        _ if path.starts_with("/api/") => Face::Api,
        "/oauth/token" | "/oauth/revoke" | "/userinfo" => Face::OAuth,
        _ if path.starts_with("/.well-known/") => Face::OAuth,
        _ => Face::Page,
    }
}

/// There is nothing at this path.
pub async fn not_found(uri: Uri) -> Response {
    match face(uri.path()) {
        Face::Api => ApiError::no_such_path().into_response(),
        Face::OAuth | Face::Page => PageError::no_such_page().into_response(),
    }
}

/// There is something at this path, but not for this method.
pub async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    match face(uri.path()) {
        // Auth0 knows no such method and so no such path.
        Face::Api => ApiError::no_such_path().into_response(),
        Face::OAuth => status.into_response(),
        Face::Page => {
            PageError::plain(status, format!("This page does not answer {method}.")).into_response()
        }
    }
}

/// The handler failed without an answer.
pub fn failed(path: &str, error: Error) -> Response {
    match face(path) {
        Face::Api => ApiError::from(error).into_response(),
        Face::OAuth => OAuthFailure::from(error).into_response(),
        Face::Page => PageError::from(error).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::{method_not_allowed, not_found};

    #[tokio::test]
    async fn an_unknown_path_of_the_api_has_auth0s_body_and_any_other_a_page() {
        let api = not_found("/api/v2/nothing".parse().unwrap()).await;
        assert_eq!(api.status(), 404);
        let bytes = axum::body::to_bytes(api.into_body(), 65536).await.unwrap();
        assert_eq!(&bytes[..], br#"{"statusCode":404,"error":"Not Found","message":"Not Found"}"#);
        let page = not_found("/nothing".parse().unwrap()).await;
        assert_eq!(page.status(), 404);
        assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        let wrong = method_not_allowed(axum::http::Method::PUT, "/u/login".parse().unwrap()).await;
        assert_eq!(wrong.status(), 405);
    }
}

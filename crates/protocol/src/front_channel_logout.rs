//! The page of a client's that a browser loads in a frame when its session ends.
//!
//! Spec: OIDC Front-Channel Logout 1.0 §2. Not here: which clients have one, and the page with the frames.

use domain::id::SessionId;
use domain::sign_in::ResponseMode;

use crate::respond::redirect_location;

/// What the frame loads. `iss` and `sid` are always there: they let a client end its session also where the browser
/// keeps the client's cookies out of frames.
pub fn frame_url(registered: &str, issuer: &str, session_id: &SessionId) -> String {
    redirect_location(registered, ResponseMode::Query, &[("iss", issuer), ("sid", session_id.as_str())])
}

#[cfg(test)]
mod tests {
    use super::frame_url;

    #[test]
    fn issuer_and_session_join_the_query_that_is_registered() {
        let issuer = "https://id.example/";
        let url = frame_url("https://rp.example/bye?logout=get", issuer, &"s-1".into());
        assert_eq!(url, "https://rp.example/bye?logout=get&iss=https%3A%2F%2Fid.example%2F&sid=s-1");
    }
}

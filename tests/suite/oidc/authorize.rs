//! `/authorize`: what is answered at the redirect URI, what on a page, and what nowhere else.
//!
//! Spec: OIDC Core 1.0 §3.1.2, RFC 6749 §4.1, RFC 7636, RFC 9700 §2.1, OAuth 2.0 Form Post Response Mode.

use serde_json::json;
use suite::{App, Server, on_every_store};

/// Asserts that a request is told its error at the redirect URI, with its state.
async fn refused(server: &Server, app: &App, request: suite::app::Request, error: &str) {
    let reply = server.browser().get_once(&request.url()).await;
    let callback = server.browser().callback(&reply);
    assert_eq!((callback.url.as_str(), callback.get("error")), (&*app.redirect_uri, error), "{callback:?}");
    assert_eq!(callback.get("state"), suite::app::STATE);
    assert!(!callback.get("error_description").is_empty());
    assert!(!callback.params.contains_key("code"));
}

on_every_store! {
    async fn an_unknown_client_gets_a_page_and_never_a_redirect(server) {
        let app = server.app("Shop").await;
        for request in [
            app.request().with("client_id", "unknown"), app.request().without("client_id"),
            app.request().with("client_id", ""), app.request().and("client_id", &app.id),
        ] {
            server.browser().get_once(&request.url()).await.expect_page(400, "invalid_request");
        }
    }

    async fn an_unregistered_redirect_uri_gets_a_page_and_never_a_redirect(server) {
        let app = server.app("Shop").await;
        for uri in [
            "https://evil.test/", "https://shop.test/callback/", "https://shop.test/callback?x=1", "https://shop.test/callback#x",
            "https://shop.test/Callback", "https://SHOP.test/callback", "http://shop.test/callback",
            "https://shop.test/callback/../callback", "https://shop.test:443/callback", "https://shop.test/%63allback",
            "https://shop.test@evil.test/callback", "https://shop.test.evil.test/callback", "//shop.test/callback",
            "javascript:alert(1)",
        ] {
            let request = app.request().with("redirect_uri", uri);
            server.browser().get_once(&request.url()).await.expect_page(400, "allowed callback URLs");
        }
        let twice = app.request().and("redirect_uri", "https://evil.test/");
        server.browser().get_once(&twice.url()).await.expect_page(400, "invalid_request");
        let events = server.api().logs("f").await;
        assert_eq!(events.len(), 15, "each is logged");
    }

    async fn without_a_redirect_uri_the_only_registered_one_is_meant(server) {
        let app = server.app("Shop").await;
        let callback = server.browser().pass_through(&app.request().without("redirect_uri").with("prompt", "none").url()).await;
        assert_eq!(callback.url, app.redirect_uri);
        let two = server.app_with("Two", json!({ "callbacks": ["https://a.test/", "https://b.test/"] })).await;
        let reply = server.browser().get_once(&two.request().without("redirect_uri").url()).await;
        reply.expect_page(400, "redirect_uri");
    }

    async fn each_broken_parameter_is_told_by_its_code(server) {
        let app = server.app("Shop").await;
        let spa = server.app_with("Spa", json!({ "app_type": "spa", "token_endpoint_auth_method": "none" })).await;
        let request = || app.request();
        for (request, error) in [
            (request().without("response_type"), "invalid_request"),
            (request().with("response_type", "code token"), "unsupported_response_type"),
            (request().with("response_type", "nonsense"), "unsupported_response_type"),
            (request().with("response_mode", "smoke"), "invalid_request"),
            (request().with("code_challenge_method", "plain"), "invalid_request"),
            (request().without("code_challenge_method"), "invalid_request"),
            (request().without("code_challenge"), "invalid_request"),
            (request().with("code_challenge", "short"), "invalid_request"),
            (request().with("prompt", "none login"), "invalid_request"),
            (request().with("prompt", "maybe"), "invalid_request"),
            (request().with("max_age", "-1"), "invalid_request"),
            (request().with("max_age", "soon"), "invalid_request"),
            (request().and("scope", "openid"), "invalid_request"),
            (request().and("nonce", "second"), "invalid_request"),
            (request().with("request", "e30.e30.e30"), "request_not_supported"),
            (request().with("request_uri", "https://shop.test/r"), "request_uri_not_supported"),
            (request().with("nonce", &"n".repeat(2000)), "invalid_request"),
        ] {
            if request.url().contains("response_type=code+token") {
                let reply = server.browser().get_once(&request.url()).await;
                assert_eq!(server.browser().callback(&reply).mode, "fragment", "as the type would have it");
            }
            refused(server, &app, request, error).await;
        }
        let without = spa.request().without("code_challenge").without("code_challenge_method");
        refused(server, &spa, without, "invalid_request").await;
    }

    async fn a_client_without_the_code_grant_is_unauthorized(server) {
        let app = server.app_with("Robot", json!({ "grant_types": ["client_credentials"] })).await;
        refused(server, &app, app.request(), "unauthorized_client").await;
    }

    async fn a_confidential_client_may_leave_pkce_out(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let request = app.request().without("code_challenge").without("code_challenge_method");
        let callback = server.browser().sign_in_at(&request.url(), &user).await;
        let fields = [("grant_type", "authorization_code"), ("code", callback.code()), ("redirect_uri", &*app.redirect_uri)];
        app.token(&fields).await.expect(200);
    }

    async fn the_answer_travels_in_the_query_the_fragment_or_a_form(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let first = browser.sign_in_at(&app.request().with("response_mode", "form_post").url(), &user).await;
        assert_eq!(first.mode, "form_post");
        app.redeem(&first).await;
        for mode in ["query", "fragment", "form_post"] {
            let request = app.request().with("prompt", "none").with("response_mode", mode);
            let callback = browser.pass_through(&request.url()).await;
            assert_eq!(callback.mode, mode);
            app.redeem(&callback).await;
            let stranger = server.browser().pass_through(&request.url()).await;
            assert_eq!(stranger.mode, mode);
            stranger.expect_error("login_required", "Login required");
        }
    }

    async fn the_form_post_page_allows_its_own_script_and_its_target_only(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        app.sign_in(&browser, &user).await;
        let page = browser.get(&app.request().with("prompt", "none").with("response_mode", "form_post").url()).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'sha256-") && policy.contains("form-action 'self' https://shop.test"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("cache-control"), "no-store");
    }

    async fn prompt_none_never_shows_a_page(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let reply = browser.get_once(&app.silent()).await;
        assert_eq!(reply.status, 302);
        browser.callback(&reply).expect_error("login_required", "Login required");
        assert_eq!(server.api().only_log("fsa").await["client_id"], app.id.as_str());
        app.sign_in(&browser, &user).await;
        browser.pass_through(&app.silent()).await.code();
        assert_eq!(server.api().logs("ssa").await.len(), 1);
    }

    async fn prompt_login_asks_again_and_keeps_the_session(server) {
        let (app, user, browser, signed_in) = server.someone_signed_in().await;
        server.api().set_session_metadata(&signed_in.sid, &json!({ "kept": "1" })).await;
        server.advance_minutes(10);
        let url = app.request().with("prompt", "login").url();
        let again = app.redeem(&browser.sign_in_at(&url, &user).await).await;
        assert_eq!(again.sid, signed_in.sid);
        assert_eq!(server.api().session_metadata(&again.sid).await, json!({ "kept": "1" }));
        let moment = again.claims["auth_time"].as_i64().unwrap() - signed_in.claims["iat"].as_i64().unwrap();
        assert_eq!(moment, 600);
    }

    async fn signing_in_as_someone_else_ends_the_session_before(server) {
        let (app, _, browser, signed_in) = server.someone_signed_in().await;
        let bob = server.user("bob@example.com").await;
        let url = app.request().with("prompt", "login").url();
        let other = app.redeem(&browser.sign_in_at(&url, &bob).await).await;
        assert_ne!(other.sid, signed_in.sid);
        server.api().expect_no_session(&signed_in.sid).await;
        assert_eq!(app.sign_in_silently(&browser).await.claims["sub"], bob.id.as_str());
    }

    async fn max_age_asks_again_when_the_proof_is_too_old(server) {
        let (app, user, browser, _) = server.someone_signed_in().await;
        server.advance_ms(60_000);
        let silent = |age: &str| app.request().with("prompt", "none").with("max_age", age).url();
        let fresh = app.redeem(&browser.pass_through(&silent("60")).await).await;
        assert!(fresh.claims["auth_time"].is_number());
        server.advance_ms(1000);
        browser.pass_through(&silent("60")).await.expect_error("login_required", "Login required");
        browser.pass_through(&silent("0")).await.expect_error("login_required", "Login required");
        let asked = app.request().with("max_age", "60").url();
        app.redeem(&browser.sign_in_at(&asked, &user).await).await;
    }

    async fn a_login_hint_fills_the_form_and_is_escaped(server) {
        let app = server.app("Shop").await;
        let page = server.browser().get(&app.request().with("login_hint", "ann@example.com").url()).await;
        assert_eq!(suite::browser::the_form(&page).get("username"), Some("ann@example.com"));
        let evil = "\"><script>alert(1)</script>";
        let page = server.browser().get(&app.request().with("login_hint", evil).url()).await;
        assert!(!page.text.contains("<script>"), "{}", page.text);
        assert_eq!(suite::browser::the_form(&page).get("username"), Some(evil));
    }

    async fn a_request_may_be_posted(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        app.sign_in(&browser, &user).await;
        let url = url::Url::parse(&app.silent()).unwrap();
        let fields: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let reply = browser.post_once("/authorize", &fields).await;
        browser.callback(&reply).code();
    }

    async fn an_unknown_audience_is_refused_at_the_client(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let request = app.request().with("audience", "https://nowhere.test/");
        let callback = server.browser().sign_in_at(&request.url(), &user).await;
        callback.expect_error("access_denied", "Service not found: https://nowhere.test/");
    }
}

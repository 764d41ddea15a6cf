//! Who may call the Management API as a person: an administrator, at the dashboard, for as long as they are one.
//!
//! ADR 37. The other half of it, that nobody else's token carries a scope, is in `caller.rs` too.

use serde_json::{Value, json};
use suite::reply::Reply;
use suite::{App, Server, SignedIn, User, on_every_store};

const DASHBOARD: &str = "vestibule-dashboard";
const SCOPE: &str = "openid read:users update:users create:users delete:users read:sessions delete:sessions";

/// The dashboard, as its own scripts know it: a public client with one callback.
fn dashboard(server: &Server) -> App {
    let home = format!("{}manage/", server.wire.issuer());
    App::of(
        &server.wire,
        &json!({ "client_id": DASHBOARD, "callbacks": [home], "allowed_logout_urls": [home] }),
    )
}

/// The administrator that the first start made.
fn administrator(server: &Server) -> User {
    let file = std::fs::read_to_string(server.data("admin.json")).unwrap();
    let file: Value = serde_json::from_str(&file).unwrap();
    let text = |name: &str| file[name].as_str().unwrap().to_owned();
    User { id: text("admin_user_id"), email: text("admin_email"), password: text("admin_password") }
}

fn url_for(server: &Server, app: &App, scope: &str) -> String {
    app.request().with("audience", &server.wire.management_audience()).with("scope", scope).url()
}

async fn sign_in(server: &Server, app: &App, user: &User, scope: &str) -> SignedIn {
    app.redeem(&server.browser().sign_in_at(&url_for(server, app, scope), user).await).await
}

/// The scopes in an access token that have to do with an API.
async fn api_scopes(server: &Server, app: &App, signed_in: &SignedIn) -> Vec<String> {
    let claims = app.claims_of(signed_in.access_token(), Some(&server.wire.management_audience())).await;
    let scope = claims.get("scope").and_then(Value::as_str).unwrap_or_default();
    scope.split(' ').filter(|scope| scope.contains(':')).map(str::to_owned).collect()
}

async fn call(
    server: &Server,
    token: &str,
    method: reqwest::Method,
    path: &str,
    body: Option<Value>,
) -> Reply {
    let request =
        server.wire.http.request(method, format!("{}/api/v2/{path}", server.wire.url)).bearer_auth(token);
    Reply::to(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

async fn status(server: &Server, signed_in: &SignedIn) -> u16 {
    call(server, signed_in.access_token(), reqwest::Method::GET, "users", None).await.status
}

on_every_store! {
    async fn an_administrator_at_the_dashboard_gets_what_was_asked_for_and_no_more(server) {
        let (app, admin) = (dashboard(server), administrator(server));
        let asked = "openid read:sessions read:users read:anything update:orders offline_access";
        let signed_in = sign_in(server, &app, &admin, asked).await;
        assert_eq!(api_scopes(server, &app, &signed_in).await, ["read:sessions", "read:users"]);
        assert_eq!(signed_in.tokens["expires_in"], 900);
        assert_eq!(signed_in.tokens["refresh_token"], Value::Null);
        assert_eq!(status(server, &signed_in).await, 200);
        let refused = call(server, signed_in.access_token(), reqwest::Method::GET, "clients", None).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
        server.advance_ms(901_000);
        assert_eq!(status(server, &signed_in).await, 401);
    }

    async fn an_administrators_change_is_recorded_as_theirs(server) {
        let (app, admin) = (dashboard(server), administrator(server));
        let signed_in = sign_in(server, &app, &admin, SCOPE).await;
        let body = json!({ "connection": "Username-Password-Authentication", "email": "new@example.com", "password": "correct horse battery" });
        call(server, signed_in.access_token(), reqwest::Method::POST, "users", Some(body)).await.expect(201);
        let events = server.api().logs("sapi").await;
        let event = events.iter().find(|event| event["description"] == "Create a User").unwrap();
        assert!(event.to_string().contains(&admin.id) && event.to_string().contains(DASHBOARD), "{event}");
    }

    async fn nobody_else_gets_a_scope_at_the_dashboard(server) {
        let (app, user) = (dashboard(server), server.user("ann@example.com").await);
        let signed_in = sign_in(server, &app, &user, SCOPE).await;
        assert!(api_scopes(server, &app, &signed_in).await.is_empty());
        assert_eq!(status(server, &signed_in).await, 403);
        // Nor with what a user or the tenant's systems may write about them.
        let body = json!({ "app_metadata": { "administrator": true, "roles": ["admin"] }, "name": "Administrator" });
        server.api().patch(&format!("users/{}", user.path_id()), &body).await.expect(200);
        assert_eq!(status(server, &sign_in(server, &app, &user, SCOPE).await).await, 403);
    }

    async fn an_administrator_gets_no_scope_at_another_application(server) {
        let admin = administrator(server);
        for (name, more) in [("Shop", json!({})), ("Page", json!({ "app_type": "spa", "token_endpoint_auth_method": "none" }))] {
            let mut app = server.app_with(name, more).await;
            if name == "Page" {
                app = app.with_secret("");
            }
            let signed_in = sign_in(server, &app, &admin, SCOPE).await;
            assert!(api_scopes(server, &app, &signed_in).await.is_empty(), "{name}");
            assert_eq!(status(server, &signed_in).await, 403, "{name}");
        }
    }

    async fn an_action_can_take_scopes_away_but_give_none_and_make_nobody_an_administrator(server) {
        let (app, admin) = (dashboard(server), administrator(server));
        let (shop, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        server.api().bind(&[("Adds", r#"exports.onExecutePostLogin = async (event, api) => {
            api.accessToken.addScope("update:users");
            api.accessToken.addScope("read:clients");
            api.accessToken.removeScope("delete:users");
            api.accessToken.setCustomClaim("scope", "delete:clients");
            api.accessToken.setCustomClaim("azp", "vestibule-dashboard");
        };"#)]).await;
        let signed_in = sign_in(server, &app, &admin, "openid read:users delete:users").await;
        assert_eq!(api_scopes(server, &app, &signed_in).await, ["read:users"]);
        for (app, user) in [(&app, &user), (&shop, &user), (&shop, &admin)] {
            let signed_in = sign_in(server, app, user, "openid read:users").await;
            assert!(api_scopes(server, app, &signed_in).await.is_empty());
            assert_eq!(status(server, &signed_in).await, 403);
        }
        let becomes = format!(
            "exports.onExecutePostLogin = async (event, api) => api.authentication.setPrimaryUser('{}');", admin.id
        );
        server.api().bind(&[("Becomes", &becomes)]).await;
        for app in [&app, &shop] {
            let callback = server.browser().sign_in_at(&url_for(server, app, SCOPE), &user).await;
            let text = format!("The user {} is an administrator, and an Action makes nobody one", admin.id);
            callback.expect_error("access_denied", &text);
        }
    }

    async fn the_token_ends_with_the_session(server) {
        let (app, admin) = (dashboard(server), administrator(server));
        let (first, second) = (sign_in(server, &app, &admin, SCOPE).await, sign_in(server, &app, &admin, SCOPE).await);
        server.api().delete(&format!("sessions/{}", first.sid)).await.expect(202);
        assert_eq!((status(server, &first).await, status(server, &second).await), (403, 200));
        server.api().delete(&format!("users/{}/sessions", admin.path_id())).await.expect(202);
        assert_eq!(status(server, &second).await, 403);
        let browser = server.browser();
        let third = app.redeem(&browser.sign_in_at(&url_for(server, &app, SCOPE), &admin).await).await;
        app.sign_out(&browser, &third.id_token).await.expect(302);
        assert_eq!(status(server, &third).await, 403);
    }

    async fn the_token_ends_with_the_administrator(server) {
        let (app, admin) = (dashboard(server), administrator(server));
        let signed_in = sign_in(server, &app, &admin, SCOPE).await;
        let path = format!("users/{}", admin.path_id());
        server.api().patch(&path, &json!({ "blocked": true })).await.expect(200);
        assert_eq!(status(server, &signed_in).await, 403);
        server.api().patch(&path, &json!({ "blocked": false })).await.expect(200);
        let signed_in = sign_in(server, &app, &admin, SCOPE).await;
        assert_eq!(status(server, &signed_in).await, 200);
        server.api().delete(&path).await.expect(204);
        assert_eq!(status(server, &signed_in).await, 403);
    }

    async fn who_may_change_users_may_not_change_or_replace_an_administrator(server) {
        let (app, admin) = (dashboard(server), administrator(server));
        let partner = server.api_with(&["read:users", "update:users", "create:users", "delete:users", "update:users_app_metadata"]).await;
        let path = format!("users/{}", admin.path_id());
        for body in [json!({ "password": "another good password" }), json!({ "email": "me@example.com" }), json!({ "app_metadata": {} })] {
            let reply = partner.patch(&path, &body).await;
            assert_eq!((reply.status, reply.json()["errorCode"].clone()), (403, json!("insufficient_scope")), "{}", reply.text);
        }
        assert_eq!(partner.delete(&path).await.status, 403);
        // Nothing changed: the password is good, and nobody was signed out.
        let signed_in = sign_in(server, &app, &admin, SCOPE).await;
        assert_eq!(status(server, &signed_in).await, 200);
        let token = signed_in.access_token();
        call(server, token, reqwest::Method::PATCH, &path, Some(json!({ "name": "Ada" }))).await.expect(200);

        server.api().delete(&path).await.expect(204);
        let body = json!({
            "connection": "Username-Password-Authentication",
            "user_id": admin.id.strip_prefix("auth0|").unwrap(),
            "email": "me@example.com",
            "password": "another good password",
        });
        assert_eq!(partner.post("users", &body).await.status, 403);
        assert_eq!(server.api().get(&path).await.status, 404);
        server.api().post("users", &body).await.expect(201);
    }

    async fn the_dashboards_client_is_nobodys_to_see_or_change(server) {
        let path = format!("clients/{DASHBOARD}");
        let all = server.api().get("clients?per_page=100").await.expect(200);
        assert!(!all.text.contains(DASHBOARD), "{}", all.text);
        assert_eq!(server.api().get(&path).await.status, 404);
        let elsewhere = json!({ "callbacks": ["https://elsewhere.test/"] });
        assert_eq!(server.api().patch(&path, &elsewhere).await.status, 404);
        assert_eq!(server.api().post_nothing(&format!("{path}/rotate-secret")).await.status, 404);
        server.api().delete(&path).await.expect(204);
        let (app, admin) = (dashboard(server), administrator(server));
        assert_eq!(status(server, &sign_in(server, &app, &admin, SCOPE).await).await, 200);
        let elsewhere = app.request().with("redirect_uri", "https://elsewhere.test/").url();
        let page = server.browser().get_once(&elsewhere).await;
        assert!(page.status >= 400 && page.text.contains("redirect_uri"), "{} {}", page.status, page.text);
        let callback = server.browser().pass_through(&app.request().without("code_challenge").without("code_challenge_method").url()).await;
        assert_eq!(callback.get("error"), "invalid_request");
        let robot = app.token(&[("grant_type", "client_credentials"), ("audience", &server.wire.management_audience())]).await;
        assert!(robot.status >= 400, "{}", robot.text);
    }

    #[with("server.administrators" = "auth0|second")]
    async fn the_operator_names_further_administrators(server) {
        let app = dashboard(server);
        let second = server.user_with("second@example.com", json!({ "user_id": "second" })).await;
        assert_eq!(second.id, "auth0|second");
        assert_eq!(status(server, &sign_in(server, &app, &second, SCOPE).await).await, 200);
        let third = server.user_with("third@example.com", json!({ "user_id": "second2" })).await;
        assert_eq!(status(server, &sign_in(server, &app, &third, SCOPE).await).await, 403);
    }

    async fn the_administrator_is_still_one_after_a_restart(server) {
        server.restart().await;
        let (app, admin) = (dashboard(server), administrator(server));
        assert_eq!(status(server, &sign_in(server, &app, &admin, SCOPE).await).await, 200);
    }
}

//! Who gets into an organization: by its own connections, as a member or becoming one, with applications it admits.
//!
//! Auth0: manage users › organizations › define organization behavior.

use serde_json::{Value, json};
use suite::browser::the_form;
use suite::provider::Provider;
use suite::{App, Server, Webhook, on_every_store};

/// An organization with these connections; answers its identifier.
async fn organization(server: &Server, connections: Value) -> String {
    let body = json!({ "name": "acme", "enabled_connections": connections });
    let made = server.api().post("organizations", &body).await.expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

fn request(app: &App, organization: &str) -> String {
    app.request().with("organization", organization).url()
}

async fn members(server: &Server, id: &str) -> usize {
    let listed = server.api().get(&format!("organizations/{id}/members")).await.expect(200).json();
    listed.as_array().unwrap().len()
}

on_every_store! {
    async fn who_signs_in_by_a_connection_that_makes_members_becomes_one(server) {
        let (app, ann, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let connection_id = server.api().connection_id().await;
        let id = organization(server, json!([{ "connection_id": connection_id, "assign_membership_on_login": true }])).await;
        let wrong = browser.get(&request(&app, &id)).await;
        browser.enter(&wrong, &ann.email, "wrong").await.expect_page(400, "Wrong");
        assert_eq!(members(server, &id).await, 0);
        let signed_in = app.redeem(&browser.sign_in_at(&request(&app, &id), &ann).await).await;
        assert_eq!((&signed_in.claims["org_id"], members(server, &id).await), (&json!(id), 1));
        assert_eq!(server.api().only_log("s").await["description"], "The user became a member of the organization");

        // A member stays one, and single sign-on goes on.
        let path = format!("organizations/{id}/enabled_connections/{connection_id}");
        server.api().patch(&path, &json!({ "assign_membership_on_login": false })).await.expect(200);
        browser.pass_through(&app.request().with("organization", &id).with("prompt", "none").url()).await.code();
        let bob = server.user("bob@example.com").await;
        let refused = server.browser().sign_in_at(&request(&app, &id), &bob).await;
        refused.expect_error("access_denied", &format!("user {} is not part of the {id} organization", bob.id));
        assert_eq!(members(server, &id).await, 1);
    }

    async fn single_sign_on_makes_members_too_where_the_connection_does(server) {
        let (app, user, browser, _) = server.someone_signed_in().await;
        let connection_id = server.api().connection_id().await;
        let id = organization(server, json!([{ "connection_id": connection_id, "assign_membership_on_login": true }])).await;
        let signed_in = app.redeem(&browser.pass_through(&request(&app, &id)).await).await;
        assert_eq!(signed_in.claims["org_id"], id);
        let own = server.api().get(&format!("users/{}/organizations", user.path_id())).await.expect(200).json();
        assert_eq!(own[0]["id"], id);
    }

    async fn only_the_organizations_connections_let_people_in(server) {
        let (app, ann, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        app.sign_in(&browser, &ann).await;
        let id = organization(server, json!([])).await;
        let none = format!("no connections are enabled for the organization {id}");
        browser.pass_through(&request(&app, &id)).await.expect_error("invalid_request", &none);

        let staff = json!({ "name": "staff", "strategy": "auth0" });
        let staff = server.api().post("connections", &staff).await.expect(201).json()["id"].as_str().unwrap().to_owned();
        let path = format!("organizations/{id}/enabled_connections");
        let body = json!({ "connection_id": staff, "assign_membership_on_login": true });
        server.api().post(&path, &body).await.expect(201);
        // Ann is signed in, but not from there.
        let silent = app.request().with("organization", &id).with("prompt", "none").url();
        browser.pass_through(&silent).await.expect_error("login_required", "Login required");
        let page = browser.get(&request(&app, &id)).await;
        browser.enter(&page, &ann.email, &ann.password).await.expect_page(400, "Wrong email or password.");
        let named = app.request().with("organization", &id).with("connection", "Username-Password-Authentication").url();
        let shut = format!("the connection Username-Password-Authentication is not enabled for the organization {id}");
        browser.pass_through(&named).await.expect_error("invalid_request", &shut);
        let new = json!({ "connection": "staff", "email": "sue@acme.example", "password": ann.password });
        server.api().post("users", &new).await.expect(201);
        let done = browser.enter(&page, "sue@acme.example", &ann.password).await;
        assert_eq!(app.redeem(&browser.callback(&done)).await.claims["org_id"], id);
    }

    async fn a_connection_that_is_taken_away_lets_nobody_in_who_is_on_the_page(server) {
        let (app, ann, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let id = server.api().organization("acme", "Acme", &ann).await;
        let page = browser.get(&request(&app, &id)).await;
        let connection_id = server.api().connection_id().await;
        let one = format!("organizations/{id}/connections/{connection_id}");
        server.api().patch(&one, &json!({ "is_enabled": false })).await.expect(200);
        let late = browser.enter(&page, &ann.email, &ann.password).await;
        late.expect_page(400, "no connections are enabled");
        server.api().patch(&one, &json!({ "is_enabled": true })).await.expect(200);
        browser.callback(&browser.enter(&page, &ann.email, &ann.password).await).code();
    }

    async fn who_is_put_out_while_an_action_runs_does_not_get_in(server) {
        let (app, ann) = (server.app("Shop").await, server.user("ann@example.com").await);
        let id = server.api().organization("acme", "Acme", &ann).await;
        let connection_id = server.api().connection_id().await;
        let (members, connections) = (format!("organizations/{id}/members"), format!("organizations/{id}/connections"));
        let stranger = format!("user {} is not part of the {id} organization", ann.id);
        let shut = format!("the connection Username-Password-Authentication is not enabled for the organization {id}");
        let (off, on) = (json!({ "is_enabled": false }), json!({ "is_enabled": true }));
        let (ours, one) = (json!({ "members": [ann.id] }), format!("{connections}/{connection_id}"));
        let (delete, post, patch) = (reqwest::Method::DELETE, reqwest::Method::POST, reqwest::Method::PATCH);
        for (out, back, code, text) in [
            ((&delete, &members, &ours), (&post, &members, &ours), "access_denied", &stranger),
            ((&patch, &one, &off), (&patch, &one, &on), "invalid_request", &shut),
        ] {
            let (hook, browser) = (Webhook::hanging().await, server.browser());
            server.api().on_post_login(&hook.post("{}")).await;
            let page = browser.get(&request(&app, &id)).await;
            let (reply, ()) = tokio::join!(browser.enter(&page, &ann.email, &ann.password), async {
                hook.nth(1).await;
                let (method, path, body) = out;
                assert!(server.api().call(method.clone(), path, Some(body)).await.status < 300);
                hook.answer_all();
            });
            browser.callback(&reply).expect_error(code, text);
            assert_eq!(browser.cookie(suite::browser::SESSION_COOKIE), None);
            let (method, path, body) = back;
            assert!(server.api().call(method.clone(), path, Some(body)).await.status < 300);
        }
        server.api().unbind_all().await;
        server.browser().sign_in_at(&request(&app, &id), &ann).await.code();
        let sessions = server.api().get(&format!("users/{}/sessions", ann.path_id())).await.expect(200).json();
        assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1, "{sessions}");
    }

    async fn people_sign_themselves_up_where_they_become_members(server) {
        let (app, browser) = (server.app("Shop").await, server.browser());
        let connection_id = server.api().connection_id().await;
        let id = organization(server, json!([{ "connection_id": connection_id, "is_signup_enabled": true }])).await;
        let url = app.request().with("organization", &id).with("screen_hint", "signup").url();
        let sign_up = async |email: &str| {
            let page = browser.get(&url).await;
            let mut form = the_form(&page);
            form.set("email", email);
            form.set("password", "long enough 1");
            browser.submit(&page, &form).await
        };
        sign_up("new@example.com").await.expect_page(400, "Sign-up is closed.");
        let one = format!("organizations/{id}/enabled_connections/{connection_id}");
        server.api().patch(&one, &json!({ "assign_membership_on_login": true })).await.expect(200);
        let signed_in = app.redeem(&browser.callback(&sign_up("new@example.com").await)).await;
        assert_eq!((&signed_in.claims["org_id"], members(server, &id).await), (&json!(id), 1));
    }

    async fn a_client_says_whether_it_is_for_organizations(server) {
        let ann = server.user("ann@example.com").await;
        let id = server.api().organization("acme", "Acme", &ann).await;
        let denies = server.app_with("Denies", json!({ "organization_usage": "deny" })).await;
        let denied = server.browser().pass_through(&request(&denies, &id)).await;
        denied.expect_error("invalid_request", "parameter organization is not allowed for this client");
        let requires = server.app_with("Requires", json!({ "organization_usage": "require" })).await;
        let missing = server.browser().pass_through(&requires.request().url()).await;
        missing.expect_error("invalid_request", "parameter organization is required for this client");
        let signed_in = requires.redeem(&server.browser().sign_in_at(&request(&requires, "acme"), &ann).await).await;
        assert_eq!(signed_in.claims["org_id"], id);
        let unknown = server.browser().pass_through(&request(&requires, "nowhere")).await;
        unknown.expect_error("invalid_request", "parameter organization is invalid: nowhere");
        let bad = json!({ "name": "x", "organization_usage": "sometimes" });
        assert_eq!(server.api().post("clients", &bad).await.status, 400);
    }

    async fn a_page_asks_for_the_organization_where_the_client_says_so(server) {
        let ann = server.user("ann@example.com").await;
        let id = server.api().organization("acme", "Acme", &ann).await;
        let asks = json!({ "organization_usage": "require", "organization_require_behavior": "pre_login_prompt" });
        let (app, browser) = (server.app_with("Asks", asks).await, server.browser());
        let page = browser.get(&app.request().with("screen_hint", "signup").url()).await;
        page.expect_page(200, "Name of your organization");
        let name = async |page: &suite::Reply, name: &str| {
            let mut form = the_form(page);
            form.set("organization", name);
            browser.submit(page, &form).await
        };
        for wrong in ["nowhere", "", " "] {
            name(&page, wrong).await.expect_page(400, "We could not find this organization for the application.");
        }
        // Nobody gets around the page.
        let login = page.url.as_str().replace("/u/organization", "/u/login");
        browser.get(&login).await.expect_page(400, "parameter organization is required for this client");
        server.browser().get(page.url.as_str()).await.expect_page(400, "another browser");
        let page = browser.get(&app.request().url()).await;
        let login = name(&page, "acme").await;
        let signed_in = app.redeem(&browser.callback(&browser.enter(&login, &ann.email, &ann.password).await)).await;
        assert_eq!(signed_in.claims["org_id"], id);
        name(&page, "acme").await.expect_page(400, "over");

        // Who is signed in is asked for the name only; a client that wants no page hears what is missing.
        let page = browser.get(&app.request().url()).await;
        let again = app.redeem(&browser.callback(&name(&page, "acme").await)).await;
        assert_eq!((&again.sid, &again.claims["org_id"]), (&signed_in.sid, &json!(id)));
        let missing = "parameter organization is required for this client";
        browser.pass_through(&app.silent()).await.expect_error("invalid_request", missing);
        let path = format!("clients/{}", app.id);
        server.api().patch(&path, &json!({ "organization_require_behavior": "no_prompt" })).await.expect(200);
        browser.pass_through(&app.request().url()).await.expect_error("invalid_request", missing);
        let bad = json!({ "organization_require_behavior": "ask" });
        assert_eq!(server.api().patch(&path, &bad).await.status, 400);
    }

    async fn an_organization_says_which_applications_its_members_may_use(server) {
        let (ann, shop, other) = (server.user("ann@example.com").await, server.app("Shop").await, server.app("Other").await);
        let id = server.api().organization("acme", "Acme", &ann).await;
        let clients = json!({ "clients": [{ "client_id": shop.id, "use_for_member_access": true }] });
        server.api().post(&format!("organizations/{id}/clients"), &clients).await.expect(201);
        server.browser().sign_in_at(&request(&other, &id), &ann).await.code();
        server.api().patch(&format!("organizations/{id}"), &json!({ "is_app_entitlement_active": true })).await.expect(200);
        let refused = server.browser().pass_through(&request(&other, &id)).await;
        refused.expect_error("access_denied", &format!("the client {} has no access to the organization {id}", other.id));
        server.browser().sign_in_at(&request(&shop, &id), &ann).await.code();
    }

    async fn who_leaves_an_organization_gets_no_more_tokens_for_it(server) {
        let (app, ann, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let id = server.api().organization("acme", "Acme", &ann).await;
        let url = app.request().with("organization", &id).with("scope", "openid offline_access").url();
        let signed_in = app.redeem(&browser.sign_in_at(&url, &ann).await).await;
        let refresh_token = signed_in.tokens["refresh_token"].as_str().unwrap();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        app.token(&fields).await.expect(200);
        let path = format!("organizations/{id}/members");
        server.api().call(reqwest::Method::DELETE, &path, Some(&json!({ "members": [ann.id] }))).await.expect(204);
        let said = app.token(&fields).await.expect_oauth_error(403, "invalid_grant");
        assert_eq!(said, format!("user {} is not part of the {id} organization", ann.id));
        let silent = app.request().with("organization", &id).with("prompt", "none").url();
        assert_eq!(browser.pass_through(&silent).await.get("error"), "access_denied");
        server.api().post(&path, &json!({ "members": [ann.id] })).await.expect(204);
        app.token(&fields).await.expect(200);
        server.api().delete(&format!("organizations/{id}")).await.expect(204);
        app.token(&fields).await.expect_oauth_error(403, "invalid_grant");
    }

    async fn the_sign_in_page_has_buttons_for_the_organizations_providers_only(server) {
        let (app, provider) = (server.app("Shop").await, Provider::of(server).await);
        let partner = provider.connect(server, &[&app], json!({})).await["id"].as_str().unwrap().to_owned();
        let ann = server.user("ann@example.com").await;
        let id = server.api().organization("acme", "Acme", &ann).await;
        let shows = async |expected: bool| {
            let page = server.browser().get(&request(&app, &id)).await.expect(200);
            assert_eq!(page.text.contains("Partner Inc."), expected, "{}", page.text);
        };
        shows(false).await;
        let path = format!("organizations/{id}/enabled_connections");
        let signup = json!({ "connection_id": partner, "is_signup_enabled": true });
        server.api().post(&path, &signup).await.expect(400);
        server.api().post(&path, &json!({ "connection_id": partner, "show_as_button": false })).await.expect(201);
        shows(false).await;
        let one = format!("{path}/{partner}");
        let changed = json!({ "show_as_button": true, "assign_membership_on_login": true });
        assert!(server.api().patch(&one, &changed).await.expect(200).json().get("is_signup_enabled").is_none());
        shows(true).await;
        let url = app.request().with("organization", &id).with("connection", suite::provider::CONNECTION).url();
        let (ours, theirs) = (server.browser(), provider.server.browser());
        let signed_in = app.redeem(&provider.pass(&ours, &theirs, &url).await).await;
        assert_eq!((&signed_in.claims["org_id"], members(server, &id).await), (&json!(id), 2));

        // Taken away while the user is there.
        let (ours, theirs) = (server.browser(), provider.server.browser());
        let page = ours.get(&request(&app, &id)).await;
        let mut form = suite::form::Form::with_action(&page.text, "/u/login/connection").expect("the button's form");
        form.set("connection", suite::provider::CONNECTION);
        let back = provider.sign_in(&theirs, &ours.submit(&page, &form).await).await;
        server.api().delete(&one).await.expect(204);
        let refused = ours.callback(&ours.get(back.location().unwrap().as_str()).await);
        refused.expect_error("invalid_request", &format!("the connection partner is not enabled for the organization {id}"));
        provider.stop().await;
    }
}

//! Somebody is invited to an organization, and comes.
//!
//! Auth0: manage users › organizations › invite members.

use serde_json::{Value, json};
use suite::browser::the_form;
use suite::{App, Browser, Reply, Server, on_every_store};

/// An application, an organization that nobody belongs to, and an invitation for an address; answers the application, the
/// organization, and where the invited one begins.
async fn invited(server: &Server, email: &str, more: Value) -> (App, String, String) {
    let app = server.app_with("Shop", json!({ "initiate_login_uri": "https://shop.test/login" })).await;
    let connection_id = server.api().connection_id().await;
    let body = json!({ "name": "acme", "enabled_connections": [{ "connection_id": connection_id }] });
    let made = server.api().post("organizations", &body).await.expect(201).json();
    let id = made["id"].as_str().unwrap().to_owned();
    let url = invite(server, &app, &id, email, more).await;
    (app, id, url)
}

/// What the application does with the URL of an invitation.
async fn invite(server: &Server, app: &App, id: &str, email: &str, more: Value) -> String {
    let mut body =
        json!({ "inviter": { "name": "Ann" }, "invitee": { "email": email }, "client_id": app.id });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = server.api().post(&format!("organizations/{id}/invitations"), &body).await.expect(200).json();
    let ticket = made["ticket_id"].as_str().unwrap();
    app.request().with("organization", id).with("invitation", ticket).url()
}

async fn sign_up(browser: &Browser, page: &Reply, email: &str) -> Reply {
    let mut form = the_form(page);
    form.set("email", email);
    form.set("password", "long enough 1");
    browser.submit(page, &form).await
}

async fn count(server: &Server, id: &str, what: &str) -> usize {
    let listed = server.api().get(&format!("organizations/{id}/{what}")).await.expect(200).json();
    listed.as_array().unwrap().len()
}

on_every_store! {
    async fn who_is_invited_signs_up_and_is_a_member(server) {
        let more = json!({ "user_metadata": { "team": "blue" }, "app_metadata": { "plan": "gold" } });
        let (app, id, url) = invited(server, "Bob@acme.example", more).await;
        let browser = server.browser();
        let page = browser.get(&url).await;
        page.expect_page(200, "Create an account");
        assert_eq!(the_form(&page).get("email"), Some("Bob@acme.example"));
        sign_up(&browser, &page, "eve@acme.example").await.expect_page(400, "The invitation is for another address.");
        let signed_in = app.redeem(&browser.callback(&sign_up(&browser, &page, "bob@acme.example").await)).await;
        assert_eq!((&signed_in.claims["org_id"], count(server, &id, "members").await), (&json!(id), 1));
        assert_eq!(count(server, &id, "invitations").await, 0);
        let sub = signed_in.claims["sub"].as_str().unwrap().replace('|', "%7C");
        let user = server.api().get(&format!("users/{sub}")).await.expect(200).json();
        assert_eq!((&user["user_metadata"], &user["app_metadata"]), (&json!({ "team": "blue" }), &json!({ "plan": "gold" })));
        assert_eq!(user["email_verified"], false, "nobody has looked whether mail arrives there");
        let again = server.browser().pass_through(&url).await;
        again.expect_error("invalid_request", "invitation not found or already used");
    }

    async fn who_is_a_user_already_signs_in_and_is_a_member(server) {
        let (bob, eve) = (server.user("bob@acme.example").await, server.user("eve@acme.example").await);
        let (app, id, url) = invited(server, "BOB@acme.example", json!({})).await;
        // Whoever is signed in says anew who they are.
        let browser = server.browser();
        app.sign_in(&browser, &eve).await;
        let page = browser.get(&url).await;
        page.expect_page(200, "type=\"password\"");
        assert_eq!(the_form(&page).get("username"), Some("BOB@acme.example"));
        let refused = browser.callback(&browser.enter(&page, &eve.email, &eve.password).await);
        refused.expect_error("access_denied", "the invitation is for another address");
        assert_eq!((count(server, &id, "members").await, count(server, &id, "invitations").await), (0, 1));
        let signed_in = app.redeem(&browser.sign_in_at(&url, &bob).await).await;
        assert_eq!((&signed_in.claims["org_id"], &signed_in.claims["sub"]), (&json!(id), &json!(bob.id)));
        assert_eq!((count(server, &id, "members").await, count(server, &id, "invitations").await), (1, 0));
        // A member needs no invitation, and one is spent all the same.
        let url = invite(server, &app, &id, &bob.email, json!({})).await;
        browser.sign_in_at(&url, &bob).await.code();
        assert_eq!((count(server, &id, "members").await, count(server, &id, "invitations").await), (1, 0));
    }

    async fn an_invitation_gives_its_roles_to_new_members_and_to_those_who_are_there(server) {
        let mut roles = Vec::new();
        for name in ["Chief", "Clerk"] {
            let made = server.api().post("roles", &json!({ "name": name })).await.expect(200).json();
            roles.push(made["id"].clone());
        }
        let bob = server.user("bob@acme.example").await;
        let (app, id, url) = invited(server, &bob.email, json!({ "roles": [roles[1]] })).await;
        let listed = server.api().get(&format!("organizations/{id}/invitations")).await.expect(200).json();
        assert_eq!(listed[0]["roles"], json!([roles[1]]));
        app.redeem(&server.browser().sign_in_at(&url, &bob).await).await;
        let path = format!("organizations/{id}/members/{}/roles", bob.path_id());
        let names = async || -> Vec<Value> {
            let held = server.api().get(&path).await.expect(200).json();
            held.as_array().unwrap().iter().map(|role| role["name"].clone()).collect()
        };
        assert_eq!(names().await, ["Clerk"]);
        let url = invite(server, &app, &id, &bob.email, json!({ "roles": roles })).await;
        app.redeem(&server.browser().sign_in_at(&url, &bob).await).await;
        assert_eq!(names().await, ["Chief", "Clerk"]);
        let body = json!({ "inviter": { "name": "Ann" }, "invitee": { "email": bob.email }, "client_id": app.id, "roles": ["rol_none"] });
        server.api().post(&format!("organizations/{id}/invitations"), &body).await.expect(404);
    }

    async fn an_invitation_that_is_over_lets_nobody_in(server) {
        let bob = server.user("bob@acme.example").await;
        let (app, id, url) = invited(server, &bob.email, json!({ "ttl_sec": 600 })).await;
        let spent = "invitation not found or already used";
        let forged = app.request().with("organization", &id).with("invitation", "forged").url();
        server.browser().pass_through(&forged).await.expect_error("invalid_request", spent);
        let alone = app.request().with("invitation", "x").url();
        let missing = server.browser().pass_through(&alone).await;
        missing.expect_error("invalid_request", "parameter organization is required with an invitation");
        let other = server.api().organization("other", "Other", &bob).await;
        let ticket = url.split("invitation=").nth(1).unwrap().split('&').next().unwrap();
        let elsewhere = app.request().with("organization", &other).with("invitation", ticket).url();
        server.browser().pass_through(&elsewhere).await.expect_error("invalid_request", spent);

        // Taken back, or over, while the page is open.
        let browser = server.browser();
        let page = browser.get(&url).await;
        let listed = server.api().get(&format!("organizations/{id}/invitations")).await.expect(200).json();
        let path = format!("organizations/{id}/invitations/{}", listed[0]["id"].as_str().unwrap());
        server.api().delete(&path).await.expect(204);
        browser.enter(&page, &bob.email, &bob.password).await.expect_page(400, spent);
        let url = invite(server, &app, &id, &bob.email, json!({ "ttl_sec": 600 })).await;
        server.advance_minutes(11);
        server.browser().pass_through(&url).await.expect_error("invalid_request", spent);
        assert_eq!(count(server, &id, "members").await, 0);
    }

    async fn an_invitation_may_be_for_one_connection(server) {
        let bob = server.user("bob@acme.example").await;
        let (app, id, _) = invited(server, "x@acme.example", json!({})).await;
        let staff = server.api().post("connections", &json!({ "name": "staff", "strategy": "auth0" })).await.expect(201).json();
        let staff = staff["id"].as_str().unwrap();
        let path = format!("organizations/{id}/connections");
        server.api().post(&path, &json!({ "connection_id": staff })).await.expect(201);
        let url = invite(server, &app, &id, &bob.email, json!({ "connection_id": staff })).await;
        let browser = server.browser();
        let page = browser.get(&url).await;
        page.expect_page(200, "Create an account");
        let signed_in = app.redeem(&browser.callback(&sign_up(&browser, &page, &bob.email).await)).await;
        assert_ne!(signed_in.claims["sub"], bob.id.as_str(), "another account of the same address");
        let url = invite(server, &app, &id, &bob.email, json!({ "connection_id": staff })).await;
        server.api().delete(&format!("{path}/{staff}")).await.expect(204);
        let none = format!("no connections are enabled for the organization {id}");
        server.browser().pass_through(&url).await.expect_error("invalid_request", &none);
    }

    async fn an_invitation_is_accepted_once_where_actions_send_the_browser_away(server) {
        server.api().on_post_login(r#"if (!event.request.query.session_token) { api.redirect.sendUserTo("https://tenant.test/page"); }"#).await;
        let bob = server.user("bob@acme.example").await;
        let (app, id, url) = invited(server, &bob.email, json!({})).await;
        let (first, second) = (server.browser(), server.browser());
        let away = async |browser: &Browser| {
            let page = browser.get(&url).await;
            let sent = browser.enter(&page, &bob.email, &bob.password).await.location().unwrap();
            sent.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
        };
        let (one, two) = (away(&first).await, away(&second).await);
        assert_eq!(count(server, &id, "members").await, 0);
        server.api().unbind_all().await;
        let done = first.pass_through(&format!("/continue?state={one}")).await;
        assert_eq!(app.redeem(&done).await.claims["org_id"], id);
        let late = second.pass_through(&format!("/continue?state={two}")).await;
        late.expect_error("invalid_request", "invitation not found or already used");
    }
}

//! What a user may do, in access tokens and for Actions.

use serde_json::{Value, json};
use suite::{App, Server, SignedIn, User, on_every_store};

const API: &str = "https://orders.test/";

struct World {
    app: App,
    user: User,
    api: String,
    role: String,
}

/// An API that enforces permissions, and a user who may read by a role.
async fn world(server: &Server, dialect: &str) -> World {
    let body = json!({
        "name": "Orders", "identifier": API, "scopes": [{ "value": "read" }, { "value": "write" }],
        "allow_offline_access": true, "enforce_policies": true, "token_dialect": dialect,
    });
    let api = server.api().post("resource-servers", &body).await.expect(201).json();
    let role = server.api().post("roles", &json!({ "name": "Clerk" })).await.expect(200).json();
    let (api, role) = (api["id"].as_str().unwrap().to_owned(), role["id"].as_str().unwrap().to_owned());
    let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
    server.api().post(&format!("roles/{role}/permissions"), &permissions(&["read"])).await.expect(201);
    server
        .api()
        .post(&format!("users/{}/roles", user.path_id()), &json!({ "roles": [role] }))
        .await
        .expect(204);
    World { app, user, api, role }
}

fn permissions(names: &[&str]) -> Value {
    let one = |name: &&str| json!({ "resource_server_identifier": API, "permission_name": name });
    json!({ "permissions": names.iter().map(one).collect::<Vec<_>>() })
}

impl World {
    async fn sign_in(&self, server: &Server, organization: Option<&str>) -> SignedIn {
        let mut request =
            self.app.request().with("audience", API).with("scope", "openid offline_access read write");
        if let Some(id) = organization {
            request = request.and("organization", id);
        }
        self.app.redeem(&server.browser().sign_in_at(&request.url(), &self.user).await).await
    }
}

async fn claims(server: &Server, token: &str) -> Value {
    json!(server.wire.keys().await.verify(token).expect("a good signature").claims)
}

on_every_store! {
    async fn a_token_carries_what_the_user_may_do_and_no_more(server) {
        let world = world(server, "access_token_authz").await;
        let signed_in = world.sign_in(server, None).await;
        let first = claims(server, signed_in.access_token()).await;
        assert_eq!((&first["scope"], &first["permissions"]), (&json!("openid offline_access read"), &json!(["read"])));

        // What is given and taken counts from the next token on.
        let own = format!("users/{}", world.user.path_id());
        server.api().post(&format!("{own}/permissions"), &permissions(&["write"])).await.expect(201);
        server.api().delete(&format!("roles/{}", world.role)).await.expect(200);
        let refreshed = world.app.refresh(signed_in.refresh_token()).await.expect(200).json();
        let second = claims(server, refreshed["access_token"].as_str().unwrap()).await;
        assert_eq!(second["permissions"], json!(["write"]));
        assert!(!second["scope"].as_str().unwrap().contains("read"), "{second}");
        let third = claims(server, world.sign_in(server, None).await.access_token()).await;
        assert_eq!((&third["scope"], &third["permissions"]), (&json!("openid offline_access write"), &json!(["write"])));

        // Without the rule, scopes are those that are asked for.
        let open = json!({ "enforce_policies": false });
        server.api().patch(&format!("resource-servers/{}", world.api), &open).await.expect(200);
        let fourth = claims(server, world.sign_in(server, None).await.access_token()).await;
        assert_eq!(fourth["scope"], "openid offline_access read write");
        assert!(fourth.get("permissions").is_none(), "{fourth}");
    }

    async fn only_the_profiles_with_permissions_tell_them_and_machines_have_them_by_their_grant(server) {
        let world = world(server, "rfc9068_profile_authz").await;
        let first = claims(server, world.sign_in(server, None).await.access_token()).await;
        assert_eq!((&first["permissions"], &first["client_id"]), (&json!(["read"]), &json!(world.app.id)));
        let plain = json!({ "token_dialect": "access_token" });
        let path = format!("resource-servers/{}", world.api);
        server.api().patch(&path, &plain).await.expect(200);
        let second = claims(server, world.sign_in(server, None).await.access_token()).await;
        assert!(second.get("permissions").is_none(), "{second}");
        assert_eq!(second["scope"], "openid offline_access read");

        server.api().patch(&path, &json!({ "token_dialect": "access_token_authz" })).await.expect(200);
        let (id, secret) = server.machine("Robot", API, &["write"]).await;
        let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret), ("audience", API)];
        let body = server.wire.post_form("/oauth/token", &fields).await.expect(200).json();
        let machine = claims(server, body["access_token"].as_str().unwrap()).await;
        assert_eq!((&machine["scope"], &machine["permissions"]), (&json!("write"), &json!(["write"])));
    }

    async fn a_role_in_an_organization_counts_there_only(server) {
        let world = world(server, "access_token_authz").await;
        let organization = server.api().organization("branch", "Branch", &world.user).await;
        let chief = server.api().post("roles", &json!({ "name": "Chief" })).await.expect(200).json();
        let chief = chief["id"].as_str().unwrap();
        server.api().post(&format!("roles/{chief}/permissions"), &permissions(&["write"])).await.expect(201);
        let path = format!("organizations/{organization}/members/{}/roles", world.user.path_id());
        server.api().post(&path, &json!({ "roles": [chief] })).await.expect(204);
        let inside = world.sign_in(server, Some(&organization)).await;
        assert_eq!(claims(server, inside.access_token()).await["permissions"], json!(["read", "write"]));
        let outside = world.sign_in(server, None).await;
        assert_eq!(claims(server, outside.access_token()).await["permissions"], json!(["read"]));
        let refreshed = world.app.refresh(inside.refresh_token()).await.expect(200).json();
        let refreshed = claims(server, refreshed["access_token"].as_str().unwrap()).await;
        assert_eq!(refreshed["permissions"], json!(["read", "write"]));
    }

    async fn actions_see_the_names_of_the_roles(server) {
        let world = world(server, "access_token").await;
        server.api().on_post_login("api.idToken.setCustomClaim('https://shop.test/roles', event.authorization.roles);").await;
        let signed_in = world.sign_in(server, None).await;
        assert_eq!(claims(server, &signed_in.id_token).await["https://shop.test/roles"], json!(["Clerk"]));
        let refreshed = world.app.refresh(signed_in.refresh_token()).await.expect(200).json();
        let refreshed = claims(server, refreshed["id_token"].as_str().unwrap()).await;
        assert_eq!(refreshed["https://shop.test/roles"], json!(["Clerk"]));
    }
}

//! `/api/v2/roles`, and the roles and permissions of users and of members of organizations.

use serde_json::{Value, json};
use suite::{Server, on_every_store};

const API: &str = "https://orders.test/";

async fn api_with_scopes(server: &Server) -> String {
    let body = json!({ "name": "Orders", "identifier": API, "scopes": [
        { "value": "read", "description": "Read orders" }, { "value": "write" },
    ] });
    let made = server.api().post("resource-servers", &body).await.expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

async fn role(server: &Server, name: &str) -> String {
    let made = server.api().post("roles", &json!({ "name": name })).await.expect(200).json();
    made["id"].as_str().unwrap().to_owned()
}

fn permissions(names: &[&str]) -> Value {
    let one = |name: &&str| json!({ "resource_server_identifier": API, "permission_name": name });
    json!({ "permissions": names.iter().map(one).collect::<Vec<_>>() })
}

/// One property of each item of a list.
async fn told(server: &Server, path: &str, property: &str) -> Vec<String> {
    let list = server.api().get(path).await.expect(200).json();
    list.as_array().unwrap().iter().map(|item| item[property].as_str().unwrap().to_owned()).collect()
}

on_every_store! {
    async fn a_role_is_made_read_changed_and_deleted(server) {
        let made = server.api().post("roles", &json!({ "name": "Clerk" })).await.expect(200).json();
        assert_eq!(made["description"], Value::Null);
        let path = format!("roles/{}", made["id"].as_str().unwrap());
        assert!(path.starts_with("roles/rol_") && path.len() == 26, "{path}");
        let read = server.api().get(&path).await.expect(200).json();
        assert_eq!(read, json!({ "id": made["id"], "name": "Clerk", "description": "" }));
        let changed = server.api().patch(&path, &json!({ "description": "Sells" })).await.expect(200).json();
        assert_eq!(changed, json!({ "id": made["id"], "name": "Clerk", "description": "Sells" }));
        server.api().post("roles", &json!({ "name": "Clerk" })).await.expect(409);
        let other = role(server, "Chief").await;
        server.api().patch(&format!("roles/{other}"), &json!({ "name": "Clerk" })).await.expect(409);
        assert_eq!(told(server, "roles", "name").await, ["Chief", "Clerk"]);
        assert_eq!(told(server, "roles?name_filter=cLE", "name").await, ["Clerk"]);
        let page = server.api().get("roles?per_page=1&page=1&include_totals=true").await.expect(200).json();
        assert_eq!((&page["total"], &page["start"], &page["roles"][0]["name"]), (&json!(2), &json!(1), &json!("Clerk")));
        server.api().delete(&path).await.expect(200);
        for reply in [server.api().get(&path).await, server.api().delete(&path).await, server.api().patch(&path, &json!({ "name": "x" })).await] {
            reply.expect_api_error(404, "Not Found", "The role does not exist.", "");
        }
        for body in [json!({}), json!({ "name": "" }), json!({ "name": 1 }), json!({ "name": "x", "other": 1 })] {
            server.api().post("roles", &body).await.expect(400);
        }
        assert_eq!(told(server, "roles", "name").await, ["Chief"]);
    }

    async fn a_user_has_permissions_directly_and_by_roles_and_each_tells_where_it_is_from(server) {
        api_with_scopes(server).await;
        let (user, clerk) = (server.user("ann@example.com").await, role(server, "Clerk").await);
        let own = format!("users/{}", user.path_id());
        server.api().post(&format!("roles/{clerk}/permissions"), &permissions(&["read", "write"])).await.expect(201);
        server.api().post(&format!("roles/{clerk}/users"), &json!({ "users": [user.id] })).await.expect(200);
        server.api().post(&format!("{own}/permissions"), &permissions(&["read"])).await.expect(201);
        assert_eq!(told(server, &format!("{own}/roles"), "name").await, ["Clerk"]);
        assert_eq!(told(server, &format!("roles/{clerk}/users"), "user_id").await, [user.id.as_str()]);
        let held = server.api().get(&format!("{own}/permissions")).await.expect(200).json();
        let by_role = json!({ "source_id": clerk, "source_name": "Clerk", "source_type": "ROLE" });
        let direct = json!({ "source_id": "", "source_name": "", "source_type": "DIRECT" });
        let named = |name: &str, description: &str, sources: Value| json!({
            "permission_name": name, "description": description, "resource_server_identifier": API,
            "resource_server_name": "Orders", "sources": sources,
        });
        assert_eq!(held, json!([named("read", "Read orders", json!([direct, by_role])), named("write", "", json!([by_role]))]));

        server.api().delete_of(&format!("{own}/permissions"), &permissions(&["read"])).await.expect(204);
        server.api().delete_of(&format!("roles/{clerk}/permissions"), &permissions(&["write"])).await.expect(204);
        let held = server.api().get(&format!("{own}/permissions")).await.expect(200).json();
        assert_eq!(held, json!([named("read", "Read orders", json!([by_role]))]));
        server.api().delete_of(&format!("{own}/roles"), &json!({ "roles": [clerk] })).await.expect(204);
        assert_eq!(server.api().get(&format!("{own}/permissions")).await.expect(200).json(), json!([]));
        assert_eq!(server.api().get(&format!("roles/{clerk}/users")).await.expect(200).json(), json!([]));
    }

    async fn what_is_not_there_is_refused_by_name_and_nothing_is_given(server) {
        api_with_scopes(server).await;
        let (user, clerk) = (server.user("ann@example.com").await, role(server, "Clerk").await);
        let own = format!("users/{}", user.path_id());
        for (path, body, status, says) in [
            (format!("{own}/permissions"), permissions(&["read", "fly"]), 404, "fly"),
            (format!("roles/{clerk}/permissions"), permissions(&["write", "fly"]), 404, "fly"),
            (format!("{own}/permissions"), json!({ "permissions": [] }), 400, "permissions"),
            (format!("{own}/roles"), json!({ "roles": [clerk, "rol_none"] }), 404, "rol_none"),
            (format!("{own}/roles"), json!({ "roles": [] }), 400, "roles"),
            (format!("{own}/roles"), json!({ "roles": vec!["r"; 51] }), 400, "maximum 50"),
            (format!("roles/{clerk}/users"), json!({ "users": [user.id, "auth0|none"] }), 404, "auth0|none"),
            ("users/auth0%7Cnone/roles".to_owned(), json!({ "roles": [clerk] }), 404, "user"),
            ("users/auth0%7Cnone/permissions".to_owned(), permissions(&["read"]), 404, "user"),
            ("roles/rol_none/users".to_owned(), json!({ "users": [user.id] }), 404, "role"),
        ] {
            let reply = server.api().post(&path, &body).await.expect(status);
            assert!(reply.text.contains(says), "{path} {says}: {}", reply.text);
        }
        for path in [format!("{own}/roles"), format!("{own}/permissions"), format!("roles/{clerk}/permissions"), format!("roles/{clerk}/users")] {
            assert_eq!(server.api().get(&path).await.expect(200).json(), json!([]), "{path}");
        }
    }

    async fn what_goes_leaves_nothing_behind(server) {
        let api = api_with_scopes(server).await;
        let (user, clerk) = (server.user("ann@example.com").await, role(server, "Clerk").await);
        let own = format!("users/{}", user.path_id());
        server.api().post(&format!("roles/{clerk}/permissions"), &permissions(&["read"])).await.expect(201);
        server.api().post(&format!("{own}/roles"), &json!({ "roles": [clerk] })).await.expect(204);
        server.api().post(&format!("{own}/permissions"), &permissions(&["write"])).await.expect(201);
        // A scope that goes and comes again is another one.
        let api_path = format!("resource-servers/{api}");
        server.api().patch(&api_path, &json!({ "scopes": [{ "value": "read" }] })).await.expect(200);
        assert_eq!(told(server, &format!("{own}/permissions"), "permission_name").await, ["read"]);
        server.api().patch(&api_path, &json!({ "scopes": [{ "value": "read" }, { "value": "write" }] })).await.expect(200);
        assert_eq!(told(server, &format!("{own}/permissions"), "permission_name").await, ["read"]);
        server.api().delete(&api_path).await.expect(204);
        api_with_scopes(server).await;
        assert_eq!(server.api().get(&format!("{own}/permissions")).await.expect(200).json(), json!([]));

        server.api().delete(&format!("roles/{clerk}")).await.expect(200);
        assert_eq!(server.api().get(&format!("{own}/roles")).await.expect(200).json(), json!([]));
        server.sweep().await;
        let again = role(server, "Clerk").await;
        assert_eq!(server.api().get(&format!("{own}/roles")).await.expect(200).json(), json!([]));
        server.api().post(&format!("{own}/roles"), &json!({ "roles": [again] })).await.expect(204);
        server.api().post(&format!("{own}/permissions"), &permissions(&["read"])).await.expect(201);
        server.api().delete(&own).await.expect(204);
        assert_eq!(server.api().get(&format!("roles/{again}/users")).await.expect(200).json(), json!([]));
        let number = user.id.split_once('|').unwrap().1;
        let twin = server.user_with("ann@example.com", json!({ "user_id": number })).await;
        assert_eq!(twin.id, user.id);
        for list in ["roles", "permissions"] {
            assert_eq!(server.api().get(&format!("{own}/{list}")).await.expect(200).json(), json!([]), "{list}");
        }
    }

    async fn a_member_has_roles_of_their_own_in_an_organization(server) {
        let (user, clerk, chief) = (server.user("ann@example.com").await, role(server, "Clerk").await, role(server, "Chief").await);
        let organization = server.api().organization("branch", "Branch", &user).await;
        let path = format!("organizations/{organization}/members/{}/roles", user.path_id());
        server.api().post(&path, &json!({ "roles": [clerk, chief] })).await.expect(204);
        assert_eq!(told(server, &path, "name").await, ["Chief", "Clerk"]);
        let users_roles = format!("users/{}/roles", user.path_id());
        assert_eq!(server.api().get(&users_roles).await.expect(200).json(), json!([]), "elsewhere they are nothing");
        let members = format!("organizations/{organization}/members");
        let plain = server.api().get(&members).await.expect(200).json();
        assert!(plain[0].get("roles").is_none(), "{plain}");
        let with_roles = server.api().get(&format!("{members}?fields=user_id,roles&include_fields=true")).await.expect(200).json();
        let mut names: Vec<_> = with_roles[0]["roles"].as_array().unwrap().iter().map(|role| role["name"].clone()).collect();
        names.sort_by_key(Value::to_string);
        assert_eq!((&with_roles[0]["user_id"], names), (&json!(user.id), vec![json!("Chief"), json!("Clerk")]));
        server.api().delete_of(&path, &json!({ "roles": [chief] })).await.expect(204);
        assert_eq!(told(server, &path, "name").await, ["Clerk"]);
        server.api().post(&path, &json!({ "roles": ["rol_none"] })).await.expect(404);
        let stranger = server.user("bob@example.com").await;
        server.api().post(&format!("{members}/{}/roles", stranger.path_id()), &json!({ "roles": [clerk] })).await.expect(404);
        server.api().delete_of(&members, &json!({ "members": [user.id] })).await.expect(204);
        server.api().post(&members, &json!({ "members": [user.id] })).await.expect(204);
        assert_eq!(server.api().get(&path).await.expect(200).json(), json!([]), "who comes back begins anew");
    }

    async fn each_call_asks_for_its_scope(server) {
        let (user, clerk) = (server.user("ann@example.com").await, role(server, "Clerk").await);
        let own = format!("users/{}/roles", user.path_id());
        let reader = server.api_with(&["read:roles"]).await;
        reader.get("roles").await.expect(200);
        reader.get(&format!("roles/{clerk}")).await.expect(200);
        reader.get(&own).await.expect(403);
        reader.get(&format!("roles/{clerk}/users")).await.expect(403);
        reader.post("roles", &json!({ "name": "x" })).await.expect(403);
        reader.patch(&format!("roles/{clerk}"), &json!({ "name": "x" })).await.expect(403);
        reader.delete(&format!("roles/{clerk}")).await.expect(403);
        reader.post(&format!("roles/{clerk}/permissions"), &permissions(&["read"])).await.expect(403);
        reader.post(&own, &json!({ "roles": [clerk] })).await.expect(403);
        reader.delete_of(&own, &json!({ "roles": [clerk] })).await.expect(403);
        for scopes in [&["read:role_members"][..], &["read:users", "read:roles"]] {
            server.api_with(scopes).await.get(&own).await.expect(200);
        }
    }
}

//! `/api/v2/clients/{id}/credentials`, and the properties of clients that name credentials.
//!
//! Auth0: applications › application credentials.

use serde_json::{Value, json};
use suite::{Server, on_every_store};

const KEY: &str = include_str!("../../../fuzz/corpus/credential_pem/public-key");
const CERTIFICATE: &str = include_str!("../../../fuzz/corpus/credential_pem/certificate");
/// Of the key, and of the certificate.
const KID: &str = "hrX8BtKdeIfZ4V8JaJIN8EVS9Y3KVz9HQE1CTmEuZn8";
const THUMBPRINT: &str = "Q8kCVmPgzbjzIaFwtYHC9lzWqVWzpBNNBygQj7P47_E";
const SUBJECT: &str = "C=es\nST=Madrid\nO=Shop ü\nCN=Shop\nemailAddress=a@example.com";
const ENDS_AT: &str = "2036-11-23T11:42:41.000Z";

async fn client(server: &Server) -> String {
    let body = json!({ "name": "Robot", "app_type": "non_interactive" });
    let made = server.api().post("clients", &body).await.expect(201).json();
    format!("clients/{}", made["client_id"].as_str().unwrap())
}

fn subject(text: &str) -> Value {
    json!({ "credential_type": "cert_subject_dn", "subject_dn": text })
}

async fn add(server: &Server, client: &str, body: &Value) -> Value {
    server.api().post(&format!("{client}/credentials"), body).await.expect(201).json()
}

fn named(method: &str, credentials: &[&Value]) -> Value {
    let ids: Vec<Value> = credentials.iter().map(|credential| json!({ "id": credential["id"] })).collect();
    json!({ "client_authentication_methods": { method: { "credentials": ids } } })
}

on_every_store! {
    async fn a_credential_is_made_shown_given_another_end_and_deleted(server) {
        let client = client(server).await;
        let place = format!("{client}/credentials");
        assert_eq!(server.api().get(&place).await.expect(200).json(), json!([]));
        let body = json!({ "credential_type": "public_key", "name": "laptop", "pem": CERTIFICATE, "alg": "PS256",
            "parse_expiry_from_cert": true });
        let made = add(server, &client, &body).await;
        let id = made["id"].as_str().unwrap();
        assert!(id.starts_with("cred_") && id.len() == 27, "{made}");
        let now = server.now().to_string();
        assert_eq!(made, json!({ "id": id, "credential_type": "public_key", "kid": KID, "alg": "PS256", "name": "laptop",
            "created_at": now, "updated_at": now, "expires_at": ENDS_AT }));
        let one = format!("{place}/{id}");
        assert_eq!(server.api().get(&one).await.expect(200).json(), made);
        assert_eq!(server.api().get(&place).await.expect(200).json(), json!([made]));

        server.advance_minutes(1);
        let changed = server.api().patch(&one, &json!({ "expires_at": "2030-01-01T00:00:00Z" })).await.expect(200).json();
        assert_eq!((&changed["expires_at"], &changed["created_at"]), (&json!("2030-01-01T00:00:00.000Z"), &made["created_at"]));
        assert_eq!(changed["updated_at"], server.now().to_string());
        let endless = server.api().patch(&one, &json!({ "expires_at": null })).await.expect(200).json();
        assert!(endless.get("expires_at").is_none(), "{endless}");

        server.api().delete(&one).await.expect(204);
        server.api().get(&one).await.expect_api_error(404, "Not Found", "The credential does not exist.", "");
        server.api().delete(&one).await.expect(204);
        let events = server.api().logs("sapi").await;
        for (description, method) in [("Create", "post"), ("Update", "patch"), ("Delete", "delete")] {
            let description = format!("{description} a Client Credential");
            let found = events.iter().find(|event| event["description"] == description.as_str()).expect(&description);
            assert_eq!(found["details"]["request"]["method"], method);
            assert!(!found.to_string().contains("MII"), "no keys in the log: {found}");
        }
    }

    async fn certificates_are_kept_by_subject_and_by_thumbprint(server) {
        let client = client(server).await;
        let by_subject = add(server, &client, &json!({ "credential_type": "cert_subject_dn", "pem": CERTIFICATE })).await;
        assert_eq!((&by_subject["subject_dn"], by_subject.get("expires_at")), (&json!(SUBJECT), None));
        let whole = add(server, &client, &json!({ "credential_type": "x509_cert", "pem": CERTIFICATE })).await;
        assert_eq!((&whole["thumbprint_sha256"], &whole["expires_at"]), (&json!(THUMBPRINT), &json!(ENDS_AT)));
        assert!(whole.get("kid").is_none() && whole.get("alg").is_none() && whole.get("name").is_none(), "{whole}");
    }

    async fn a_client_has_four_credentials_at_most_and_each_once_whoever_else_adds_some(server) {
        let client = client(server).await;
        let place = format!("{client}/credentials");
        let key = json!({ "credential_type": "public_key", "pem": KEY, "kid": "my-own-name" });
        assert_eq!(add(server, &client, &key).await["kid"], "my-own-name");
        let again = json!({ "credential_type": "public_key", "pem": CERTIFICATE, "alg": "RS384" });
        let message = "credentials contains public keys that already exist in client";
        server.api().post(&place, &again).await.expect_api_error(400, "Bad Request", message, "invalid_body");

        let mut adding = Vec::new();
        for number in 0..6 {
            let (api, place) = (server.api().clone(), place.clone());
            adding.push(tokio::spawn(async move { api.post(&place, &subject(&format!("CN={number}"))).await }));
        }
        let mut refused = 0;
        for one in adding {
            let reply = one.await.unwrap();
            if reply.status != 201 {
                let message = "A client can have a maximum of 4 credentials.";
                reply.expect_api_error(400, "Bad Request", message, "invalid_body");
                refused += 1;
            }
        }
        assert_eq!(refused, 3);
        assert_eq!(server.api().get(&place).await.expect(200).json().as_array().unwrap().len(), 4);
        // Another client's are its own.
        add(server, &self::client(server).await, &key).await;
    }

    async fn what_is_wrong_with_a_credential_is_named_and_nothing_is_kept(server) {
        let client = client(server).await;
        let place = format!("{client}/credentials");
        let private = include_str!("../../../fuzz/corpus/credential_pem/private-key");
        let elliptic = include_str!("../../../fuzz/corpus/credential_pem/elliptic-key");
        for (body, says) in [
            (json!({ "pem": KEY }), "Missing required property: credential_type"),
            (json!({ "credential_type": "public_key" }), "Missing required property: pem"),
            (json!({ "credential_type": "public_key", "pem": private }), "private key"),
            (json!({ "credential_type": "public_key", "pem": elliptic }), "must be an RSA key"),
            (json!({ "credential_type": "public_key", "pem": KEY, "alg": "HS256" }), "on property alg"),
            (json!({ "credential_type": "public_key", "pem": KEY, "kid": "short" }), "on property kid"),
            (json!({ "credential_type": "x509_cert", "pem": KEY }), "on property pem"),
            (json!({ "credential_type": "x509_cert", "pem": CERTIFICATE, "alg": "RS256" }), "not allowed: alg"),
            (subject(""), "on property subject_dn"),
            (subject(&"x".repeat(257)), "on property subject_dn"),
        ] {
            let error = server.api().post(&place, &body).await.expect(400).json();
            assert!(error["message"].as_str().unwrap().contains(says), "{body}: {error}");
        }
        assert_eq!(server.api().get(&place).await.expect(200).json(), json!([]));
        let id = add(server, &client, &subject("CN=a")).await["id"].as_str().unwrap().to_owned();
        for body in [json!({}), json!({ "expires_at": "soon" }), json!({ "name": "b" })] {
            server.api().patch(&format!("{place}/{id}"), &body).await.expect(400);
        }
        server.api().patch(&format!("{place}/cred_none"), &json!({ "expires_at": null })).await.expect(404);
        for absent in ["clients/none/credentials", "clients/none/credentials/cred_1"] {
            server.api().get(absent).await.expect_api_error(404, "Not Found", "The client does not exist", "inexistent_client");
        }
        server.api().post("clients/none/credentials", &subject("CN=a")).await.expect(404);
        server.api().delete("clients/none/credentials/cred_1").await.expect(204);
    }

    async fn each_call_needs_its_own_scope(server) {
        let client = client(server).await;
        let place = format!("{client}/credentials");
        let made = add(server, &client, &subject("CN=a")).await;
        let one = format!("{place}/{}", made["id"].as_str().unwrap());
        let others = server.api_with(&["read:clients", "update:clients", "create:clients", "delete:clients"]).await;
        others.get(&place).await.expect(403);
        others.get(&one).await.expect(403);
        others.post(&place, &subject("CN=b")).await.expect(403);
        others.patch(&one, &json!({ "expires_at": null })).await.expect(403);
        others.delete(&one).await.expect(403);
        let methods = named("tls_client_auth", &[&made]);
        let message = "Insufficient scope, expected any of: update:client_credentials";
        others.patch(&client, &methods).await.expect_api_error(403, "Forbidden", message, "insufficient_scope");
        others.patch(&client, &json!({ "client_authentication_methods": null })).await.expect(403);
        let mut new = json!({ "name": "New", "client_authentication_methods": { "tls_client_auth": { "credentials": [subject("CN=a")] } } });
        let message = "Insufficient scope, expected any of: create:client_credentials";
        others.post("clients", &new).await.expect_api_error(403, "Forbidden", message, "insufficient_scope");
        new = json!({ "name": "New", "signed_request_object": { "credentials": [{ "credential_type": "public_key", "pem": KEY }] } });
        others.post("clients", &new).await.expect(403);

        server.api().patch(&client, &methods).await.expect(200);
        assert!(others.get(&client).await.expect(200).json().get("client_authentication_methods").is_none());
        let own = server.api_with(&["read:client_credentials", "update:client_credentials", "delete:client_credentials"]).await;
        assert_eq!(own.get(&client).await.expect(200).json()["client_authentication_methods"], methods["client_authentication_methods"]);
        own.get(&place).await.expect(200);
        own.get(&one).await.expect(200);
        own.patch(&client, &json!({ "client_authentication_methods": null })).await.expect(200);
        own.delete(&one).await.expect(204);
    }

    async fn a_credential_that_is_in_use_is_not_deleted_and_goes_with_its_client(server) {
        let client = client(server).await;
        let key = add(server, &client, &json!({ "credential_type": "public_key", "pem": KEY })).await;
        let one = format!("{client}/credentials/{}", key["id"].as_str().unwrap());
        let request_object = json!({ "signed_request_object": { "required": false, "credentials": [{ "id": key["id"] }] } });
        for (property, body) in [
            ("client_authentication_methods", named("private_key_jwt", &[&key])),
            ("signed_request_object", request_object),
        ] {
            server.api().patch(&client, &body).await.expect(200);
            let message = format!("The credential is in use: remove it from {property} first.");
            server.api().delete(&one).await.expect_api_error(400, "Bad Request", &message, "");
            server.api().get(&one).await.expect(200);
            server.api().patch(&client, &json!({ property: null })).await.expect(200);
        }
        server.api().patch(&client, &named("private_key_jwt", &[&key])).await.expect(200);
        server.api().patch(&client, &named("private_key_jwt", &[])).await.expect(200);
        server.api().delete(&one).await.expect(204);
        add(server, &client, &subject("CN=a")).await;
        server.api().delete(&client).await.expect(204);
        server.api().get(&format!("{client}/credentials")).await.expect(404);
    }

    async fn a_client_with_a_method_shows_no_secret_and_no_other_method(server) {
        let client = client(server).await;
        let key = add(server, &client, &json!({ "credential_type": "public_key", "pem": KEY })).await;
        server.api().patch(&client, &json!({ "token_endpoint_auth_method": "client_secret_post" })).await.expect(200);
        let mut body = named("private_key_jwt", &[&key]);
        body["token_endpoint_auth_method"] = Value::Null;
        // Events of one millisecond are in no order.
        server.advance_ms(1);
        let set = server.api().patch(&client, &body).await.expect(200).json();
        assert_eq!(set["client_authentication_methods"], body["client_authentication_methods"]);
        let read = server.api().get(&client).await.expect(200).json();
        for shown in [&set, &read] {
            assert!(shown.get("client_secret").is_none() && shown.get("token_endpoint_auth_method").is_none(), "{shown}");
        }
        let told = server.api().logs("sapi").await;
        let told = told.iter().find(|event| event["description"] == "Update a Client").unwrap();
        assert!(told["details"].get("accessedSecrets").is_none(), "{told}");

        let message = "The client has no secret: it has client_authentication_methods.";
        let rotated = server.api().post_nothing(&format!("{client}/rotate-secret")).await;
        rotated.expect_api_error(400, "Bad Request", message, "");
        let both = json!({ "token_endpoint_auth_method": "none" });
        let error = server.api().patch(&client, &both).await.expect(400).json();
        assert!(error["message"].as_str().unwrap().contains("on property token_endpoint_auth_method"), "{error}");
        body["token_endpoint_auth_method"] = json!("client_secret_basic");
        server.api().patch(&client, &body).await.expect(400);
        assert_eq!(server.api().get(&client).await.expect(200).json(), read, "a refusal changes nothing");

        let back = json!({ "client_authentication_methods": null, "token_endpoint_auth_method": "client_secret_basic" });
        let back = server.api().patch(&client, &back).await.expect(200).json();
        assert_eq!(back["token_endpoint_auth_method"], "client_secret_basic");
        assert!(back["client_secret"].is_string() && back.get("client_authentication_methods").is_none(), "{back}");
    }

    async fn a_method_names_credentials_of_the_client_that_do_for_it(server) {
        let (client, other) = (client(server).await, client(server).await);
        let key = add(server, &client, &json!({ "credential_type": "public_key", "pem": KEY })).await;
        let (a, b, c) = (
            add(server, &client, &subject("CN=a")).await,
            add(server, &client, &subject("CN=b")).await,
            add(server, &client, &subject("CN=c")).await,
        );
        let foreign = add(server, &other, &json!({ "credential_type": "public_key", "pem": KEY })).await;
        for (method, credentials, says) in [
            ("private_key_jwt", vec![&a], "does not do here' on property client_authentication_methods.private_key_jwt.credentials[0].id"),
            ("tls_client_auth", vec![&a, &key], "tls_client_auth.credentials[1].id"),
            ("self_signed_tls_client_auth", vec![&a], "does not do here"),
            ("private_key_jwt", vec![&foreign], "no such credential"),
            ("private_key_jwt", vec![&key, &key], "Array items are not unique (indexes 0 and 1)"),
            ("tls_client_auth", vec![&a, &b, &c], "Array is too long (3), maximum 2"),
            ("client_secret_jwt", vec![&key], "client_authentication_methods.client_secret_jwt"),
        ] {
            let error = server.api().patch(&client, &named(method, &credentials)).await.expect(400).json();
            assert!(error["message"].as_str().unwrap().contains(says), "{error}");
        }
        let shown = server.api().get(&client).await.expect(200).json();
        assert!(shown.get("client_authentication_methods").is_none() && shown["client_secret"].is_string(), "{shown}");
        let body = named("tls_client_auth", &[&b, &a]);
        let set = server.api().patch(&client, &body).await.expect(200).json();
        assert_eq!(set["client_authentication_methods"], body["client_authentication_methods"], "in their order");
    }

    async fn credentials_are_made_with_their_client(server) {
        let full = |kind: &str| json!({ "credentials": [{ "credential_type": kind, "name": "first", "pem": CERTIFICATE }] });
        for (method, kind) in [
            ("private_key_jwt", "public_key"),
            ("tls_client_auth", "cert_subject_dn"),
            ("self_signed_tls_client_auth", "x509_cert"),
        ] {
            let body = json!({ "name": method, "client_authentication_methods": { method: full(kind) } });
            let made = server.api().post("clients", &body).await.expect(201).json();
            assert!(made.get("client_secret").is_none(), "{made}");
            let place = format!("clients/{}/credentials", made["client_id"].as_str().unwrap());
            let credentials = server.api().get(&place).await.expect(200).json();
            assert_eq!((&credentials[0]["credential_type"], &credentials[0]["name"]), (&json!(kind), &json!("first")));
            assert_eq!(made["client_authentication_methods"], json!({ method: { "credentials": [{ "id": credentials[0]["id"] }] } }));
        }
        let request_object = json!({ "name": "Jar", "signed_request_object": full("public_key") });
        let made = server.api().post("clients", &request_object).await.expect(201).json();
        assert!(made["signed_request_object"]["credentials"][0]["id"].as_str().unwrap().starts_with("cred_"), "{made}");
        assert!(made["client_secret"].is_string(), "only a method of authentication takes its place");
        for bad in [
            json!({ "private_key_jwt": full("x509_cert") }),
            json!({ "private_key_jwt": { "credentials": [{ "id": "cred_1" }] } }),
            json!({ "private_key_jwt": full("public_key"), "tls_client_auth": full("cert_subject_dn") }),
            json!({}),
        ] {
            let body = json!({ "name": "Bad", "client_authentication_methods": bad });
            server.api().post("clients", &body).await.expect(400);
        }
        let all = server.api().get("clients").await.expect(200).json();
        assert!(all.as_array().unwrap().iter().all(|client| client["name"] != "Bad"), "{all}");
    }

    async fn a_request_objects_credentials_stay_where_a_change_does_not_name_them(server) {
        let client = client(server).await;
        let key = add(server, &client, &json!({ "credential_type": "public_key", "pem": KEY })).await;
        let chosen = json!([{ "id": key["id"] }]);
        let set = json!({ "signed_request_object": { "required": false, "credentials": chosen } });
        server.api().patch(&client, &set).await.expect(200);
        let changed = server.api().patch(&client, &json!({ "signed_request_object": { "required": true } })).await.expect(200).json();
        assert_eq!(changed["signed_request_object"], json!({ "required": true, "credentials": chosen }));
        let unknown = json!({ "signed_request_object": { "credentials": [{ "id": "cred_none" }] } });
        let error = server.api().patch(&client, &unknown).await.expect(400).json();
        assert!(error["message"].as_str().unwrap().contains("signed_request_object.credentials[0].id"), "{error}");
    }
}

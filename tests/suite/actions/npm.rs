//! Actions with npm packages, the real ones, installed by this machine's npm from the registry that it is set up for.
//!
//! Auth0: Actions › manage dependencies.

use serde_json::{Value, json};
use suite::{Reply, Server, on_every_store};

/// The packages that people's Actions ask for most.
const PACKAGES: [&str; 7] = ["auth0", "axios", "jose", "jsonwebtoken", "jwks-rsa", "lodash", "uuid"];

fn post_login(head: &str, body: &str) -> String {
    format!("{head}\nexports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};")
}

/// Says which version of uuid it runs with.
fn with_uuid(mark: &str) -> String {
    let head = "const { validate, v4 } = require('uuid');";
    let body = format!("api.idToken.setCustomClaim('https://x/uuid', [validate(v4()), '{mark}']);");
    post_login(head, &body)
}

async fn draft(server: &Server, code: &str, dependencies: Value) -> Reply {
    let trigger = json!([{ "id": "post-login", "version": "v3" }]);
    let action = json!({ "name": "Packed", "supported_triggers": trigger, "code": code, "dependencies": dependencies });
    server.api().post("actions/actions", &action).await
}

/// Makes, deploys and binds it; answers its identifier.
async fn bound(server: &Server, code: &str, dependencies: Value) -> String {
    let made = draft(server, code, dependencies).await.expect(201).json();
    let id = made["id"].as_str().expect("text").to_owned();
    deploy(server, &id).await.expect(200);
    let binding = json!({ "bindings": [{ "ref": { "type": "action_id", "value": id } }] });
    server.api().patch("actions/triggers/post-login/bindings", &binding).await.expect(200);
    id
}

async fn deploy(server: &Server, id: &str) -> Reply {
    server.api().post_nothing(&format!("actions/actions/{id}/deploy")).await
}

/// The names in the folder of packages.
fn sets(server: &Server) -> Vec<String> {
    let entries = std::fs::read_dir(server.data("packages")).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text"));
    names.filter(|name| !name.starts_with('.')).collect()
}

on_every_store! {
    #[with("tls.enabled" = "true")]
    async fn the_packages_that_people_use_do_their_work(server) {
        let audience = server.wire.management_audience();
        let (client_id, client_secret) = server.machine("Robot", &audience, &["read:users"]).await;
        let head = "
            const { ManagementClient } = require('auth0');
            const axios = require('axios');
            const jose = require('jose');
            const jwt = require('jsonwebtoken');
            const { JwksClient } = require('jwks-rsa');
            const _ = require('lodash');
            const uuid = require('uuid');";
        let body = "
            const { url, audience, clientId, clientSecret } = event.secrets;
            const management = new ManagementClient({ domain: new URL(url).host, clientId, clientSecret });
            const user = await management.users.get(event.user.user_id);

            const { data: discovery } = await axios.get(`${url}/.well-known/openid-configuration`);
            const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, audience });
            const { data: tokens } = await axios.post(`${url}/oauth/token`, form);
            const refused = await axios.get(`${url}/api/v2/users`).catch((error) => error.response.data.message);

            const { kid } = jwt.decode(tokens.access_token, { complete: true }).header;
            const key = await new JwksClient({ jwksUri: discovery.jwks_uri }).getSigningKey(kid);
            const claims = jwt.verify(tokens.access_token, key.getPublicKey(), { algorithms: ['RS256'], audience, ignoreExpiration: true });
            const own = jwt.verify(jwt.sign({ a: 1 }, 'a secret of ours', { expiresIn: '1h' }), 'a secret of ours');

            const keys = jose.createRemoteJWKSet(new URL(discovery.jwks_uri));
            const { payload } = await jose.jwtVerify(tokens.access_token, keys, { audience, currentDate: new Date(claims.iat * 1000) });
            const secret = new TextEncoder().encode('x'.repeat(32));
            const sealed = await new jose.EncryptJWT({ b: 2 }).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(secret);
            const opened = await jose.jwtDecrypt(sealed, secret);

            api.idToken.setCustomClaim('https://x/seen', {
                email: user.email, issuer: discovery.issuer, refused, scope: claims.scope, own: own.a,
                same: _.isEqual(payload, claims), opened: opened.payload.b, uuid: uuid.validate(uuid.v4()),
                chunks: _.chunk([1, 2, 3], 2),
            });";
        let asked: Vec<Value> = PACKAGES.iter().map(|name| json!({ "name": name, "version": "latest" })).collect();
        let id = bound(server, &post_login(head, body), asked.into()).await;
        let secrets = json!({ "secrets": [
            { "name": "url", "value": server.wire.url }, { "name": "audience", "value": audience },
            { "name": "clientId", "value": client_id }, { "name": "clientSecret", "value": client_secret },
        ] });
        server.api().patch(&format!("actions/actions/{id}"), &secrets).await.expect(200);
        deploy(server, &id).await.expect(200);
        let (_, user, _, signed_in) = server.someone_signed_in().await;
        let expected = json!({
            "email": user.email, "issuer": server.wire.issuer(), "refused": "Missing authentication", "scope": "read:users",
            "own": 1, "same": true, "opened": 2, "uuid": true, "chunks": [[1, 2], [3]],
        });
        assert_eq!(signed_in.claims["https://x/seen"], expected);
    }

    async fn a_version_keeps_the_packages_that_it_was_deployed_with(server) {
        let asked = json!([{ "name": "uuid", "version": "11.0.x" }]);
        let id = bound(server, &with_uuid("first"), asked.clone()).await;
        let path = format!("actions/actions/{id}");
        let action = server.api().get(&path).await.expect(200).json();
        assert_eq!(action["dependencies"], asked);
        let resolved = action["deployed_version"]["dependencies"][0]["resolved_version"].as_str().expect("text");
        assert!(resolved.starts_with("11.0."), "{resolved}");
        let first_version = action["deployed_version"]["id"].as_str().expect("text").to_owned();
        let first_set = sets(server);
        assert_eq!(first_set.len(), 1);

        let (app, user, browser, signed_in) = server.someone_signed_in().await;
        assert_eq!(signed_in.claims["https://x/uuid"], json!([true, "first"]));

        // Another list is another set, and the old one stays for the version that names it.
        let changed = json!({ "code": with_uuid("second"), "dependencies": [{ "name": "uuid", "version": "9.0.1" }] });
        server.api().patch(&path, &changed).await.expect(200);
        deploy(server, &id).await.expect(200);
        server.sweep().await;
        assert_eq!(sets(server).len(), 2);
        let signed_in = app.sign_in_silently(&browser).await;
        assert_eq!(signed_in.claims["https://x/uuid"], json!([true, "second"]));

        // What is lost is installed again; an earlier version comes back with what it had.
        std::fs::remove_dir_all(server.data("packages")).expect("a folder");
        server.api().post_nothing(&format!("{path}/versions/{first_version}/deploy")).await.expect(202);
        assert_eq!(sets(server), first_set);
        std::fs::remove_dir_all(server.data("packages")).expect("a folder");
        let signed_in = app.sign_in_silently(&browser).await;
        assert_eq!(signed_in.claims["https://x/uuid"], json!([true, "first"]));
        assert_eq!(sets(server), first_set);

        // What nobody names goes.
        server.api().delete(&format!("{path}?force=true")).await.expect(204);
        server.advance_hours(2);
        server.sweep().await;
        assert_eq!(sets(server), Vec::<String>::new());
        app.sign_in(&server.browser(), &user).await;
    }

    async fn what_cannot_be_installed_or_parsed_is_refused_and_changes_nothing(server) {
        let id = bound(server, &with_uuid("good"), json!([{ "name": "uuid", "version": "11.0.5" }])).await;
        let path = format!("actions/actions/{id}");
        let version = server.api().get(&path).await.expect(200).json()["deployed_version"]["id"].clone();

        let elsewhere = json!({ "dependencies": [{ "name": "uuid", "version": "git+https://example.test/x.git" }] });
        let reply = server.api().patch(&path, &elsewhere).await;
        assert!(reply.text.contains("on property dependencies[0].version"), "{}", reply.text);
        assert_eq!(reply.status, 400);

        let absent = json!({ "dependencies": [{ "name": "uuid", "version": "0.0.0-absent" }] });
        server.api().patch(&path, &absent).await.expect(200);
        let reply = deploy(server, &id).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
        assert_eq!(reply.json()["errorCode"], "operation_not_supported");
        assert!(reply.text.contains("npm could not install the dependencies: ETARGET"), "{}", reply.text);
        assert!(!reply.text.contains("://") && !reply.text.contains("packages/"), "{}", reply.text);

        let broken = json!({ "dependencies": [{ "name": "uuid", "version": "11.0.5" }], "code": "let a;\n  foo bar" });
        server.api().patch(&path, &broken).await.expect(200);
        let reply = deploy(server, &id).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
        assert!(reply.text.contains("Unexpected identifier 'bar' (line 2, column 7)"), "{}", reply.text);

        assert_eq!(server.api().get(&path).await.expect(200).json()["deployed_version"]["id"], version);
        let (_, _, _, signed_in) = server.someone_signed_in().await;
        assert_eq!(signed_in.claims["https://x/uuid"], json!([true, "good"]));
    }

    async fn a_draft_is_tested_with_its_packages(server) {
        let made = draft(server, &with_uuid("draft"), json!([{ "name": "uuid", "version": "11.0.5" }])).await.expect(201).json();
        let path = format!("actions/actions/{}/test", made["id"].as_str().expect("text"));
        let payload = json!({ "payload": { "event": { "user": { "user_id": "auth0|1" } } } });
        let run = server.api().post(&path, &payload).await.expect(200).json();
        assert_eq!(run["payload"]["commands"][0]["value"], json!([true, "draft"]), "{run}");
    }

    #[with("actions.node" = "no-such-node")]
    async fn without_node_a_deploy_says_so_and_what_ran_goes_on(server) {
        server.api().on_post_login("api.idToken.setCustomClaim('https://x/old', true);").await;
        let made = draft(server, &with_uuid("new"), json!([{ "name": "uuid" }])).await.expect(201).json();
        let reply = deploy(server, made["id"].as_str().expect("text")).await;
        let text = "The action cannot be deployed: its npm dependencies need Node.js to run: Node.js was not found (no-such-node).";
        reply.expect_api_error(400, "Bad Request", text, "operation_not_supported");
        let (_, _, _, signed_in) = server.someone_signed_in().await;
        assert_eq!(signed_in.claims["https://x/old"], true);
    }

    #[with("actions.dependencies" = "false")]
    async fn packages_can_be_switched_off(server) {
        let made = draft(server, &with_uuid("new"), json!([{ "name": "uuid" }])).await.expect(201).json();
        let reply = deploy(server, made["id"].as_str().expect("text")).await;
        let text = "The action cannot be deployed: npm dependencies are switched off on this server (actions.dependencies).";
        reply.expect_api_error(400, "Bad Request", text, "operation_not_supported");
    }
}

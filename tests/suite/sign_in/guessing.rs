//! Guessing passwords: counted by account and by address, told on the page, logged, and over in the end.

use domain::limits::FAILED_TRIES_MEMORY_MS;
use serde_json::{Value, json};
use suite::browser::the_form;
use suite::server::PASSWORD;
use suite::{App, Browser, Reply, Server, User, on_every_store};

const BLOCKED: &str = "too many failed tries for this account";
const THROTTLED: &str = "failed tries to sign in from your network. Try again in";

async fn brute_force(server: &Server, settings: &Value) {
    server.api().patch("attack-protection/brute-force-protection", settings).await.expect(200);
}

async fn by_address(server: &Server, settings: &Value) {
    server.api().patch("attack-protection/suspicious-ip-throttling", settings).await.expect(200);
}

/// One try on a page of its own, from an address.
async fn try_from(server: &Server, app: &App, ip: &str, name: &str, password: &str) -> (Browser, Reply) {
    let browser = server.browser();
    browser.move_to(ip);
    let page = browser.get(&app.request().url()).await;
    let reply = browser.enter(&page, name, password).await;
    (browser, reply)
}

/// Wrong tries that are taken.
async fn fail(server: &Server, app: &App, ip: &str, name: &str, times: usize) {
    for _ in 0..times {
        let (_, reply) = try_from(server, app, ip, name, "wrong").await;
        reply.expect_page(400, "Wrong email or password.");
    }
}

async fn refused(server: &Server, app: &App, ip: &str, user: &User) {
    let (browser, reply) = try_from(server, app, ip, &user.email, &user.password).await;
    reply.expect_page(429, BLOCKED);
    assert_eq!(browser.cookie(suite::browser::SESSION_COOKIE), None);
}

async fn let_in(server: &Server, app: &App, ip: &str, user: &User) {
    let (browser, reply) = try_from(server, app, ip, &user.email, &user.password).await;
    browser.callback(&reply).code();
}

async fn blocks(server: &Server, user: &User) -> Value {
    server.api().get(&format!("user-blocks/{}", user.path_id())).await.expect(200).json()["blocked_for"]
        .clone()
}

on_every_store! {
    async fn ten_failed_tries_block_an_account_for_one_address_and_only_for_that(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        fail(server, &app, "192.0.2.1", &user.email, 9).await;
        let (browser, last) = try_from(server, &app, "192.0.2.1", &user.email, "wrong").await;
        last.expect_page(429, BLOCKED);
        // The same page takes no right password either, and says so with the name filled in.
        let again = browser.enter(&last, &user.email, PASSWORD).await;
        again.expect_page(429, BLOCKED);
        assert_eq!(the_form(&again).get("username"), Some("ann@example.com"));
        refused(server, &app, "192.0.2.1", &user).await;
        let_in(server, &app, "192.0.2.2", &user).await;

        assert_eq!(server.api().logs("fp").await.len(), 10);
        let told = server.api().logs("limit_wc").await;
        assert_eq!(told.len(), 3, "when the block begins, and for each try that it refuses");
        for event in &told {
            assert_eq!((&event["user_id"], &event["ip"]), (&json!(user.id), &json!("192.0.2.1")));
            assert_eq!((&event["client_id"], &event["user_name"]), (&json!(app.id), &json!("ann@example.com")));
        }
        let block = json!({
            "identifier": "ann@example.com", "ip": "192.0.2.1", "connection": "Username-Password-Authentication",
        });
        assert_eq!(blocks(server, &user).await, json!([block]));
        let by_name = server.api().get("user-blocks?identifier=ANN@example.com").await.expect(200).json();
        assert_eq!(by_name, json!({ "blocked_for": [block] }));
    }

    async fn a_name_that_nobody_has_is_blocked_likewise(server) {
        let app = server.app("Shop").await;
        brute_force(server, &json!({ "max_attempts": 2 })).await;
        let user = server.user("ann@example.com").await;
        let mut texts = Vec::new();
        for name in [&*user.email, "bob@example.com", "bobby"] {
            fail(server, &app, "192.0.2.1", name, 1).await;
            let (_, last) = try_from(server, &app, "192.0.2.1", name, "wrong").await;
            let (_, late) = try_from(server, &app, "192.0.2.1", &name.to_uppercase(), "wrong").await;
            let problem = |reply: &Reply| {
                assert_eq!(reply.status, 429, "{name}: {}", reply.text);
                let start = reply.text.find("id=\"problem\">").unwrap();
                reply.text[start..].split("</p>").next().unwrap().to_owned()
            };
            texts.extend([problem(&last), problem(&late)]);
        }
        texts.dedup();
        assert_eq!(texts.len(), 1, "{texts:?}");
        let told = server.api().logs("limit_wc").await;
        assert_eq!(told.iter().filter(|event| event["user_id"] == user.id.as_str()).count(), 2);
        assert!(told.iter().all(|event| !event.to_string().contains("bob")), "what was typed may be a password");
        let nobody = server.api().get("user-blocks?identifier=bob@example.com").await.expect(200).json();
        assert_eq!(nobody, json!({ "blocked_for": [] }));
    }

    async fn a_right_password_makes_a_new_start(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        brute_force(server, &json!({ "max_attempts": 3 })).await;
        for _ in 0..3 {
            fail(server, &app, "192.0.2.1", &user.email, 2).await;
            let_in(server, &app, "192.0.2.1", &user).await;
        }
        assert!(server.api().logs("limit_wc").await.is_empty());
    }

    async fn an_account_can_be_counted_from_everywhere_together(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        brute_force(server, &json!({ "max_attempts": 3, "mode": "count_per_identifier" })).await;
        for ip in ["192.0.2.1", "192.0.2.2"] {
            fail(server, &app, ip, &user.email, 1).await;
        }
        let (_, last) = try_from(server, &app, "192.0.2.3", &user.email, "wrong").await;
        last.expect_page(429, BLOCKED);
        refused(server, &app, "192.0.2.4", &user).await;
        let block = json!({ "identifier": "ann@example.com", "connection": "Username-Password-Authentication" });
        assert_eq!(blocks(server, &user).await, json!([block]));
    }

    async fn an_ipv6_subscriber_is_one_address(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        brute_force(server, &json!({ "max_attempts": 2 })).await;
        fail(server, &app, "2001:db8:1:2::1", &user.email, 1).await;
        let (_, last) = try_from(server, &app, "2001:db8:1:2:ffff::2", &user.email, "wrong").await;
        last.expect_page(429, BLOCKED);
        assert_eq!(blocks(server, &user).await[0]["ip"], "2001:db8:1:2::/64");
        let_in(server, &app, "2001:db8:1:3::1", &user).await;
    }

    async fn a_block_ends_with_a_new_password_by_hand_by_a_higher_limit_or_in_time(server) {
        let (app, mut user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let path = format!("users/{}", user.path_id());
        // The clock stands unless it is moved, and what failed in the moment of a new start does not count.
        let block = async |server: &Server, user: &User| {
            server.advance_ms(1);
            brute_force(server, &json!({ "max_attempts": 2 })).await;
            fail(server, &app, "192.0.2.1", &user.email, 1).await;
            try_from(server, &app, "192.0.2.1", &user.email, "wrong").await.1.expect_page(429, BLOCKED);
            refused(server, &app, "192.0.2.1", user).await;
            server.advance_ms(1);
        };
        block(server, &user).await;
        server.api().patch(&path, &json!({ "password": "another horse" })).await.expect(200);
        user.password = "another horse".to_owned();
        assert_eq!(blocks(server, &user).await, json!([]));
        let_in(server, &app, "192.0.2.1", &user).await;

        block(server, &user).await;
        server.api().delete(&format!("user-blocks/{}", user.path_id())).await.expect(204);
        assert_eq!(blocks(server, &user).await, json!([]));
        let_in(server, &app, "192.0.2.1", &user).await;

        block(server, &user).await;
        server.api().delete("user-blocks?identifier=ann@example.com").await.expect(204);
        let_in(server, &app, "192.0.2.1", &user).await;

        block(server, &user).await;
        brute_force(server, &json!({ "max_attempts": 3 })).await;
        let_in(server, &app, "192.0.2.1", &user).await;

        block(server, &user).await;
        server.advance_ms(FAILED_TRIES_MEMORY_MS - 1000);
        refused(server, &app, "192.0.2.1", &user).await;
        server.advance_ms(1000);
        let_in(server, &app, "192.0.2.1", &user).await;
    }

    async fn without_the_shield_or_from_an_allowed_address_nobody_is_kept_out(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        brute_force(server, &json!({ "max_attempts": 1, "allowlist": ["192.0.2.0/25"] })).await;
        fail(server, &app, "192.0.2.1", &user.email, 3).await;
        assert!(server.api().logs("limit_wc").await.is_empty());
        brute_force(server, &json!({ "shields": ["user_notification"] })).await;
        fail(server, &app, "198.51.100.1", &user.email, 3).await;
        let_in(server, &app, "198.51.100.1", &user).await;
        assert_eq!(server.api().logs("limit_wc").await.len(), 1, "too many are told all the same");
        let enforced = format!("user-blocks/{}?consider_brute_force_enablement=true", user.path_id());
        assert_eq!(server.api().get(&enforced).await.expect(200).json(), json!({ "blocked_for": [] }));
        brute_force(server, &json!({ "enabled": false, "shields": ["block"] })).await;
        fail(server, &app, "198.51.100.1", &user.email, 3).await;
        let_in(server, &app, "198.51.100.1", &user).await;
    }

    async fn one_address_has_so_many_failed_tries_for_whatever_account(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        by_address(server, &json!({ "stage": { "pre-login": { "max_attempts": 4, "rate": 60_000 } } })).await;
        for name in ["a@example.com", "b@example.com", "c@example.com"] {
            fail(server, &app, "192.0.2.1", name, 1).await;
        }
        let (_, last) = try_from(server, &app, "192.0.2.1", "d@example.com", "wrong").await;
        last.expect_page(429, THROTTLED);
        let (browser, late) = try_from(server, &app, "192.0.2.1", &user.email, &user.password).await;
        late.expect_page(429, THROTTLED);
        assert_eq!(late.header("retry-after"), "60");
        assert_eq!(browser.cookie(suite::browser::SESSION_COOKIE), None);
        let_in(server, &app, "192.0.2.2", &user).await;
        server.api().get("anomaly/blocks/ips/192.0.2.1").await.expect(200);
        server.api().get("anomaly/blocks/ips/192.0.2.2").await.expect(404);

        // One comes back each minute; a right password costs none.
        server.advance_minutes(1);
        let_in(server, &app, "192.0.2.1", &user).await;
        let (_, spent) = try_from(server, &app, "192.0.2.1", &user.email, "wrong").await;
        spent.expect_page(429, THROTTLED);
        server.api().delete("anomaly/blocks/ips/192.0.2.1").await.expect(204);
        fail(server, &app, "192.0.2.1", &user.email, 3).await;

        let told = server.api().logs("limit_mu").await;
        assert_eq!(told.len(), 3, "{told:?}");
        for event in &told {
            assert_eq!((&event["ip"], &event["details"]), (&json!("192.0.2.1"), &json!({ "flow": "login" })));
        }
        by_address(server, &json!({ "enabled": false })).await;
        fail(server, &app, "192.0.2.1", "e@example.com", 3).await;
    }

    async fn one_address_has_so_many_sign_ups(server) {
        let app = server.app("Shop").await;
        let stage = json!({ "pre-user-registration": { "max_attempts": 2, "rate": 60_000 } });
        by_address(server, &json!({ "stage": stage })).await;
        let sign_up = async |server: &Server, email: &str| {
            let browser = server.browser();
            browser.move_to("192.0.2.1");
            let page = browser.get(&app.request().with("screen_hint", "signup").url()).await;
            let mut form = the_form(&page);
            form.set("email", email);
            form.set("password", "long enough 1");
            let reply = browser.submit(&page, &form).await;
            (browser, reply)
        };
        for email in ["a@example.com", "b@example.com"] {
            let (browser, reply) = sign_up(server, email).await;
            browser.callback(&reply).code();
        }
        sign_up(server, "c@example.com").await.1.expect_page(429, "too many sign-ups from your network");
        assert_eq!(server.api().logs("ss").await.len(), 2);
        let told = server.api().logs("limit_mu").await;
        assert_eq!(told[0]["details"], json!({ "flow": "signup" }));
        server.advance_minutes(1);
        let (browser, reply) = sign_up(server, "c@example.com").await;
        browser.callback(&reply).code();
    }

    async fn blocks_and_what_was_counted_outlive_a_restart_and_are_swept(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        brute_force(server, &json!({ "max_attempts": 2 })).await;
        fail(server, &app, "192.0.2.1", &user.email, 1).await;
        server.restart().await;
        try_from(server, &app, "192.0.2.1", &user.email, "wrong").await.1.expect_page(429, BLOCKED);
        server.restart().await;
        refused(server, &app, "192.0.2.1", &user).await;
        server.advance_ms(FAILED_TRIES_MEMORY_MS);
        server.sweep().await;
        assert_eq!(blocks(server, &user).await, json!([]));
    }

    #[with("attack_protection.breached_passwords" = "suite/sign_in/breached_passwords.txt")]
    async fn a_breached_password_is_found_where_that_is_asked_for(server) {
        let (app, user) = (server.app("Shop").await, server.user("ann@example.com").await);
        let breached = "attack-protection/breached-password-detection";
        let_in(server, &app, "192.0.2.1", &user).await;
        server.api().patch(breached, &json!({ "enabled": true })).await.expect(200);
        let_in(server, &app, "192.0.2.1", &user).await;
        let told = server.api().only_log("pwd_leak").await;
        assert_eq!((&told["user_id"], &told["client_id"]), (&json!(user.id), &json!(app.id)));

        server.api().patch(breached, &json!({ "shields": ["block"] })).await.expect(200);
        let (browser, reply) = try_from(server, &app, "192.0.2.1", &user.email, &user.password).await;
        reply.expect_page(400, "known from a breach");
        assert_eq!(browser.cookie(suite::browser::SESSION_COOKIE), None);
        // Only who has the right one learns of it.
        let (_, wrong) = try_from(server, &app, "192.0.2.1", &user.email, "password1").await;
        wrong.expect_page(400, "Wrong email or password.");
        assert_eq!(server.api().logs("pwd_leak").await.len(), 2);
        let path = format!("users/{}", user.path_id());
        server.api().patch(&path, &json!({ "password": "yet another horse" })).await.expect(200);
        let_in(server, &app, "192.0.2.1", &User { password: "yet another horse".into(), ..user.clone() }).await;

        let page = server.browser();
        let sign_up = page.get(&app.request().with("screen_hint", "signup").url()).await;
        let mut form = the_form(&sign_up);
        form.set("email", "new@example.com");
        form.set("password", "password1");
        let stage = json!({ "pre-user-registration": { "shields": ["block"] } });
        server.api().patch(breached, &json!({ "stage": stage })).await.expect(200);
        let again = page.submit(&sign_up, &form).await;
        again.expect_page(400, "Choose another one");
        let told = server.api().only_log("signup_pwd_leak").await;
        assert_eq!(told["user_name"], "new@example.com");
        assert!(server.api().logs("ss").await.is_empty());
        form.set("password", "not in any list");
        page.callback(&page.submit(&sign_up, &form).await).code();
    }
}

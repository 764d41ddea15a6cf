//! `/api/v2/attack-protection`, `/api/v2/user-blocks`, `/api/v2/anomaly/blocks`: settings, refusals, scopes. What they
//! lead to is in `sign_in::guessing`.

use serde_json::{Value, json};
use suite::{Server, on_every_store};

async fn read(server: &Server, name: &str) -> Value {
    server.api().get(&format!("attack-protection/{name}")).await.expect(200).json()
}

async fn change(server: &Server, name: &str, body: &Value) -> Value {
    server.api().patch(&format!("attack-protection/{name}"), body).await.expect(200).json()
}

async fn refuse(server: &Server, name: &str, body: &Value, says: &str) {
    let before = read(server, name).await;
    let reply = server.api().patch(&format!("attack-protection/{name}"), body).await.expect(400);
    assert!(reply.text.contains(says), "`{says}` is not in {}", reply.text);
    assert_eq!(read(server, name).await, before, "a refusal changes nothing");
}

on_every_store! {
    async fn settings_begin_with_auth0s_defaults_and_change_one_by_one(server) {
        let brute_force = json!({
            "enabled": true, "shields": ["block", "user_notification"], "mode": "count_per_identifier_and_ip",
            "allowlist": [], "max_attempts": 10,
        });
        assert_eq!(read(server, "brute-force-protection").await, brute_force);
        let changed = change(server, "brute-force-protection", &json!({
            "mode": "count_per_identifier", "allowlist": ["127.0.0.1", "2001:db8::/32"], "max_attempts": 5,
        })).await;
        let expected = json!({
            "enabled": true, "shields": ["block", "user_notification"], "mode": "count_per_identifier",
            "allowlist": ["127.0.0.1", "2001:db8::/32"], "max_attempts": 5,
        });
        assert_eq!(changed, expected);
        assert_eq!(read(server, "brute-force-protection").await, expected);

        let throttling = read(server, "suspicious-ip-throttling").await;
        assert_eq!(throttling["stage"]["pre-login"], json!({ "max_attempts": 100, "rate": 864_000 }));
        assert_eq!(throttling["stage"]["pre-user-registration"], json!({ "max_attempts": 50, "rate": 1_200 }));
        let changed = change(server, "suspicious-ip-throttling", &json!({
            "enabled": false, "shields": [], "stage": { "pre-login": { "rate": 40_000 } },
        })).await;
        assert_eq!((&changed["enabled"], &changed["shields"]), (&json!(false), &json!([])));
        assert_eq!(changed["stage"]["pre-login"], json!({ "max_attempts": 100, "rate": 40_000 }));

        assert_eq!(read(server, "breached-password-detection").await["enabled"], false);
        let changed = change(server, "breached-password-detection", &json!({
            "enabled": true, "shields": ["admin_notification", "block"], "method": "enhanced",
            "admin_notification_frequency": ["monthly", "daily"],
            "stage": { "pre-change-password": { "shields": ["block"] }, "pre-user-registration": {} },
        })).await;
        assert_eq!(changed, json!({
            "enabled": true, "shields": ["block", "admin_notification"], "method": "enhanced",
            "admin_notification_frequency": ["daily", "monthly"],
            "stage": { "pre-change-password": { "shields": ["block"] }, "pre-user-registration": { "shields": [] } },
        }));
        assert_eq!(server.api().logs("sapi").await.iter().filter(|event| {
            event["details"]["request"]["path"].as_str().unwrap().starts_with("/api/v2/attack-protection/")
        }).count(), 3);
    }

    async fn what_is_no_setting_is_refused_by_name(server) {
        for (name, body, says) in [
            ("brute-force-protection", json!({ "max_attempts": 0 }), "less than minimum 1' on property max_attempts"),
            ("brute-force-protection", json!({ "max_attempts": 101 }), "greater than maximum 100"),
            ("brute-force-protection", json!({ "mode": "guess" }), "No enum match for: guess' on property mode"),
            ("brute-force-protection", json!({ "shields": ["admin_notification"] }), "on property shields[0]"),
            ("brute-force-protection", json!({ "allowlist": ["x"] }), "on property allowlist[0]"),
            ("brute-force-protection", json!({ "allowlist": vec!["::1"; 101] }), "Array is too long (101), maximum 100"),
            ("brute-force-protection", json!({ "enabled": 1, "max_attempts": 5 }), "on property enabled"),
            ("brute-force-protection", json!({ "stage": {} }), "Additional properties not allowed: stage"),
            ("suspicious-ip-throttling", json!({ "stage": { "pre-login": { "rate": 1 } } }), "stage.pre-login.rate"),
            ("suspicious-ip-throttling", json!({ "stage": { "other": {} } }), "not allowed: stage.other"),
            ("breached-password-detection", json!({ "method": "x" }), "No enum match for: x' on property method"),
            ("bot-detection", json!({ "bot_detection_level": "x" }), "No enum match for: x"),
            ("captcha", json!({ "hcaptcha": { "site_key": "k" } }), "Missing required property: hcaptcha.secret"),
            ("captcha", json!({ "other": {} }), "Additional properties not allowed: other"),
        ] {
            refuse(server, name, &body, says).await;
        }
        server.api().get("user-blocks").await.expect(400);
        server.api().get("user-blocks/auth0%7Cnobody").await.expect(404);
        server.api().delete("user-blocks/auth0%7Cnobody").await.expect(404);
        server.api().get("anomaly/blocks/ips/nowhere").await.expect(400);
    }

    async fn what_only_humans_can_prove_is_kept_and_its_secrets_stay_here(server) {
        let changed = change(server, "bot-detection", &json!({ "bot_detection_level": "high" })).await;
        assert_eq!((&changed["bot_detection_level"], &changed["challenge_password_policy"]), (&json!("high"), &json!("never")));
        let captcha = json!({ "active_provider_id": "hcaptcha", "hcaptcha": { "site_key": "k", "secret": "hush" } });
        let changed = change(server, "captcha", &captcha).await;
        assert_eq!(changed["hcaptcha"], json!({ "site_key": "k" }));
        server.restart().await;
        let read = read(server, "captcha").await;
        assert_eq!((&read["active_provider_id"], &read["hcaptcha"]), (&json!("hcaptcha"), &json!({ "site_key": "k" })));
        let told = json!(server.api().logs("sapi").await).to_string();
        assert!(!told.contains("hush"), "{told}");
    }

    async fn each_call_asks_for_its_scope(server) {
        let reader = server.api_with(&["read:attack_protection"]).await;
        let path = "attack-protection/brute-force-protection";
        reader.get(path).await.expect(200);
        let refused = reader.patch(path, &json!({ "enabled": false })).await.expect(403);
        assert!(refused.text.contains("update:attack_protection"), "{}", refused.text);
        let user = server.user("ann@example.com").await;
        let blocks = format!("user-blocks/{}", user.path_id());
        for path in [&*blocks, "user-blocks?identifier=a", "anomaly/blocks/ips/192.0.2.1"] {
            reader.get(path).await.expect(403);
            reader.delete(path).await.expect(403);
        }
    }

    async fn only_administrators_give_guesses_at_an_administrator_another_start(server) {
        let helper = server.api_with(&["read:users", "update:users"]).await;
        let found = server.api().get("users?q=email:admin*").await.expect(200).json();
        let path = format!("user-blocks/{}", found[0]["user_id"].as_str().unwrap().replace('|', "%7C"));
        helper.delete(&path).await.expect(403);
        server.api().delete(&path).await.expect(204);
    }
}

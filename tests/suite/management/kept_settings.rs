//! Settings that are only kept: mail, branding, prompts. What was written comes back, secrets do not, and what does not
//! fit is refused by name.

use reqwest::Method;
use serde_json::{Value, json};
use suite::{Reply, Server, on_every_store};

async fn put(server: &Server, path: &str, body: &Value) -> Reply {
    server.api().call(Method::PUT, path, Some(body)).await
}

async fn read(server: &Server, path: &str) -> Value {
    server.api().get(path).await.expect(200).json()
}

on_every_store! {
    async fn a_mail_provider_is_kept_and_its_secrets_stay_here(server) {
        let path = "emails/provider";
        let none = server.api().get(path).await;
        let (missing, code) = ("There is not a configured email provider", "inexistent_email_provider");
        none.expect_api_error(404, "Not Found", missing, code);
        server.api().patch(path, &json!({ "enabled": false })).await.expect(404);
        let smtp = json!({
            "name": "smtp", "default_from_address": "a@example.com",
            "credentials": { "smtp_host": "mail.example.com", "smtp_port": 587, "smtp_user": "bob", "smtp_pass": "hush" },
            "settings": { "headers": { "X-A": "b" } },
        });
        let shown = json!({
            "name": "smtp", "enabled": true, "default_from_address": "a@example.com",
            "credentials": { "smtp_host": "mail.example.com", "smtp_port": 587, "smtp_user": "bob" },
            "settings": { "headers": { "X-A": "b" } },
        });
        assert_eq!(server.api().post(path, &smtp).await.expect(201).json(), shown);
        server.api().post(path, &smtp).await.expect(409);
        server.restart().await;
        assert_eq!(read(server, path).await, shown);
        let part = read(server, "emails/provider?fields=name,enabled&include_fields=true").await;
        assert_eq!(part, json!({ "name": "smtp", "enabled": true }));

        let changed = server.api().patch(path, &json!({ "enabled": false })).await.expect(200).json();
        assert_eq!((&changed["enabled"], &changed["settings"]), (&json!(false), &shown["settings"]));
        let other = json!({ "name": "mandrill", "credentials": { "api_key": "hush" } });
        let changed = server.api().patch(path, &other).await.expect(200).json();
        let expected = json!({
            "name": "mandrill", "enabled": false, "default_from_address": "a@example.com", "credentials": {},
        });
        assert_eq!(changed, expected, "another provider begins anew");
        for (body, says) in [
            (json!({ "name": "pigeon" }), "No enum match for: pigeon' on property name"),
            (json!({ "credentials": { "pin": 1 } }), "Additional properties not allowed: credentials.pin"),
            (json!({ "credentials": { "smtp_port": 0 } }), "on property credentials.smtp_port"),
        ] {
            let refused = server.api().patch(path, &body).await.expect(400);
            assert!(refused.text.contains(says), "{}", refused.text);
        }
        assert_eq!(read(server, path).await, expected, "a refusal changes nothing");
        let told = json!(server.api().logs("sapi").await).to_string();
        assert!(!told.contains("hush"), "{told}");
        server.api().delete(path).await.expect(204);
        server.api().get(path).await.expect(404);
        server.api().delete(path).await.expect(204);
    }

    async fn mail_templates_are_kept_by_name(server) {
        let path = "email-templates/welcome_email";
        server.api().get(path).await.expect(404);
        server.api().get("email-templates/love_letter").await.expect(400);
        let template = json!({
            "template": "welcome_email", "body": "<h1>Hi</h1>", "from": "a@example.com", "subject": "Hi",
            "syntax": "liquid", "urlLifetimeInSeconds": 3600, "enabled": true,
        });
        server.api().patch(path, &json!({ "enabled": false })).await.expect(404);
        assert_eq!(server.api().post("email-templates", &template).await.expect(200).json(), template);
        server.api().post("email-templates", &template).await.expect(409);
        let changed = server.api().patch(path, &json!({ "subject": "Hello" })).await.expect(200).json();
        assert_eq!((&changed["subject"], &changed["body"]), (&json!("Hello"), &json!("<h1>Hi</h1>")));
        assert_eq!(put(server, path, &template).await.expect(200).json(), template);
        let another = json!({ "template": "reset_email" });
        server.api().patch(path, &another).await.expect(400);
        put(server, path, &another).await.expect(400);
        assert_eq!(read(server, path).await, template);
    }

    async fn branding_its_page_and_themes_are_kept(server) {
        assert_eq!(read(server, "branding").await, json!({}));
        let branding = json!({ "colors": { "primary": "#112233", "page_background": "#fff" }, "logo_url": "https://a.test/l.png" });
        assert_eq!(server.api().patch("branding", &branding).await.expect(200).json(), branding);
        let cleared = server.api().patch("branding", &json!({ "logo_url": null })).await.expect(200).json();
        assert_eq!(cleared, json!({ "colors": branding["colors"] }));
        for bad in [json!({ "colors": { "primary": "red" } }), json!({ "logo": "x" }), json!([])] {
            server.api().patch("branding", &bad).await.expect(400);
        }

        let page = "branding/templates/universal-login";
        server.api().get(page).await.expect(404);
        put(server, page, &json!({ "template": "<html>" })).await.expect(201);
        put(server, page, &json!("<html>2")).await.expect(204);
        assert_eq!(read(server, page).await, json!({ "body": "<html>2" }));
        put(server, page, &json!({ "page": "" })).await.expect(400);
        server.api().delete(page).await.expect(204);
        server.api().get(page).await.expect(404);

        server.api().get("branding/themes/default").await.expect(404);
        let font = json!({ "bold": false, "size": 100 });
        let theme = json!({
            "borders": {
                "button_border_radius": 3, "button_border_weight": 1, "buttons_style": "rounded",
                "input_border_radius": 3, "input_border_weight": 1, "inputs_style": "rounded",
                "show_widget_shadow": true, "widget_border_weight": 0, "widget_corner_radius": 5,
            },
            "colors": {
                "body_text": "#1e212a", "error": "#d03c38", "header": "#1e212a", "icons": "#65676e",
                "input_background": "#ffffff", "input_border": "#c9cace", "input_filled_text": "#000000",
                "input_labels_placeholders": "#65676e", "links_focused_components": "#635dff",
                "primary_button": "#635dff", "primary_button_label": "#ffffff", "secondary_button_border": "#c9cace",
                "secondary_button_label": "#1e212a", "success": "#13a688", "widget_background": "#ffffff",
                "widget_border": "#c9cace",
            },
            "fonts": {
                "body_text": font, "buttons_text": font, "font_url": "", "input_labels": font, "links": font,
                "links_style": "normal", "reference_text_size": 16, "subtitle": font, "title": { "bold": true, "size": 150 },
            },
            "page_background": { "background_color": "#000000", "background_image_url": "", "page_layout": "center" },
            "widget": {
                "header_text_alignment": "center", "logo_height": 52, "logo_position": "center", "logo_url": "",
                "social_buttons_layout": "bottom",
            },
        });
        server.api().post("branding/themes", &json!({ "displayName": "x" })).await.expect(400);
        let made = server.api().post("branding/themes", &theme).await.expect(200).json();
        let one = format!("branding/themes/{}", made["themeId"].as_str().unwrap());
        assert_eq!(read(server, "branding/themes/default").await, made);
        assert_eq!(made["colors"], theme["colors"]);
        let changed = server.api().patch(&one, &json!({ "displayName": "Mine" })).await.expect(200).json();
        assert_eq!((&changed["displayName"], &changed["fonts"]), (&json!("Mine"), &theme["fonts"]));
        server.api().delete(&one).await.expect(204);
        for method in [Method::GET, Method::DELETE] {
            server.api().call(method, &one, None).await.expect(404);
        }
        server.api().patch(&one, &json!({ "displayName": "x" })).await.expect(404);
    }

    async fn phone_providers_and_templates_are_kept_in_lists(server) {
        assert_eq!(read(server, "branding/phone/providers").await, json!({ "providers": [] }));
        let twilio = json!({
            "name": "twilio", "credentials": { "auth_token": "hush" },
            "configuration": { "sid": "AC1", "delivery_methods": ["text"] },
        });
        let made = server.api().post("branding/phone/providers", &twilio).await.expect(201).json();
        let one = format!("branding/phone/providers/{}", made["id"].as_str().unwrap());
        assert_eq!(read(server, &one).await, made);
        assert!(!made.to_string().contains("hush"), "{made}");
        assert_eq!(made["configuration"], twilio["configuration"]);
        assert_eq!(read(server, "branding/phone/providers").await["providers"][0], made);
        server.api().delete(&one).await.expect(204);
        let template = json!({ "type": "otp_verify", "content": { "body": { "text": "Your code" } } });
        let made = server.api().post("branding/phone/templates", &template).await.expect(201).json();
        assert_eq!(read(server, "branding/phone/templates").await["templates"], json!([made]));
    }

    async fn prompts_keep_their_texts_partials_and_rendering(server) {
        let defaults = json!({
            "universal_login_experience": "new", "identifier_first": false, "webauthn_platform_first_factor": false,
        });
        assert_eq!(read(server, "prompts").await, defaults);
        let changed = server.api().patch("prompts", &json!({ "identifier_first": true })).await.expect(200).json();
        assert_eq!(changed["identifier_first"], true);

        for (path, body) in [
            ("prompts/login/custom-text/de", json!({ "login": { "title": "Hallo" } })),
            ("prompts/login/partials", json!({ "login": { "form-content-start": "<p>Hi</p>" } })),
        ] {
            assert_eq!(read(server, path).await, json!({}));
            assert_eq!(put(server, path, &body).await.expect(200).json(), body);
            put(server, path, &json!({ "login": { "title": 1 } })).await.expect(400);
            assert_eq!(read(server, path).await, body);
            assert_eq!(put(server, path, &json!({})).await.expect(200).json(), json!({}));
        }
        for path in ["prompts/party/custom-text/de", "prompts/login/custom-text/xx", "prompts/status/partials"] {
            server.api().get(path).await.expect(400);
        }

        assert_eq!(read(server, "prompts/rendering").await, json!([]));
        let screen = "prompts/login/screen/login/rendering";
        assert_eq!(read(server, screen).await["rendering_mode"], "standard");
        let advanced = json!({ "rendering_mode": "advanced", "context_configuration": ["tenant.name"] });
        let changed = server.api().patch(screen, &advanced).await.expect(200).json();
        assert_eq!((&changed["prompt"], &changed["rendering_mode"]), (&json!("login"), &json!("advanced")));
        let all = read(server, "prompts/rendering?include_totals=true").await;
        assert_eq!((&all["configs"], &all["total"]), (&json!([changed]), &json!(1)));
        let bulk = json!({ "configs": [{ "prompt": "signup", "screen": "signup", "rendering_mode": "standard" }] });
        server.api().patch("prompts/rendering", &bulk).await.expect(200);
        assert_eq!(read(server, "prompts/rendering").await.as_array().unwrap().len(), 2);
    }

    async fn each_kind_asks_for_its_scope(server) {
        let nobody = server.api_with(&["read:clients"]).await;
        for path in [
            "emails/provider", "email-templates/welcome_email", "branding", "branding/templates/universal-login",
            "branding/themes/default", "branding/phone/providers", "branding/phone/templates", "prompts",
            "prompts/rendering", "prompts/login/custom-text/en", "prompts/login/partials",
        ] {
            nobody.get(path).await.expect(403);
        }
        for path in ["emails/provider", "branding", "prompts", "prompts/rendering", "branding/themes/x"] {
            nobody.patch(path, &json!({ "configs": [] })).await.expect(403);
        }
    }
}

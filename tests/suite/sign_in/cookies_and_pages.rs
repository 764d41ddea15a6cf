//! What the pages and cookies promise: no scripts, no framing, no forms from elsewhere, no cookie for anyone else.

use suite::browser::{BROWSER_COOKIE, SESSION_COOKIE, the_form};
use suite::form::Form;
use suite::on_every_store;

on_every_store! {
    async fn both_cookies_are_for_this_host_only_and_out_of_reach_of_scripts(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let begun = browser.get_once(&app.request().url()).await;
        let page = browser.get(begun.location().unwrap().as_str()).await;
        let mut form = the_form(&page);
        form.set("username", &user.email);
        form.set("password", &user.password);
        let done = browser.post_once(page.url.join(&form.action).unwrap().as_str(), &form.fields).await;
        for cookie in [begun.set_cookie(BROWSER_COOKIE), done.set_cookie(SESSION_COOKIE)] {
            let parts: Vec<&str> = cookie.split("; ").collect();
            for part in ["Path=/", "Secure", "HttpOnly", "SameSite=None"] {
                assert!(parts.contains(&part), "{part}: {cookie}");
            }
            assert!(cookie.starts_with("__Host-") && !cookie.contains("Domain"), "{cookie}");
        }
        assert!(done.set_cookie(SESSION_COOKIE).contains("Max-Age=604800"), "{}", done.set_cookie(SESSION_COOKIE));
        assert_eq!((done.status, done.header("cache-control")), (302, "no-store"));
    }

    async fn pages_run_no_scripts_and_stand_in_no_frame(server) {
        let app = server.app("Shop").await;
        let browser = server.browser();
        let sign_in = browser.get(&app.request().url()).await.expect(200);
        let sign_up = browser.get(&app.request().with("screen_hint", "signup").url()).await.expect(200);
        let error = browser.get("/authorize?client_id=unknown").await;
        for page in [sign_in, sign_up, error, browser.get("/no/such/page").await] {
            let policy = page.header("content-security-policy");
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"), "{policy}");
            assert!(!page.text.contains("<script") && !page.text.contains("style="), "{}", page.text);
            assert_eq!(page.header("x-frame-options"), "DENY");
            assert_eq!(page.header("x-content-type-options"), "nosniff");
            assert_eq!(page.header("referrer-policy"), "no-referrer");
        }
    }

    async fn the_pages_style_is_served(server) {
        let app = server.app("Shop").await;
        let page = server.browser().get(&app.request().url()).await;
        let start = page.text.find("rel=\"stylesheet\" href=\"").unwrap() + 23;
        let path = page.text[start..].split('"').next().unwrap();
        let style = server.wire.get(path).await.expect(200);
        assert!(style.header("content-type").starts_with("text/css"), "{style:?}");
    }

    async fn a_form_from_elsewhere_is_refused(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let page = browser.get(&app.request().url()).await;
        let mut form = the_form(&page);
        form.set("username", &user.email);
        form.set("password", &user.password);
        let forgeries: [&dyn Fn(&mut Form); 4] = [
            &|form| form.set("csrf", ""),
            &|form| form.set("csrf", "forged"),
            &|form| form.fields.retain(|(name, _)| name != "csrf"),
            &|form| form.set("state", "another"),
        ];
        for forge in forgeries {
            let mut forged = form.clone();
            forge(&mut forged);
            let reply = browser.submit(&page, &forged).await;
            assert_eq!(reply.status, 403, "{}", reply.text);
        }
        let reply = server.browser().submit(&page, &form).await;
        assert_eq!(reply.status, 403, "another browser: {}", reply.text);
        assert_eq!(server.api().logs("s").await.len(), 0);
        browser.callback(&browser.submit(&page, &form).await).code();
    }

    async fn a_finished_sign_in_cannot_be_posted_again(server) {
        let (app, user, browser) = (server.app("Shop").await, server.user("ann@example.com").await, server.browser());
        let page = browser.get(&app.request().url()).await;
        browser.callback(&browser.enter(&page, &user.email, &user.password).await).code();
        let again = browser.enter(&page, &user.email, &user.password).await;
        again.expect_page(400, "over");
    }

    async fn two_tabs_sign_in_side_by_side(server) {
        let (shop, forum) = (server.app("Shop").await, server.app("Forum").await);
        let (user, browser) = (server.user("ann@example.com").await, server.browser());
        let first = browser.get(&shop.request().url()).await;
        let second = browser.get(&forum.request().url()).await;
        let shop_in = shop.redeem(&browser.callback(&browser.enter(&first, &user.email, &user.password).await)).await;
        let forum_in = forum.redeem(&browser.callback(&browser.enter(&second, &user.email, &user.password).await)).await;
        assert_eq!(shop_in.sid, forum_in.sid, "one browser, one session");
        let sessions = server.api().get(&format!("users/{}/sessions", user.path_id())).await.expect(200).json();
        assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1, "{sessions}");
    }
}

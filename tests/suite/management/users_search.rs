//! `GET /api/v2/users?q=`: who is found by what.

use serde_json::json;
use suite::on_every_store;

on_every_store! {
    async fn users_are_found_by_what_lucene_says(server) {
        let began = server.now();
        let ann = server.user_with("Ann@example.com", json!({ "name": "Ann Lee", "given_name": "Ann" })).await;
        server.advance_hours(24);
        let ben = server.user_with("ben@example.org", json!({ "name": "Ben", "email_verified": true })).await;
        let path = format!("users/{}", ben.path_id());
        server.api().patch(&path, &json!({ "blocked": true })).await.expect(200);
        for (q, expected) in [
            ("email:\"ann@EXAMPLE.com\"".to_owned(), vec![&ann]),
            ("email:*@example.* AND NOT blocked:true".to_owned(), vec![&ann]),
            ("email.raw:\"Ann@example.com\" OR email.raw:\"ann@example.com\"".to_owned(), vec![&ann]),
            ("name:\"ann lee\"".to_owned(), vec![&ann]),
            ("name:(ben OR \"ann lee\")".to_owned(), vec![&ann, &ben]),
            ("ben".to_owned(), vec![&ben]),
            ("email_verified:true AND name:b*".to_owned(), vec![&ben]),
            ("_exists_:given_name".to_owned(), vec![&ann]),
            (format!("created_at:[{began} TO {began}] AND NOT email:admin@localhost"), vec![&ann]),
            (format!("created_at:>{began}"), vec![&ben]),
            (format!("user_id:\"{}\"", ben.id), vec![&ben]),
            (format!("user_id:\"{}\" AND name:ann*", ben.id), vec![]),
            ("name:nobody".to_owned(), vec![]),
        ] {
            let value: String = url::form_urlencoded::byte_serialize(q.as_bytes()).collect();
            let found = server.api().get(&format!("users?q={value}")).await.expect(200).json();
            let mut found: Vec<_> =
                found.as_array().unwrap().iter().map(|user| user["user_id"].as_str().unwrap().to_owned()).collect();
            found.sort();
            let mut expected: Vec<_> = expected.iter().map(|user| user.id.clone()).collect();
            expected.sort();
            assert_eq!(found, expected, "{q}");
        }
    }
}

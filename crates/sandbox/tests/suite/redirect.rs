//! `api.redirect` and `api.authentication`: their commands, their tokens, the texts they throw.

use sandbox::post_login::{CONTINUE_HANDLER, Event, Request, Transaction, User};
use sandbox::{Command, Failure, Job, Outcome};
use serde_json::json;

use crate::kit::{action, commands, job, message, sandbox};

fn event() -> Event {
    let query = json!({ "state": "st" });
    let request = Request {
        ip: "192.0.2.7".to_owned(),
        hostname: Some("id.example".to_owned()),
        query: query.as_object().unwrap().clone(),
        ..Request::default()
    };
    let user = User { user_id: "auth0|1".to_owned(), ..User::default() };
    Event { request, user, ..Event::default() }
}

async fn run_in(body: &str, event: Event) -> Outcome {
    sandbox().run(job(&action(body), event)).await
}

/// Runs a body as `onContinuePostLogin`.
async fn continued(body: &str, event: Event) -> Outcome {
    let code = format!("exports.onContinuePostLogin = async (event, api) => {{\n{body}\n}};");
    sandbox().run(Job { handler: CONTINUE_HANDLER.to_owned(), ..job(&code, event) }).await
}

fn lines(outcome: &Outcome) -> Vec<&str> {
    assert_eq!(outcome.failure, None);
    outcome.console.iter().map(|line| line.text.as_str()).collect()
}

fn thrown(outcome: Outcome) -> String {
    match outcome.failure {
        Some(Failure::Script { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_redirect_is_a_command_with_its_query_and_chains() {
    let body =
        "api.redirect.sendUserTo('https://a.example/x?a=1', { query: { b: '2 &', n: 3, no: undefined } })
        .access.deny('later');";
    let url = "https://a.example/x?a=1&b=2+%26&n=3".to_owned();
    let expected = [Command::SendUserTo { url }, Command::DenyAccess { reason: "later".to_owned() }];
    assert_eq!(commands(body).await, expected);
    for bad in ["'/here'", "'javascript:alert(1)'", "'myapp://x'"] {
        let text = message(&format!("api.redirect.sendUserTo({bad})")).await;
        assert!(text.ends_with("is not an absolute http or https URL."), "{text}");
    }
    let text = message("api.redirect.sendUserTo()").await;
    assert_eq!(text, "The URL given to api.redirect.sendUserTo must be a non-empty string.");
    let text =
        message("api.redirect.sendUserTo('https://a.example', { query: { q: 'x'.repeat(20000) } })").await;
    assert!(text.contains("longer than 16384 bytes"), "{text}");
}

#[tokio::test]
async fn a_token_holds_auth0s_claims_and_then_the_payload() {
    let body = "const token = api.redirect.encodeToken({ secret: 'shh', payload: { a: 'ü', ip: 'mine' } });
        const part = (at) => JSON.parse(Buffer.from(token.split('.')[at], 'base64url').toString());
        const { iat, exp, ...rest } = part(1);
        console.log(JSON.stringify(part(0)), exp - iat, Math.abs(Date.now() / 1000 - iat) < 60, JSON.stringify(rest));
        const tag = require('crypto').createHmac('sha256', 'shh')
            .update(token.split('.').slice(0, 2).join('.')).digest('base64url');
        console.log(tag === token.split('.')[2]);
        const short = api.redirect.encodeToken({ secret: 'shh', expiresInSeconds: 60, payload: {} }).split('.')[1];
        const claims = JSON.parse(Buffer.from(short, 'base64url').toString());
        console.log(claims.exp - claims.iat, claims.ip);";
    let outcome = run_in(body, event()).await;
    let expected = [
        r#"{"alg":"HS256","typ":"JWT"} 900 true {"iss":"id.example","sub":"auth0|1","ip":"mine","a":"ü"}"#,
        "true",
        "60 192.0.2.7",
    ];
    assert_eq!(lines(&outcome), expected);
    assert!(message("api.redirect.encodeToken({ payload: {} })").await.contains("secret given to"));
    assert!(message("api.redirect.encodeToken({ secret: 's', payload: 'x' })").await.contains("payload"));
    let text = message("api.redirect.encodeToken({ secret: 's', expiresInSeconds: -1 })").await;
    assert!(text.contains("expiresInSeconds"), "{text}");
}

/// A token made by the script itself, put into the request's body, and validated.
async fn validated(claims: &str, secret: &str, given: &str) -> Outcome {
    let body = format!(
        "const seconds = Math.floor(Date.now() / 1000);
        event.request.body.session_token = api.redirect.encodeToken({{ secret: {secret}, payload: {claims} }});
        event.request.body.other = event.request.body.session_token;
        console.log(JSON.stringify(api.redirect.validateToken({given}).answer));"
    );
    continued(&body, event()).await
}

#[tokio::test]
async fn a_token_that_comes_back_is_believed_with_signature_time_and_state() {
    let good = "{ state: 'st', answer: [1] }";
    assert_eq!(lines(&validated(good, "'shh'", "{ secret: 'shh' }").await), ["[1]"]);
    let other = "{ secret: 'shh', tokenParameterName: 'other' }";
    assert_eq!(lines(&validated(good, "'shh'", other).await), ["[1]"]);
    for (claims, given, says) in [
        (good, "{ secret: 'else' }", "signature"),
        (good, "{ secret: 'shh', tokenParameterName: 'absent' }", "no parameter called 'absent'"),
        ("{ state: 'another' }", "{ secret: 'shh' }", "The state in the token does not match"),
        ("{}", "{ secret: 'shh' }", "The state in the token does not match"),
        ("{ state: 'st', exp: seconds }", "{ secret: 'shh' }", "expired"),
        ("{ state: 'st', exp: undefined }", "{ secret: 'shh' }", "no expiry"),
        ("{ state: 'st', nbf: seconds + 60 }", "{ secret: 'shh' }", "not good yet"),
        (good, "{}", "secret given to api.redirect.validateToken"),
    ] {
        let text = thrown(validated(claims, "'shh'", given).await);
        assert!(text.contains(says), "{claims} {given}: {text}");
    }
    let text = thrown(run_in("api.redirect.validateToken({ secret: 's' })", event()).await);
    assert_eq!(text, "api.redirect.validateToken can only be called in onContinuePostLogin.");
}

#[tokio::test]
async fn patched_built_ins_do_not_make_a_token_good() {
    let body =
        "JSON.parse = () => ({ state: 'st', exp: 1e12 }); Date.now = () => 0; Object.hasOwn = () => true;
        Array.isArray = () => false; Object.prototype.toJSON = () => 'forged';
        event.request.body.session_token = 'a.b.c';
        api.redirect.validateToken({ secret: 'shh' });";
    assert_eq!(thrown(continued(body, event()).await), "The session token is not a JWT.");
    let body = "event.request.query.state = 'mine';
        event.request.body.session_token = api.redirect.encodeToken({ secret: 's', payload: { state: 'mine' } });
        api.redirect.validateToken({ secret: 's' });";
    assert!(thrown(continued(body, event()).await).contains("does not match"));
}

#[tokio::test]
async fn a_redirect_is_possible_where_someone_looks() {
    let transaction = |protocol: &str, prompt: &[&str]| Transaction {
        protocol: protocol.to_owned(),
        prompt: prompt.iter().map(|prompt| (*prompt).to_owned()).collect(),
        ..Transaction::default()
    };
    for (transaction, expected) in [
        (transaction("oidc-basic-profile", &[]), "true"),
        (transaction("oidc-basic-profile", &["login"]), "true"),
        (transaction("oidc-basic-profile", &["none"]), "false"),
        (transaction("oauth2-refresh-token", &[]), "false"),
    ] {
        let body = "event.transaction = {}; console.log(api.redirect.canRedirect());";
        let outcome = run_in(body, Event { transaction, ..event() }).await;
        assert_eq!(lines(&outcome), [expected]);
    }
}

#[tokio::test]
async fn methods_are_recorded_on_the_way_back_only() {
    let body = "api.authentication.recordMethod('https://mfa.example/totp').access.deny('x')";
    let name = "https://mfa.example/totp".to_owned();
    let expected =
        [Command::RecordAuthenticationMethod { name }, Command::DenyAccess { reason: "x".to_owned() }];
    assert_eq!(continued(body, event()).await.commands, expected);
    let text = message(body).await;
    assert_eq!(text, "api.authentication.recordMethod can only be called in onContinuePostLogin.");
    let text = thrown(continued("api.authentication.recordMethod('totp')", event()).await);
    assert_eq!(text, "`totp` is not an absolute http or https URL.");
}

#[tokio::test]
async fn the_primary_user_is_set_once_and_with_auth0s_texts() {
    let user_id = "auth0|2".to_owned();
    let body = "api.authentication.setPrimaryUser('auth0|2')";
    assert_eq!(commands(body).await, [Command::SetPrimaryUser { user_id }]);
    let text = message(&format!("{body}; {body};")).await;
    assert_eq!(text, "The primary user can only be altered once per transaction");
    for bad in ["", "''", "5", "null"] {
        let text = message(&format!("api.authentication.setPrimaryUser({bad})")).await;
        assert_eq!(text, "The provided primary_user_id must be a non-empty string", "{bad}");
    }
    let text = message("api.authentication.setPrimaryUser('x'.repeat(129))").await;
    assert_eq!(text, "The provided primary_user_id exceeds the maximum length.");
    let transaction = Transaction { protocol: "oauth2-refresh-token".to_owned(), ..Transaction::default() };
    let text = thrown(run_in(body, Event { transaction, ..event() }).await);
    assert!(text.contains("not available on this server"), "{text}");
}

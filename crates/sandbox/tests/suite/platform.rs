//! The platform's objects beyond the language: URLs, text, bytes, digests, signatures, dates, Node.js's modules.

use crate::kit::{message, run};

/// Runs a body that must end well and answers what it wrote.
async fn lines(body: &str) -> Vec<String> {
    let outcome = run(body).await;
    assert_eq!(outcome.failure, None, "{body}");
    outcome.console.into_iter().map(|line| line.text).collect()
}

/// Each expression, and the text that it must come to.
async fn check(before: &str, cases: &[(&str, &str)]) {
    let writes: String =
        cases.iter().map(|(expression, _)| format!("console.log(String(await ({expression})));\n")).collect();
    let got = lines(&format!("{before}\n{writes}")).await;
    let wrong: Vec<_> = cases
        .iter()
        .zip(&got)
        .filter(|((_, expected), got)| expected != got)
        .map(|((expression, expected), got)| format!("{expression} gave {got}, not {expected}"))
        .collect();
    assert!(wrong.is_empty() && got.len() == cases.len(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn urls_are_read_and_changed_by_the_standard() {
    check(
        "const u = new URL('../b c?x=1#h', 'https://User:pw@EXAMPLE.com:443/a/a/');
        const v = new URL('https://a.example/?x=1'); v.searchParams.append('y', 'ä b'); v.searchParams.delete('x');
        const w = new URL('https://a.example/p'); w.port = '8443'; w.pathname = '/q'; w.hash = 'z'; w.search = '?k=v'; w.host = 'b.example:99999';",
        &[
            ("u.href", "https://User:pw@example.com/a/b%20c?x=1#h"),
            ("[u.origin, u.protocol, u.port, u.hostname, u.username]", "https://example.com,https:,,example.com,User"),
            ("v", "https://a.example/?y=%C3%A4+b"),
            ("w.href", "https://b.example:8443/q?k=v#z"),
            ("w.searchParams.get('k')", "v"),
            ("JSON.stringify({ u: w })", r#"{"u":"https://b.example:8443/q?k=v#z"}"#),
            ("new URL('https://xn--bcher-kva.example').host + new URL('https://bücher.example').host", "xn--bcher-kva.examplexn--bcher-kva.example"),
            ("URL.canParse('nope') + ' ' + URL.canParse('/x', 'https://a')", "false true"),
            ("new URLSearchParams({ a: 1, b: 'x y' })", "a=1&b=x+y"),
            ("[...new URLSearchParams('?a=1&a=2&b=%20')].join('|')", "a,1|a,2|b, "),
            ("new URLSearchParams([['b', 2], ['a', 1]]).size", "2"),
        ],
    )
    .await;
    assert_eq!(message("new URL('nope')").await, "Invalid URL");
}

#[tokio::test]
async fn text_and_bytes_turn_into_each_other() {
    check(
        "",
        &[
            ("new TextEncoder().encode('aä€😀')", "97,195,164,226,130,172,240,159,152,128"),
            ("new TextDecoder().decode(new Uint8Array([0xEF, 0xBB, 0xBF, 0x61, 0xFF]))", "a\u{fffd}"),
            ("new TextEncoder().encode('\\ud800').length", "3"),
            ("btoa('hé') + atob(' aGk ')", "aOk=hi"),
            ("Buffer.from('aä').toString('hex')", "61c3a4"),
            ("Buffer.from('fb-_', 'base64url').toString('base64')", "fb+/"),
            ("Buffer.from('ff00', 'hex').toString('base64url')", "_wA"),
            ("Buffer.from('é', 'latin1').toJSON().data", "233"),
            ("Buffer.concat([Buffer.from('a'), Buffer.alloc(2, 'b')]) + Buffer.byteLength('ä')", "abb2"),
            ("Buffer.from('abc').equals(new Uint8Array([97, 98, 99]))", "true"),
            ("Buffer.isBuffer(Buffer.alloc(1)) + ' ' + Buffer.isBuffer(new Uint8Array(1)) + ' ' + (Buffer.alloc(1) instanceof Uint8Array)", "true false true"),
            ("(() => { const b = Buffer.alloc(8); b.writeUInt32BE(0xdeadbeef, 0); b.writeUInt16LE(1, 4); return b.toString('hex') + b.readUInt32BE(0) })()", "deadbeef010000003735928559"),
            ("Buffer.from('hello').slice(1, 3).toString() + Buffer.from('hello').indexOf('l')", "el2"),
            ("require('buffer').Buffer === Buffer && require('node:buffer').Buffer === Buffer", "true"),
            ("JSON.stringify(Buffer.from('a'))", r#"{"type":"Buffer","data":[97]}"#),
        ],
    )
    .await;
    assert!(
        message("new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255]))")
            .await
            .contains("not valid")
    );
    assert!(message("btoa('€')").await.contains("Invalid character"));
    assert!(message("Buffer.from('a').readUInt32LE(0)").await.contains("outside buffer bounds"));
}

/// The values are those of FIPS 180-4's and RFC 4231's examples, and of RFC 1321.
#[tokio::test]
async fn digests_and_hmacs_have_the_standards_values() {
    check(
        "const { createHash, createHmac, timingSafeEqual, randomBytes, randomUUID } = require('crypto');
        const hex = (buffer) => Buffer.from(buffer).toString('hex');",
        &[
            ("createHash('sha256').update('a').update('bc').digest('hex')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("createHash('sha1').update('abc').digest('hex')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("createHash('md5').update('abc').digest('hex')", "900150983cd24fb0d6963f7d28e17f72"),
            ("createHash('sha512').update('abc').digest('base64').slice(0, 10)", "3a81oZNher"),
            ("createHmac('sha256', 'Jefe').update('what do ya want for nothing?').digest('hex')", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            ("crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc')).then(hex)", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("timingSafeEqual(Buffer.from('a'), Buffer.from('a')) + ' ' + timingSafeEqual(Buffer.from('a'), Buffer.from('b'))", "true false"),
            ("randomBytes(16).length + ' ' + (hex(randomBytes(8)) !== hex(randomBytes(8)))", "16 true"),
            ("/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(randomUUID()) && crypto.randomUUID() !== randomUUID()", "true"),
            ("crypto.getRandomValues(new Uint32Array(4)).some((n) => n > 0)", "true"),
        ],
    )
    .await;
    assert!(message("require('crypto').createHash('whirlpool')").await.contains("whirlpool"));
    assert!(message("crypto.getRandomValues(new Uint8Array(70000))").await.contains("65536"));
    assert!(message("require('crypto').scryptSync('a', 'b', 8)").await.contains("crypto.scryptSync"));
}

#[tokio::test]
async fn hmac_keys_of_web_crypto_sign_and_verify() {
    check(
        "const data = new TextEncoder().encode('data');
        const algorithm = { name: 'HMAC', hash: 'SHA-256' };
        const key = await crypto.subtle.importKey('raw', new TextEncoder().encode('k'), algorithm, false, ['sign', 'verify']);
        const signature = await crypto.subtle.sign('HMAC', key, data);",
        &[
            ("Buffer.from(signature).toString('hex') === require('crypto').createHmac('sha256', 'k').update('data').digest('hex')", "true"),
            ("crypto.subtle.verify('HMAC', key, signature, data)", "true"),
            ("crypto.subtle.verify('HMAC', key, signature, new TextEncoder().encode('other'))", "false"),
            ("crypto.subtle.encrypt().catch((e) => e.name + e.message)", "NotSupportedErrorcrypto.subtle.encrypt is not available on this server."),
        ],
    )
    .await;
}

/// A fresh key pair as PEM: the private key and its public half.
fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\\n{text}\\n-----END {label}-----\\n")
}

#[tokio::test]
async fn keys_sign_and_verify_in_both_interfaces() {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
    let rsa = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let rsa_private = AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).unwrap();
    let rsa_public = AsDer::<PublicKeyX509Der<'_>>::as_der(rsa.public_key()).unwrap();
    let ec_private = ec.to_pkcs8v1().unwrap();
    let ec_public = AsDer::<PublicKeyX509Der<'_>>::as_der(ec.public_key()).unwrap();
    for (kind, private, public, web) in [
        ("rsa", rsa_private.as_ref(), rsa_public.as_ref(), "{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }"),
        (
            "ec",
            ec_private.as_ref(),
            ec_public.as_ref(),
            "{ name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }",
        ),
    ] {
        let before = format!(
            "const crypto_ = require('node:crypto'); const algorithm = {web};
            const priv = '{}', pub = '{}'; const data = Buffer.from('data');
            const der = (pem) => Buffer.from(pem.split('-----')[2], 'base64');
            const signature = crypto_.createSign('RSA-SHA256').update('data').sign(priv, 'base64');
            const webPriv = await crypto.subtle.importKey('pkcs8', der(priv), algorithm, false, ['sign']);
            const webPub = await crypto.subtle.importKey('spki', der(pub), algorithm, false, ['verify']);
            const webSignature = await crypto.subtle.sign(algorithm, webPriv, data);",
            pem("PRIVATE KEY", private),
            pem("PUBLIC KEY", public)
        );
        check(
            &before,
            &[
                ("crypto_.createVerify('SHA256').update('data').verify(pub, signature, 'base64')", "true"),
                ("crypto_.createVerify('SHA256').update('other').verify(pub, signature, 'base64')", "false"),
                ("crypto_.createVerify('SHA256').update('data').verify(crypto_.createPublicKey(priv), signature, 'base64')", "true"),
                ("crypto.subtle.verify(algorithm, webPub, webSignature, data)", "true"),
                ("crypto.subtle.verify(algorithm, webPub, webSignature, Buffer.from('other'))", "false"),
                ("crypto.subtle.sign(algorithm, webPub, data).catch((e) => e.name)", "InvalidAccessError"),
                ("crypto_.createPrivateKey(priv).asymmetricKeyType", kind),
                ("crypto_.verify('sha256', data, { key: pub, dsaEncoding: 'ieee-p1363' }, Buffer.from(webSignature))", "true"),
            ],
        )
        .await;
    }
}

/// The key, header, payload and signature of RFC 7515 appendix A.2 and A.3 are too long to repeat; the public key of
/// RFC 7515 A.3 and its signature show that a JWK is read as the standard means it.
#[tokio::test]
async fn a_jwk_verifies_the_example_of_rfc_7515() {
    check(
        "const jwk = { kty: 'EC', crv: 'P-256', x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' };
        const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
        const key = await crypto.subtle.importKey('jwk', jwk, algorithm, true, ['verify']);
        const input = 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
        const signature = Buffer.from('DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q', 'base64url');",
        &[
            ("crypto.subtle.verify(algorithm, key, signature, Buffer.from(input))", "true"),
            ("crypto.subtle.verify(algorithm, key, signature, Buffer.from(input + 'x'))", "false"),
        ],
    )
    .await;
}

#[tokio::test]
async fn nodes_modules_do_what_scripts_use_them_for() {
    check(
        "const util = require('util'), qs = require('querystring'), EventEmitter = require('events'), assert = require('assert'), url = require('url');
        const emitter = new EventEmitter(); let heard = ''; emitter.on('a', (x) => { heard += x }).once('a', (x) => { heard += x + x });
        emitter.emit('a', 1); emitter.emit('a', 2);
        class Mine extends EventEmitter { constructor() { super(); this.x = 1; } }",
        &[
            ("util.promisify((x, done) => done(null, x + 1))(1)", "2"),
            ("util.format('%s-%d', 'a', 5) + util.inspect({ a: 1 })", "a-5{ a: 1 }"),
            ("util.types.isDate(new Date()) + ' ' + util.isDeepStrictEqual({ a: [1] }, { a: [1] })", "true true"),
            ("qs.stringify({ a: [1, 2], b: 'x y' }) + JSON.stringify(qs.parse('a=1&a=2&b=x+y'))", r#"a=1&a=2&b=x%20y{"a":["1","2"],"b":"x y"}"#),
            ("heard", "122"),
            ("new Mine().on('b', () => {}).emit('b')", "true"),
            ("(() => { assert(true); assert.deepStrictEqual({ a: 1 }, { a: 1 }); assert.throws(() => { throw new TypeError('x') }, TypeError); return 'ok' })()", "ok"),
            ("(() => { try { assert.strictEqual(1, 2, 'differ') } catch (e) { return e.name + e.message + e.code } })()", "AssertionErrordifferERR_ASSERTION"),
            ("assert.rejects(Promise.reject(new Error('no')), /no/).then(() => 'ok')", "ok"),
            ("url.parse('https://a.example:1/p?q=1#h', true).query.q + url.parse('https://a.example/p').pathname", "1/p"),
            ("url.format({ protocol: 'https', host: 'a.example', pathname: 'p', query: { q: 1 } })", "https://a.example/p?q=1"),
            ("new url.URLSearchParams('a=1').get('a')", "1"),
        ],
    )
    .await;
    assert_eq!(message("require('node:fs')").await, "Cannot find module 'node:fs'");
    assert_eq!(message("require('node:crypto/x')").await, "Cannot find module 'node:crypto/x'");
}

#[tokio::test]
async fn events_can_be_aborted() {
    check(
        "const controller = new AbortController(); let heard = 0;
        controller.signal.addEventListener('abort', () => heard++);
        const any = AbortSignal.any([controller.signal, AbortSignal.timeout(60_000)]);
        controller.abort(); controller.abort();
        const target = new EventTarget(); target.addEventListener('x', (e) => { heard += e.type }, { once: true });
        target.dispatchEvent(new Event('x')); target.dispatchEvent(new Event('x'));
        const soon = AbortSignal.timeout(1);
        await new Promise((resolve) => soon.addEventListener('abort', resolve));",
        &[
            ("heard", "1x"),
            ("[any.aborted, any.reason.name, controller.signal.reason.code]", "true,AbortError,20"),
            ("soon.reason.name + (soon.reason instanceof DOMException)", "TimeoutErrortrue"),
        ],
    )
    .await;
}

#[tokio::test]
async fn dates_are_told_in_common_ways_and_others_refused_by_name() {
    check(
        "const d = new Date('2025-07-01T22:05:09Z'); const in_ = (zone, more) => ({ timeZone: zone, ...more });",
        &[
            ("d.toLocaleDateString()", "7/1/2025"),
            ("d.toLocaleTimeString('en-US')", "10:05:09 PM"),
            ("d.toLocaleString('en-US', in_('America/New_York'))", "7/1/2025, 6:05:09 PM"),
            ("d.toLocaleString('en-GB', in_('Europe/London'))", "01/07/2025, 23:05:09"),
            ("d.toLocaleDateString('de-DE', in_('Europe/Berlin'))", "2.7.2025"),
            ("d.toLocaleDateString('de-DE', in_('UTC', { day: '2-digit', month: '2-digit', year: 'numeric' }))", "01.07.2025"),
            ("d.toLocaleDateString('en-US', { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' })", "Tuesday, July 1, 2025"),
            ("d.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })", "1 Jul 2025"),
            ("d.toLocaleDateString('de-DE', { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' })", "Dienstag, 1. Juli 2025"),
            ("d.toLocaleString('sv-SE', in_('UTC'))", "2025-07-01 22:05:09"),
            ("d.toLocaleString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit' })", "1 July 2025 at 22:05"),
            ("d.toLocaleString('de-DE', { day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' })", "1. Juli um 22:05"),
            ("new Intl.DateTimeFormat('en-CA', in_('Asia/Tokyo')).format(d)", "2025-07-02"),
            ("new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(d)", "Jul 1, 2025, 10:05 PM"),
            ("new Intl.DateTimeFormat('en-US', { hour: 'numeric', hour12: false, timeZone: 'America/Los_Angeles' }).format(d)", "15"),
            ("new Intl.DateTimeFormat('en-US', { hour: 'numeric', minute: '2-digit', timeZoneName: 'short', timeZone: 'America/New_York' }).format(d)", "6:05 PM EDT"),
            ("Intl.DateTimeFormat.prototype.resolvedOptions.call(new Intl.DateTimeFormat()).timeZone", "UTC"),
            ("new Intl.DateTimeFormat('en-US', { year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(d).filter((p) => p.type !== 'literal').map((p) => p.value)", "07,01,2025"),
        ],
    )
    .await;
    assert_eq!(
        message("new Date().toLocaleString('en-US', { timeZone: 'Mars/Base' })").await,
        "Invalid time zone specified: Mars/Base"
    );
    assert!(message("new Date().toLocaleDateString('fr-FR')").await.contains("fr-FR"));
    assert!(message("new Intl.NumberFormat('en-US')").await.contains("Intl.NumberFormat"));
}

#[tokio::test]
async fn lazily_made_globals_can_be_overwritten_and_looked_for() {
    check(
        "fetch = 1; globalThis.Buffer = 2;",
        &[
            ("fetch + Buffer", "3"),
            ("typeof URL + typeof nothing", "functionundefined"),
            ("'crypto' in globalThis && !Object.keys(globalThis).includes('crypto')", "true"),
            ("Object.getOwnPropertyDescriptor(globalThis, 'atob') !== undefined && atob('aGk=')", "hi"),
        ],
    )
    .await;
}

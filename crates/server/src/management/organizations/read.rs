//! Reads an organization's properties from a body.

use engine::organizations::OrganizationChanges;
use serde_json::Value;
use url::Url;

use crate::management::fields::{Fields, Kind};

/// Properties that are taken and given back without effect.
pub const KEPT: &[(&str, Kind)] = &[("token_quota", Kind::Object)];
/// Most tokens of a quota. Auth0: `token_quota`.
const QUOTA_MAX: i64 = 2_147_483_647;
/// Longest name of a colour. Ours: CSS knows none as long.
const COLOR_CHARACTERS_MAX: usize = 32;

/// Takes all properties of an organization.
pub(super) fn changes_of(fields: &mut Fields) -> OrganizationChanges {
    let branding = branding(fields);
    let quota = token_quota(fields);
    let mut changes = OrganizationChanges {
        name: fields.text("name"),
        display_name: fields.text("display_name"),
        metadata: fields.object("metadata"),
        branding,
        admits_third_parties: fields.one_of("third_party_client_access", |name| match name {
            "allow" => Some(true),
            "block" => Some(false),
            _ => None,
        }),
        names_its_clients: fields.flag("is_app_entitlement_active"),
        kept: quota.into_iter().map(|quota| ("token_quota".to_owned(), quota)).collect(),
    };
    // Auth0 lets null stand for what is to go, and what is given replaces all anyway.
    if let Some(metadata) = &mut changes.metadata {
        metadata.retain(|_, value| !value.is_null());
    }
    changes
}

/// Logo and colours: null for none.
fn branding(fields: &mut Fields) -> Option<Value> {
    let sent = fields.peek_object("branding");
    let read = fields.within("branding", |inner| {
        if let Some(Some(url)) = inner.text_or_null("logo_url")
            && !Url::parse(&url).is_ok_and(|url| url.scheme() == "https")
        {
            inner.refuse("Object didn't pass validation for format strict-https-uri-or-null", "logo_url");
        }
        let _ = inner.within("colors", |inner| {
            for name in ["primary", "page_background"] {
                if !is_color(&inner.required_text(name)) {
                    inner.refuse("Object didn't pass validation for format html-color", name);
                }
            }
        });
    });
    read.map(|_| sent.map_or(Value::Null, Value::Object))
}

/// `#` and hexadecimal digits, or a name.
fn is_color(text: &str) -> bool {
    match text.strip_prefix('#') {
        Some(digits) => {
            matches!(digits.len(), 3 | 4 | 6 | 8) && digits.chars().all(|digit| digit.is_ascii_hexdigit())
        }
        None => {
            (1..=COLOR_CHARACTERS_MAX).contains(&text.len())
                && text.chars().all(|letter| letter.is_ascii_alphabetic())
        }
    }
}

/// How many tokens there may be: null for any number.
fn token_quota(fields: &mut Fields) -> Option<Value> {
    let sent = fields.peek_object("token_quota");
    let read = fields.within("token_quota", |inner| {
        if !inner.has("client_credentials") {
            inner.missing("client_credentials");
        }
        let _ = inner.within("client_credentials", |inner| {
            let enforce = inner.flag("enforce").is_some();
            let rates = ["per_day", "per_hour"].map(|name| {
                let rate = inner.integer_from(name, 1);
                if let Some(rate) = rate.filter(|rate| *rate > QUOTA_MAX) {
                    inner.refuse(&format!("Value {rate} is greater than maximum {QUOTA_MAX}"), name);
                }
                rate.is_some()
            });
            if !enforce && !rates.contains(&true) {
                inner.refuse("Too few properties defined (0), minimum 1", "client_credentials");
            }
        });
    });
    read.map(|_| sent.map_or(Value::Null, Value::Object))
}

#[cfg(test)]
mod tests {
    use engine::organizations::OrganizationChanges;
    use serde_json::{Value, json};

    use super::{changes_of, is_color};
    use crate::management::fields::Fields;

    fn read(body: &Value) -> Result<OrganizationChanges, String> {
        let mut fields = Fields::of(body).unwrap();
        let changes = changes_of(&mut fields);
        fields.finish().map(|()| changes).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_wrong_with_an_organization_is_named() {
        let colors = json!({ "primary": "#fff", "page_background": "white" });
        let branding = json!({ "logo_url": "https://acme.example/logo.svg", "colors": colors });
        assert_eq!(read(&json!({ "branding": branding })).unwrap().branding, Some(branding));
        assert_eq!(read(&json!({ "branding": null })).unwrap().branding, Some(Value::Null));
        let metadata = read(&json!({ "metadata": { "a": "b", "c": null } })).unwrap().metadata.unwrap();
        assert_eq!(Value::Object(metadata), json!({ "a": "b" }));
        for (body, named) in [
            (json!({ "branding": { "logo_url": "http://acme.example/" } }), "branding.logo_url"),
            (json!({ "branding": { "colors": { "primary": "#fff" } } }), "branding.colors.page_background"),
            (json!({ "branding": { "font": "x" } }), "branding.font"),
            (json!({ "token_quota": {} }), "token_quota.client_credentials"),
            (json!({ "token_quota": { "client_credentials": {} } }), "minimum 1"),
            (json!({ "token_quota": { "client_credentials": { "per_day": 0 } } }), "per_day"),
            (json!({ "third_party_client_access": "maybe" }), "third_party_client_access"),
            (json!({ "is_app_entitlement_active": "yes" }), "is_app_entitlement_active"),
        ] {
            let error = read(&body).unwrap_err();
            assert!(error.contains(named), "{body}: {error}");
        }
    }

    #[test]
    fn colors_are_digits_or_names() {
        assert!(["#fff", "#0A1b2c", "white"].into_iter().all(is_color));
        assert!(!["", "#", "#ff", "#ggg", "url(x)", "#fffff"].into_iter().any(is_color));
    }
}

//! URLs by the standard that browsers follow, and the encoding of forms. Knows nothing of what is behind them.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::{Ctx, Function, Object, Result};
use url::{Url, form_urlencoded, quirks};

use super::Fetches;

pub(super) fn natives<'js>(ctx: &Ctx<'js>, object: &Object<'js>, _: &Rc<RefCell<Fetches>>) -> Result<()> {
    object.set("parse", Function::new(ctx.clone(), parse)?)?;
    object.set("change", Function::new(ctx.clone(), change)?)?;
    object.set("readForm", Function::new(ctx.clone(), read_form)?)?;
    object.set("writeForm", Function::new(ctx.clone(), write_form)?)
}

/// The parts of a URL, in the order that the script expects; nothing where it is none.
fn parse(text: String, base: Option<String>) -> Option<Vec<String>> {
    let base = match base {
        None => None,
        Some(base) => Some(Url::parse(&base).ok()?),
    };
    Url::options().base_url(base.as_ref()).parse(&text).ok().map(|url| parts(&url))
}

/// The parts of a URL after one of them was set; those before where the new value is not allowed.
fn change(href: String, part: String, value: String) -> Option<Vec<String>> {
    let mut url = Url::parse(&href).ok()?;
    // A refused value leaves the URL as it was, by the standard.
    let _ = match part.as_str() {
        "protocol" => quirks::set_protocol(&mut url, &value),
        "username" => quirks::set_username(&mut url, &value),
        "password" => quirks::set_password(&mut url, &value),
        "host" => quirks::set_host(&mut url, &value),
        "hostname" => quirks::set_hostname(&mut url, &value),
        "port" => quirks::set_port(&mut url, &value),
        "pathname" => {
            quirks::set_pathname(&mut url, &value);
            Ok(())
        }
        "search" => {
            quirks::set_search(&mut url, &value);
            Ok(())
        }
        "hash" => {
            quirks::set_hash(&mut url, &value);
            Ok(())
        }
        _ => Err(()),
    };
    Some(parts(&url))
}

fn parts(url: &Url) -> Vec<String> {
    [
        quirks::href(url),
        &quirks::origin(url),
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
    ]
    .map(str::to_owned)
    .into()
}

/// Names and values in turn.
fn read_form(text: String) -> Vec<String> {
    form_urlencoded::parse(text.as_bytes())
        .flat_map(|(name, value)| [name.into_owned(), value.into_owned()])
        .collect()
}

fn write_form(parts: Vec<String>) -> String {
    let pairs = parts.chunks_exact(2).map(|pair| (&pair[0], &pair[1]));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

//! The functions that a realm's prelude gets from us, and scripts never see: each appends to the run's effects.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use domain::action_cache::CacheLifetime;
use rquickjs::{Ctx, Function, Object, Result};

use super::platform::redirect;
use crate::effects::{Effects, metadata_refusal};
use crate::outcome::ConsoleLevel;

/// Makes the object with those functions. A function that may refuse answers the reason, else undefined.
pub(super) fn functions<'js>(
    ctx: &Ctx<'js>,
    effects: &Rc<RefCell<Effects>>,
    origin: &Rc<Cell<Instant>>,
) -> Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    metadata(&host, ctx, effects)?;
    cache(&host, ctx, effects)?;
    redirect::natives(&host, ctx)?;

    let shared = Rc::clone(effects);
    let command =
        move |kind: String, name: String, text: String| shared.borrow_mut().command(&kind, name, text).err();
    host.set("command", Function::new(ctx.clone(), command)?)?;

    let refusal = |flat: Vec<String>| metadata_refusal(&flat);
    host.set("metadataRefusal", Function::new(ctx.clone(), refusal)?)?;

    let shared = Rc::clone(effects);
    // Beyond ±2^53 a double is no exact number of milliseconds; the cast saturates, and such a time is never.
    let expire =
        move |idle: bool, at_ms: f64| shared.borrow_mut().set_session_expiry(idle, at_ms as i64).err();
    host.set("expireSession", Function::new(ctx.clone(), expire)?)?;

    let shared = Rc::clone(effects);
    let revoke =
        move |reason: String, preserve: bool| shared.borrow_mut().revoke_session(reason, preserve).err();
    host.set("revokeSession", Function::new(ctx.clone(), revoke)?)?;

    let shared = Rc::clone(effects);
    let console = move |level: String, text: String| shared.borrow_mut().console(level_of(&level), text);
    host.set("console", Function::new(ctx.clone(), console)?)?;

    let origin = Rc::clone(origin);
    let elapsed_ms = move || origin.get().elapsed().as_secs_f64() * 1e3;
    host.set("elapsedMs", Function::new(ctx.clone(), elapsed_ms)?)?;
    Ok(host)
}

fn metadata<'js>(host: &Object<'js>, ctx: &Ctx<'js>, effects: &Rc<RefCell<Effects>>) -> Result<()> {
    let shared = Rc::clone(effects);
    let has_session = move || shared.borrow().has_session();
    host.set("hasSession", Function::new(ctx.clone(), has_session)?)?;

    let shared = Rc::clone(effects);
    let json = move || shared.borrow().session_metadata_json();
    host.set("sessionMetadata", Function::new(ctx.clone(), json)?)?;

    let shared = Rc::clone(effects);
    let set = move |key: String, value: String| shared.borrow_mut().set_session_metadata(key, value).err();
    host.set("setSessionMetadata", Function::new(ctx.clone(), set)?)?;

    let shared = Rc::clone(effects);
    let delete = move |key: String| shared.borrow_mut().delete_session_metadata(key).err();
    host.set("deleteSessionMetadata", Function::new(ctx.clone(), delete)?)?;

    let shared = Rc::clone(effects);
    let evict = move || shared.borrow_mut().evict_session_metadata().err();
    host.set("evictSessionMetadata", Function::new(ctx.clone(), evict)?)
}

/// Those of `api.cache`; records and results are JSON.
fn cache<'js>(host: &Object<'js>, ctx: &Ctx<'js>, effects: &Rc<RefCell<Effects>>) -> Result<()> {
    let shared = Rc::clone(effects);
    let cached = move |key: String| shared.borrow().cached(&key);
    host.set("cached", Function::new(ctx.clone(), cached)?)?;

    let shared = Rc::clone(effects);
    let set = move |key: String, value: String, ttl_ms: Option<f64>, expires_at_ms: Option<f64>| {
        shared.borrow_mut().set_cache(key, value, CacheLifetime { ttl_ms, expires_at_ms })
    };
    host.set("setCache", Function::new(ctx.clone(), set)?)?;

    let shared = Rc::clone(effects);
    let delete = move |key: String| shared.borrow_mut().delete_cache(key);
    host.set("deleteCache", Function::new(ctx.clone(), delete)?)
}

fn level_of(name: &str) -> ConsoleLevel {
    match name {
        "debug" => ConsoleLevel::Debug,
        "trace" => ConsoleLevel::Trace,
        "info" => ConsoleLevel::Info,
        "warn" => ConsoleLevel::Warn,
        "error" => ConsoleLevel::Error,
        _ => ConsoleLevel::Log,
    }
}

#[cfg(test)]
mod tests {
    use rquickjs::{Context, Runtime};

    use super::{Cell, Instant, Rc, functions};
    use crate::node::QUESTIONS;

    #[test]
    fn both_kinds_of_worker_have_the_same_functions() {
        let context = Context::full(&Runtime::new().unwrap()).unwrap();
        let mut here = context.with(|ctx| {
            let host = functions(&ctx, &Rc::default(), &Rc::new(Cell::new(Instant::now()))).unwrap();
            host.keys::<String>().collect::<Result<Vec<_>, _>>().unwrap()
        });
        // Node.js has a clock of its own.
        here.retain(|name| name != "elapsedMs");
        here.sort_unstable();
        let mut there = QUESTIONS.to_vec();
        there.sort_unstable();
        assert_eq!(here, there);
    }
}

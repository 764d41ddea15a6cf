//! The platform's objects beyond the language, each made when a script first names it.
//!
//! An untouched realm holds only getters. The first use of one evaluates that module's script, whose bytecode stays for
//! later runs, with the native functions it needs. Those functions give a script nothing that it could not have by
//! the objects made of them, so a script that gets hold of one by patching built-ins has gained nothing.

mod chance;
mod crypto;
mod fetches;
mod keys;
pub(super) mod redirect;
mod text;
mod url;
mod zone;

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use rquickjs::{Ctx, Exception, Function, Object, Result, TypedArray};

pub(super) use self::chance::Chance;
pub(super) use self::fetches::{Fetches, response};
use super::bytecode::Bytecode;
use super::realm::FILE;

/// Adds native functions to an object.
type Natives = for<'js> fn(&Ctx<'js>, &Object<'js>, &Rc<RefCell<Fetches>>) -> Result<()>;

/// Name, script and natives of each module.
const MODULES: &[(&str, &str, Natives)] = &[
    ("console", include_str!("../../js/platform/console.js"), none),
    ("timers", include_str!("../../js/platform/timers.js"), none),
    ("clone", include_str!("../../js/platform/clone.js"), none),
    ("encoding", include_str!("../../js/platform/encoding.js"), text::natives),
    ("events", include_str!("../../js/platform/events.js"), none),
    ("url", include_str!("../../js/platform/url.js"), url::natives),
    ("fetch", include_str!("../../js/platform/fetch.js"), fetches::natives),
    ("webcrypto", include_str!("../../js/platform/webcrypto.js"), crypto_natives),
    ("intl", include_str!("../../js/platform/intl.js"), zone::natives),
    ("node:buffer", include_str!("../../js/platform/node_buffer.js"), text::natives),
    ("node:crypto", include_str!("../../js/platform/node_crypto.js"), crypto_natives),
    ("node:url", include_str!("../../js/platform/node_url.js"), none),
    ("node:util", include_str!("../../js/platform/node_util.js"), none),
    ("node:querystring", include_str!("../../js/platform/node_querystring.js"), none),
    ("node:events", include_str!("../../js/platform/node_events.js"), none),
    ("node:assert", include_str!("../../js/platform/node_assert.js"), none),
];

fn none<'js>(_: &Ctx<'js>, _: &Object<'js>, _: &Rc<RefCell<Fetches>>) -> Result<()> {
    Ok(())
}

fn crypto_natives<'js>(ctx: &Ctx<'js>, object: &Object<'js>, fetches: &Rc<RefCell<Fetches>>) -> Result<()> {
    crypto::natives(ctx, object, fetches)?;
    keys::natives(ctx, object, fetches)
}

/// Gives the prelude its way to the modules: `load` answers the function that makes one, and `natives` holds what each
/// needs of us. The natives of every module are made here and now, since what the engine is given later would not be
/// given back when its memory is restored. `Math.random` is ours: the
/// engine's own goes on from a state in that memory, and so would begin alike in each run.
pub(super) fn install<'js>(
    ctx: &Ctx<'js>,
    host: &Object<'js>,
    fetches: &Rc<RefCell<Fetches>>,
    chance: &Rc<Chance>,
) -> Result<()> {
    let all = Object::new(ctx.clone())?;
    for (name, _, natives) in MODULES {
        let native = Object::new(ctx.clone())?;
        natives(ctx, &native, fetches)?;
        all.set(*name, native)?;
    }
    host.set("natives", all)?;
    host.set("load", Function::new(ctx.clone(), loader())?)?;
    let chance = Rc::clone(chance);
    let math: Object<'js> = ctx.globals().get("Math")?;
    math.set("random", Function::new(ctx.clone(), move || chance.next())?.with_name("random")?)
}

/// Evaluates a module's script. Its bytecode stays for later runs.
fn loader<'js>() -> impl Fn(Ctx<'js>, String) -> Result<Function<'js>> + 'js {
    let compiled: RefCell<HashMap<&'static str, Bytecode>> = RefCell::default();
    move |ctx, name| {
        let Some(&(name, source, _)) = MODULES.iter().find(|(known, ..)| *known == name) else {
            return Err(Exception::throw_message(&ctx, "unknown module"));
        };
        let mut compiled = compiled.borrow_mut();
        let bytecode = match compiled.entry(name) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(Bytecode::compile(&ctx, source, FILE, 1)?),
        };
        bytecode.evaluate(&ctx)?.get()
    }
}

/// A copy of what a typed array holds; empty where its buffer was taken away.
fn bytes_of(array: &TypedArray<'_, u8>) -> Vec<u8> {
    #[expect(unsafe_code, reason = "the engine's safe interface can't read a buffer that scripts share")]
    // SAFETY: one thread, and no script runs before the copy is made, so nothing changes or frees the bytes.
    let bytes = unsafe { array.as_bytes() };
    bytes.map(<[u8]>::to_vec).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rquickjs::{Context, Runtime};

    use super::{FILE, MODULES};
    use crate::vm::bytecode::Bytecode;

    #[test]
    fn every_module_compiles() {
        let runtime = Runtime::new().unwrap();
        let context = Context::full(&runtime).unwrap();
        context.with(|ctx| {
            for (name, source, _) in MODULES {
                let compiled = Bytecode::compile(&ctx, source, FILE, 1);
                assert!(compiled.is_ok(), "{name}: {:?}", ctx.catch());
            }
        });
    }
}

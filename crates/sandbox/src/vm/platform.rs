//! The platform's objects beyond the language, each made when a script first names it.
//!
//! A fresh realm holds only getters. The first use of one evaluates that module's script, whose bytecode stays for
//! later realms, with the native functions it needs. Those functions give a script nothing that it could not have by
//! the objects made of them, so a script that gets hold of one by patching built-ins has gained nothing.

mod crypto;
mod fetches;
mod keys;
pub(super) mod redirect;
mod text;
mod url;
mod zone;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rquickjs::{Ctx, Exception, Function, Object, Result, TypedArray};

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

/// Bytecode of the modules that some script has used so far. Lives as long as the worker.
#[derive(Default)]
pub(super) struct Platform {
    compiled: RefCell<HashMap<&'static str, Rc<Bytecode>>>,
}

impl Platform {
    /// Evaluates a module's script in a realm: an array of its function and the object with its natives.
    fn load<'js>(
        &self,
        ctx: &Ctx<'js>,
        name: &str,
        fetches: &Rc<RefCell<Fetches>>,
    ) -> Result<Vec<Object<'js>>> {
        let Some(&(name, source, natives)) = MODULES.iter().find(|(known, ..)| *known == name) else {
            return Err(Exception::throw_message(ctx, "unknown module"));
        };
        let known = self.compiled.borrow().get(name).cloned();
        let bytecode = match known {
            Some(bytecode) => bytecode,
            None => {
                let bytecode = Rc::new(Bytecode::compile(ctx, source, FILE, 1)?);
                self.compiled.borrow_mut().insert(name, Rc::clone(&bytecode));
                bytecode
            }
        };
        let native = Object::new(ctx.clone())?;
        natives(ctx, &native, fetches)?;
        let make: Object<'js> = bytecode.evaluate(ctx)?.get()?;
        Ok(vec![make, native])
    }
}

/// Gives the prelude its way to the modules.
pub(super) fn install<'js>(
    ctx: &Ctx<'js>,
    host: &Object<'js>,
    platform: &Rc<Platform>,
    fetches: &Rc<RefCell<Fetches>>,
) -> Result<()> {
    let (platform, fetches) = (Rc::clone(platform), Rc::clone(fetches));
    let load = move |ctx: Ctx<'js>, name: String| platform.load(&ctx, &name, &fetches);
    host.set("load", Function::new(ctx.clone(), load)?)
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

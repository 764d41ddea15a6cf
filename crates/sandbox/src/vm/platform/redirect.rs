//! The functions behind `api.redirect`, for scripts of the embedded engine.

use rquickjs::{Ctx, Exception, Function, Object, Result};

use crate::redirect::{decode, encode, redirect_url};

/// Adds the functions. Each throws its refusal.
pub(in crate::vm) fn natives<'js>(host: &Object<'js>, ctx: &Ctx<'js>) -> Result<()> {
    let target = |ctx: Ctx<'js>, url: String, query: Vec<String>| {
        redirect_url(&url, &query).map_err(|text| Exception::throw_message(&ctx, &text))
    };
    host.set("redirectUrl", Function::new(ctx.clone(), target)?)?;
    host.set(
        "encodeToken",
        Function::new(ctx.clone(), |secret: String, claims: String| encode(&secret, &claims))?,
    )?;
    let decode = |ctx: Ctx<'js>, secret: String, token: String| {
        decode(&secret, &token).map_err(|text| Exception::throw_message(&ctx, text))
    };
    host.set("decodeToken", Function::new(ctx.clone(), decode)?)
}

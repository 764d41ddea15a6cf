//! The fetches of one run, as its worker sees them: those to send, and those still awaited.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use rquickjs::{ArrayBuffer, Ctx, Exception, Function, Object, Result, TypedArray};

use super::bytes_of;
use crate::fetch::{FETCHES_MAX, FetchRequest, FetchResponse, Redirect};
use crate::wire::Ask;

/// What a run has asked for.
#[derive(Debug, Default)]
pub(in crate::vm) struct Fetches {
    started: usize,
    unsent: Vec<Ask>,
    awaited: BTreeSet<u32>,
}

impl Fetches {
    /// Takes what has to go to the host.
    pub(in crate::vm) fn take_unsent(&mut self) -> Vec<Ask> {
        std::mem::take(&mut self.unsent)
    }

    /// Whether an answer may still come that somebody waits for.
    pub(in crate::vm) fn is_awaited(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Notes an answer; false for one that nobody waits for any more.
    pub(in crate::vm) fn settle(&mut self, id: u32) -> bool {
        self.awaited.remove(&id)
    }

    fn start(&mut self, request: FetchRequest) -> std::result::Result<u32, String> {
        if self.started >= FETCHES_MAX {
            return Err(format!("fetch failed: an Action may make at most {FETCHES_MAX} requests"));
        }
        if !request.is_within_limits() {
            return Err("fetch failed: the request is longer than a script may send".to_owned());
        }
        self.started += 1;
        let id = u32::try_from(self.started).unwrap_or(u32::MAX);
        self.awaited.insert(id);
        self.unsent.push(Ask { id, request });
        Ok(id)
    }
}

/// A response as the script takes it.
pub(in crate::vm) fn response<'js>(ctx: &Ctx<'js>, response: FetchResponse) -> Result<Object<'js>> {
    let headers: Vec<String> = response.headers.into_iter().flat_map(|(name, value)| [name, value]).collect();
    let parts = Object::new(ctx.clone())?;
    parts.set("status", response.status)?;
    parts.set("statusText", response.status_text)?;
    parts.set("url", response.url)?;
    parts.set("redirected", response.redirected)?;
    parts.set("headers", headers)?;
    parts.set("body", ArrayBuffer::new_copy(ctx.clone(), response.body)?)?;
    Ok(parts)
}

/// `start` and `forget`. Headers come flat, name after value after name.
pub(super) fn natives<'js>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    fetches: &Rc<RefCell<Fetches>>,
) -> Result<()> {
    let shared = Rc::clone(fetches);
    let start = move |ctx: Ctx<'js>,
                      method: String,
                      url: String,
                      headers: Vec<String>,
                      body: Option<TypedArray<'js, u8>>,
                      redirect: String| {
        let pairs = headers.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        let redirect = match redirect.as_str() {
            "manual" => Redirect::Manual,
            "error" => Redirect::Error,
            _ => Redirect::Follow,
        };
        let request = FetchRequest {
            method,
            url,
            headers: pairs.collect(),
            has_body: body.is_some(),
            body: body.as_ref().map(bytes_of).unwrap_or_default(),
            redirect,
        };
        let started = shared.borrow_mut().start(request);
        started.map_err(|reason| Exception::throw_type(&ctx, &reason))
    };
    object.set("start", Function::new(ctx.clone(), start)?)?;
    let shared = Rc::clone(fetches);
    let forget = move |id: u32| {
        shared.borrow_mut().settle(id);
    };
    object.set("forget", Function::new(ctx.clone(), forget)?)
}

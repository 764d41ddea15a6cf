//! Scripts as bytecode of our own making: compiled once, loaded in any number of runs.
//!
//! The engine's safe interface knows bytecode of modules only, and a CommonJS script is not one: modules are strict,
//! and scripts that assign to undeclared variables would fail here and work at Auth0.
//!
//! The source is left out: loading would copy each function's own part of it each time. So a function's
//! `toString()` reads as a built-in's does; lines and columns of stack traces stay.

use std::ffi::CString;

use rquickjs::{Ctx, Error, Result, Value, qjs};

/// Bytecode of one script. Made by [`Bytecode::compile`] alone, and never leaves the process, so loading it is as
/// safe as parsing the source again.
pub(super) struct Bytecode(Vec<u8>);

impl Bytecode {
    /// Parses a script, whose first line is counted as `first_line`, and leaves it unevaluated.
    pub(super) fn compile(ctx: &Ctx<'_>, source: &str, file: &str, first_line: i32) -> Result<Self> {
        let length = source.len();
        let source = CString::new(source)?;
        let file = CString::new(file)?;
        let mut options = qjs::JSEvalOptions {
            version: qjs::JS_EVAL_OPTIONS_VERSION as i32,
            eval_flags: (qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY) as i32,
            filename: file.as_ptr(),
            line_num: first_line,
        };
        let raw_ctx = ctx.as_raw().as_ptr();
        #[expect(
            unsafe_code,
            reason = "the engine's safe interface can't compile a script without running it"
        )]
        // SAFETY: source and options live through the call and the source is NUL-terminated, as JS_Eval2 asks;
        // the result is a fresh reference, which the value owns and frees.
        let function = unsafe {
            let raw = qjs::JS_Eval2(raw_ctx, source.as_ptr(), length as _, &raw mut options);
            Value::from_raw(ctx.clone(), raw)
        };
        if function.is_exception() {
            return Err(Error::Exception);
        }
        let mut size = 0;
        #[expect(unsafe_code, reason = "the engine's safe interface writes bytecode of modules only")]
        // SAFETY: the function is borrowed for the call; the buffer is `size` bytes long, copied, and freed by
        // the allocator that made it.
        let bytes = unsafe {
            let buffer = qjs::JS_WriteObject(
                raw_ctx,
                &raw mut size,
                function.as_raw(),
                (qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE) as i32,
            );
            if buffer.is_null() {
                return Err(Error::Exception);
            }
            let bytes = std::slice::from_raw_parts(buffer, size as usize).to_vec();
            qjs::js_free(raw_ctx, buffer.cast());
            bytes
        };
        Ok(Self(bytes))
    }

    /// Runs the script in a realm and answers its completion value.
    pub(super) fn evaluate<'js>(&self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let raw_ctx = ctx.as_raw().as_ptr();
        #[expect(unsafe_code, reason = "the engine's safe interface reads bytecode of modules only")]
        // SAFETY: the bytes come from `compile` in this process, so they are what this very engine wrote.
        // JS_EvalFunction takes over the reference that JS_ReadObject made; its result is a fresh one.
        let value = unsafe {
            let flags = qjs::JS_READ_OBJ_BYTECODE as i32;
            let function = qjs::JS_ReadObject(raw_ctx, self.0.as_ptr(), self.0.len() as _, flags);
            let function = Value::from_raw(ctx.clone(), function);
            if function.is_exception() {
                return Err(Error::Exception);
            }
            let raw = qjs::JS_EvalFunction(raw_ctx, qjs::JS_DupValue(raw_ctx, function.as_raw()));
            Value::from_raw(ctx.clone(), raw)
        };
        if value.is_exception() { Err(Error::Exception) } else { Ok(value) }
    }

    /// How many bytes it holds.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

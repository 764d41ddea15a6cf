//! TypeScript becomes JavaScript by blanking its types: each character of a type turns into a space.
//!
//! So every line and column stays the author's own, and no second printing of the code can change what it does. What
//! can't be blanked because it makes code (`enum`, `namespace`, parameter properties) is refused with its place, as
//! Node.js does when it strips types. `import` and `export` become what a CommonJS script has for them.
//!
//! Runs in a worker: the parser meets any text, and recursion without end costs one process there.

mod blank;
mod edits;
mod modules;

use oxc_allocator::Allocator;
use oxc_ast_visit::Visit;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;

use self::blank::Blanker;
use crate::outcome::SyntaxError;

/// Why a text has no JavaScript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoJavascript {
    /// It can't be read as TypeScript either.
    Unreadable(SyntaxError),
    /// It is TypeScript, with something in it that isn't only types.
    Refused(SyntaxError),
}

/// The JavaScript in a TypeScript text: as long as that, character by character, but where `import` and `export` are.
/// Text without types comes back as it is. That the result parses is not promised: a repeated `let` passes here.
///
/// # Errors
/// [`NoJavascript`], with the place; without one, where the parser itself failed.
pub fn javascript_of(source: &str) -> Result<String, NoJavascript> {
    // The parser's own assertions have been seen to fail on texts that are no program.
    std::panic::catch_unwind(|| read(source)).unwrap_or_else(|_| Err(unreadable(source)))
}

fn read(source: &str) -> Result<String, NoJavascript> {
    let allocator = Allocator::default();
    let options = ParseOptions {
        // A script may return at its top, since it stands in a function.
        allow_return_outside_function: true,
        ..ParseOptions::default()
    };
    let parsed = Parser::new(&allocator, source, SourceType::ts()).with_options(options).parse();
    if let Some(error) = parsed.errors.first() {
        let offset = error.labels.as_ref().and_then(|labels| labels.first()).map(|label| label.offset());
        return Err(NoJavascript::Unreadable(at(source, offset, error.message.to_string())));
    }
    if parsed.panicked {
        return Err(unreadable(source));
    }
    let mut blanker = Blanker::new(source);
    blanker.visit_program(&parsed.program);
    blanker.finish().map_err(|(offset, message)| {
        NoJavascript::Refused(at(source, usize::try_from(offset).ok(), message.to_owned()))
    })
}

fn unreadable(source: &str) -> NoJavascript {
    NoJavascript::Unreadable(at(source, None, "Invalid or unexpected token".to_owned()))
}

/// An error at a byte of the source.
fn at(source: &str, offset: Option<usize>, message: String) -> SyntaxError {
    let Some(before) = offset.and_then(|offset| source.get(..offset)) else {
        return SyntaxError { message, line: 0, column: 0 };
    };
    let last_line = before.rsplit('\n').next().unwrap_or_default();
    let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    SyntaxError {
        message,
        line: number(before.matches('\n').count()),
        column: number(last_line.chars().count()),
    }
}

/// The place of the first token at or behind a byte between two tokens.
fn after_trivia(source: &str, from: u32) -> u32 {
    let mut rest = source.get(from as usize..).unwrap_or_default();
    loop {
        rest =
            rest.trim_start_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
        let end = if rest.starts_with("//") {
            rest.find(['\n', '\r', '\u{2028}', '\u{2029}'])
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 2)
        } else {
            break;
        };
        rest = end.and_then(|end| rest.get(end..)).unwrap_or_default();
    }
    u32::try_from(source.len() - rest.len()).unwrap_or(from)
}

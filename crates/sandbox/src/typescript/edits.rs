//! What is to be different in a text, and the text with all of it done.

/// Changes of places that do not overlap.
#[derive(Debug, Default)]
pub(super) struct Edits {
    edits: Vec<Edit>,
    /// Where statements end without a semicolon of their own.
    open_ends: Vec<u32>,
}

#[derive(Debug)]
struct Edit {
    start: u32,
    end: u32,
    text: Text,
}

#[derive(Debug)]
enum Text {
    /// Spaces, but for what is to stand in the place of the first and the last character.
    Blank { first: Option<char>, last: Option<char> },
    /// Other text.
    New(String),
}

impl Edits {
    /// Blanks a place.
    pub(super) fn blank(&mut self, start: u32, end: u32) {
        self.push(start, end, Text::Blank { first: None, last: None });
    }

    /// Blanks a whole statement or class element; the semicolon keeps what stands around it apart.
    pub(super) fn blank_to_semicolon(&mut self, start: u32, end: u32) {
        self.push(start, end, Text::Blank { first: Some(';'), last: None });
    }

    /// Blanks a place, with `character` where it began.
    pub(super) fn blank_behind(&mut self, character: char, start: u32, end: u32) {
        self.push(start, end, Text::Blank { first: Some(character), last: None });
    }

    /// Blanks a place, with `character` where it ended.
    pub(super) fn blank_before(&mut self, character: char, start: u32, end: u32) {
        self.push(start, end, Text::Blank { first: None, last: Some(character) });
    }

    /// Puts other text in a place.
    pub(super) fn replace(&mut self, start: u32, end: u32, text: String) {
        self.push(start, end, Text::New(text));
    }

    /// Says that a statement ends here by the rules of automatic semicolons. If a type is what ended it, a semicolon
    /// goes where the type was, because the next line may read as a continuation of what is left.
    pub(super) fn ends_open(&mut self, end: u32) {
        self.open_ends.push(end);
    }

    fn push(&mut self, start: u32, end: u32, text: Text) {
        self.edits.push(Edit { start, end, text });
    }

    /// The text with everything done.
    pub(super) fn apply(mut self, source: &str) -> String {
        self.edits.sort_by_key(|edit| edit.start);
        self.open_ends.sort_unstable();
        let mut result = String::with_capacity(source.len());
        let mut done = 0;
        for edit in &self.edits {
            let (start, end) = (edit.start as usize, edit.end as usize);
            result.push_str(source.get(done..start).unwrap_or_default());
            let place = source.get(start..end).unwrap_or_default();
            match &edit.text {
                Text::New(text) => result.push_str(text),
                Text::Blank { first, last } => {
                    let open = self.open_ends.binary_search(&edit.end).is_ok();
                    push_blank(&mut result, place, first.or(open.then_some(';')), *last);
                }
            }
            done = end;
        }
        result.push_str(source.get(done..).unwrap_or_default());
        result
    }
}

/// Line breaks stay, everything else becomes a space.
fn push_blank(result: &mut String, place: &str, mut first: Option<char>, last: Option<char>) {
    let ends = place.char_indices().next_back().map(|(at, _)| at);
    for (at, character) in place.char_indices() {
        result.push(match character {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => character,
            _ if Some(at) == ends && last.is_some() => last.unwrap_or(' '),
            _ => first.take().unwrap_or(' '),
        });
    }
}

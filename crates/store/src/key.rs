//! Keys whose byte order is the order of their values, written so that a person can read them.
//!
//! A key is a row of segments, each ended by `!`. Characters up to `"` are escaped by a `"`, so no segment can hold
//! the end mark, none is a prefix of another by accident, and every key that begins with the same segments lies in
//! one range. Order holds in bytes, which is SQLite's default and PostgreSQL's collation "C".

use domain::time::Timestamp;

/// Ends each segment. No character of an encoded segment is lower.
const END: char = '!';
/// The character just above `END`: ends the range of everything that starts with a prefix.
const AFTER_END: char = '"';
/// Begins the two characters that stand for a character up to `"`.
const ESCAPE: char = '"';
/// Added to an escaped character, so that it can be read and can never be NUL, which PostgreSQL refuses.
const ESCAPE_SHIFT: u8 = 0x40;

/// A key, or the prefix of some keys, within one table of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// The empty prefix: every key of the table.
    pub const fn all() -> Self {
        Self(String::new())
    }

    /// A key of one segment, or of a tuple of up to six.
    pub fn of(parts: impl KeyParts) -> Self {
        let mut key = Self::default();
        parts.write_all(&mut key);
        key
    }

    /// This key with one more segment.
    #[must_use]
    pub fn and(mut self, part: impl KeyPart) -> Self {
        part.write(&mut self);
        self
    }

    /// This key followed by all segments of `rest`.
    #[must_use]
    pub fn join(mut self, rest: &Key) -> Self {
        self.0.push_str(&rest.0);
        self
    }

    /// The encoded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, decoded. For reports and tests.
    pub fn segments(&self) -> Vec<String> {
        let mut segments = Vec::new();
        let mut segment = String::new();
        let mut characters = self.0.chars();
        while let Some(character) = characters.next() {
            match character {
                END => segments.push(std::mem::take(&mut segment)),
                ESCAPE => {
                    let shifted = characters.next().and_then(|c| u8::try_from(u32::from(c)).ok());
                    segment.push(shifted.map_or('\u{fffd}', |c| char::from(c.wrapping_sub(ESCAPE_SHIFT))));
                }
                other => segment.push(other),
            }
        }
        segments
    }

    /// Takes encoded text as it is: from a row, or the rest of one.
    pub(crate) fn from_encoded(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Appends `text` as one segment. What `KeyPart`s of other types are made of.
    pub fn push_text(&mut self, text: &str) {
        self.0.reserve(text.len() + 1);
        for character in text.chars() {
            if character <= ESCAPE {
                // At most 0x22, so the shifted one is at most 0x62: a character of one byte.
                self.0.push(ESCAPE);
                self.0.push(char::from(character as u8 + ESCAPE_SHIFT));
            } else {
                self.0.push(character);
            }
        }
        self.0.push(END);
    }
}

/// The smallest text above everything that begins with `prefix`, which must end with a whole segment.
pub(crate) fn prefix_end(prefix: &str) -> String {
    debug_assert!(prefix.ends_with(END), "a prefix is made of whole segments");
    let mut end = prefix.strip_suffix(END).unwrap_or(prefix).to_owned();
    end.push(AFTER_END);
    end
}

/// A text above `key` and below every key that comes after it: keys go on with nothing lower than `!`.
pub(crate) fn just_after(key: &str) -> String {
    format!("{key}\u{1}")
}

/// Something that can be one segment of a key. Its encoding must keep its order.
pub trait KeyPart {
    /// Appends itself to `key` as exactly one segment.
    fn write(&self, key: &mut Key);
}

impl<P: KeyPart + ?Sized> KeyPart for &P {
    fn write(&self, key: &mut Key) {
        (**self).write(key);
    }
}

impl KeyPart for str {
    fn write(&self, key: &mut Key) {
        key.push_text(self);
    }
}

impl KeyPart for String {
    fn write(&self, key: &mut Key) {
        key.push_text(self);
    }
}

/// Nineteen digits; before 1970 a `-`, which sorts below the digits, and the distance from the beginning of time.
impl KeyPart for i64 {
    fn write(&self, key: &mut Key) {
        let text = match u64::try_from(*self) {
            Ok(positive) => format!("{positive:019}"),
            Err(_) => format!("-{:019}", self.wrapping_sub(i64::MIN)),
        };
        key.push_text(&text);
    }
}

impl KeyPart for Timestamp {
    fn write(&self, key: &mut Key) {
        self.as_millis().write(key);
    }
}

/// Twenty digits.
impl KeyPart for u64 {
    fn write(&self, key: &mut Key) {
        key.push_text(&format!("{self:020}"));
    }
}

/// Ten digits.
impl KeyPart for u32 {
    fn write(&self, key: &mut Key) {
        key.push_text(&format!("{self:010}"));
    }
}

impl KeyPart for Shard {
    fn write(&self, key: &mut Key) {
        key.push_text(&format!("{:x}", self.0));
    }
}

impl KeyPart for bool {
    fn write(&self, key: &mut Key) {
        key.push_text(if *self { "1" } else { "0" });
    }
}

/// One segment, or a tuple of them.
pub trait KeyParts {
    /// Appends all segments in order.
    fn write_all(&self, key: &mut Key);
}

impl<P: KeyPart> KeyParts for P {
    fn write_all(&self, key: &mut Key) {
        self.write(key);
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: KeyPart),+> KeyParts for ($($name,)+) {
            fn write_all(&self, key: &mut Key) {
                #[expect(non_snake_case, reason = "the macro names each value after its type")]
                let ($($name,)+) = self;
                $($name.write(key);)+
            }
        }
    };
}
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);

/// A key of the given segments: `key![user_id, at]`.
#[macro_export]
macro_rules! key {
    ($($part:expr),* $(,)?) => {{
        #[allow(unused_mut, clippy::allow_attributes, reason = "a key without segments is not changed")]
        let mut key = $crate::Key::all();
        $($crate::KeyPart::write(&$part, &mut key);)*
        key
    }};
}

/// One of the shards of a time-ordered table: the first segment of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(u8);

impl Shard {
    /// Every shard.
    pub fn all() -> impl Iterator<Item = Shard> {
        (0..crate::limits::TIME_SHARDS).map(Shard)
    }
}

/// The shard of the record with this id. A record's shard never changes, so the hash is part of the stored format:
/// FNV-1a with 32 bits, as its authors publish it, folded once because its low bits alone are weak.
pub fn shard_of(id: &str) -> Shard {
    let hash =
        id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let folded = hash ^ (hash >> 16);
    Shard(u8::try_from(folded % u32::from(crate::limits::TIME_SHARDS)).unwrap_or(0))
}

/// Which end of the keys a page starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Lowest key first; oldest first where keys begin with time.
    #[default]
    Ascending,
    /// Highest key first; newest first where keys begin with time.
    Descending,
}

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::time::Timestamp;
    use proptest::prelude::{Strategy, any, prop_oneof, proptest};

    use super::{Key, Shard, just_after, prefix_end, shard_of};

    /// Mostly of characters around the end mark, where an order would break.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[\u{0}-\u{24}aé🦀]{0,4}", any::<String>()]
    }

    proptest! {
        #[test]
        fn keys_are_ordered_as_their_values(
            left in (text(), any::<i64>(), text(), any::<u64>(), any::<u32>(), any::<bool>()),
            right in (text(), any::<i64>(), text(), any::<u64>(), any::<u32>(), any::<bool>()),
        ) {
            assert_eq!(Key::of(left.clone()).cmp(&Key::of(right.clone())), left.cmp(&right));
            let (left, right) = ((left.0.clone(), right.1, left.2), (left.0, left.1, right.2));
            assert_eq!(Key::of(left.clone()).cmp(&Key::of(right.clone())), left.cmp(&right), "after equal starts");
        }

        #[test]
        fn segments_are_read_back(first in text(), second in text()) {
            let key = Key::of((&first, &second));
            assert_eq!(key.segments(), [first, second]);
            assert!(!key.as_str().contains('\0'), "PostgreSQL refuses NUL");
        }

        #[test]
        fn a_prefix_range_holds_what_begins_with_the_prefix_and_nothing_else(
            prefix in text(), other in text(), rest in text(),
        ) {
            let (start, end) = (Key::of(&prefix), prefix_end(Key::of(&prefix).as_str()));
            let key = Key::of((&other, &rest));
            let within = *start.as_str() <= *key.as_str() && *key.as_str() < *end;
            assert_eq!(within, other == prefix);
        }

        #[test]
        fn just_after_a_key_lies_nothing(key in text(), left in text(), right in text()) {
            let (short, long) = (Key::of((&key, &left)), Key::of((&key, &left, &right)));
            let after = just_after(short.as_str());
            assert!(short.as_str() < &*after && *after < *long.as_str(), "a longer key comes after");
            let other = Key::of((&key, &right));
            assert_eq!(*other.as_str() >= *after, other > short);
        }
    }

    #[test]
    fn keys_can_be_read() {
        let key = key!["auth0|5f7c8ec7", Timestamp::from_millis(1_600_000_000_000), "a b"];
        assert_eq!(key.as_str(), "auth0|5f7c8ec7!0000001600000000000!a\"`b!");
        assert_eq!(Key::of(-1_i64).as_str(), "-9223372036854775807!");
        assert_eq!(key![].as_str(), Key::all().as_str());
    }

    /// Stored keys begin with it, so it must be the same for ever.
    #[test]
    fn an_id_keeps_its_shard() {
        let shards = ["", "a", "b", "session", "log_1", "log_2"].map(|id| shard_of(id).0);
        assert_eq!(shards, [1, 0, 1, 0, 2, 3]);
    }

    #[test]
    fn ids_spread_over_the_shards() {
        let used: BTreeSet<Shard> = (0..40).map(|n| shard_of(&format!("id {n}"))).collect();
        assert_eq!(used.into_iter().collect::<Vec<_>>(), Shard::all().collect::<Vec<_>>());
        let first = (0..4_000).filter(|n| shard_of(&format!("{n:032x}")).0 == 0).count();
        assert!((800..1_200).contains(&first), "{first} of 4000 in the first of four shards");
    }
}

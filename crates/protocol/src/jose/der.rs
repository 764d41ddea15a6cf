//! DER as far as public keys and certificates need it: tagged values, read one after the other.
//!
//! Spec: X.690 §8.1 and §10.1. Whatever the bytes, reading ends and allocates nothing: lengths are checked against what is
//! there, and nothing is read by recursion.

/// INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// BIT STRING.
pub(super) const BIT_STRING: u8 = 0x03;
/// OBJECT IDENTIFIER.
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
/// SEQUENCE and SEQUENCE OF.
pub(super) const SEQUENCE: u8 = 0x30;
/// SET OF.
pub(super) const SET: u8 = 0x31;

/// What is yet to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads these bytes.
    pub(super) const fn new(der: &'a [u8]) -> Self {
        Self(der)
    }

    /// Whether nothing is left.
    pub(super) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next value, whatever it is: its tag and its content. `None` where there is none, or its length is not
    /// written as DER demands.
    pub(super) fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (length, rest) = rest.split_first()?;
        // Tags above 30 take several bytes; nothing here has one.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, rest) = match usize::from(*length) {
            short @ 0..=0x7f => (short, rest),
            long @ 0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(long - 0x80)?;
                let length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
                let is_shortest = length > 0x7f && digits.first() != Some(&0);
                (is_shortest.then_some(length)?, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// The content of the next value, if it has this tag.
    pub(super) fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let (found, content) = ahead.any()?;
        (found == tag).then(|| {
            *self = ahead;
            content
        })
    }

    /// The values within the next one, if it has this tag.
    pub(super) fn within(&mut self, tag: u8) -> Option<Self> {
        self.value(tag).map(Self)
    }

    /// The magnitude of the next value, if it is a positive INTEGER: big-endian, without leading zeros.
    pub(super) fn positive(&mut self) -> Option<&'a [u8]> {
        let bytes = self.value(INTEGER)?;
        let is_negative = bytes.first().is_none_or(|first| first & 0x80 != 0);
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        (!is_negative && zeros < bytes.len()).then(|| &bytes[zeros..])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

    use super::{INTEGER, Reader, SEQUENCE};

    #[test]
    fn values_are_read_in_order_and_only_with_their_tag() {
        let mut reader = Reader::new(&[0x30, 0x03, 0x02, 0x01, 0x07, 0x05, 0x00]);
        assert!(reader.value(INTEGER).is_none());
        let mut inner = reader.within(SEQUENCE).unwrap();
        assert_eq!(inner.positive(), Some(&[7][..]));
        assert!(inner.is_empty() && inner.any().is_none());
        assert_eq!(reader.any(), Some((0x05, &[][..])));
        assert!(reader.is_empty());
    }

    #[test]
    fn lengths_are_exact_and_as_short_as_can_be() {
        let long = [&[0x04, 0x81, 0x80][..], &[1; 0x80]].concat();
        assert_eq!(Reader::new(&long).any(), Some((0x04, &[1; 0x80][..])));
        for bad in [
            &[][..],
            &[0x04],
            &[0x04, 0x02, 0x01],
            &[0x04, 0x80, 0x00, 0x00],
            &[0x04, 0x81, 0x01, 0x01],
            &[0x04, 0x82, 0x00, 0x80],
            &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 0x01],
            &[0x04, 0x85, 0x01, 0x00, 0x00, 0x00, 0x00],
            &[0x1f, 0x01, 0x00],
        ] {
            assert_eq!(Reader::new(bad).any(), None, "{bad:x?}");
        }
        assert_eq!(Reader::new(&[&[0x04, 0x82, 0x00, 0x80][..], &[1; 0x80]].concat()).any(), None);
    }

    #[test]
    fn only_numbers_above_zero_are_positive() {
        let of = |bytes: &[u8]| {
            let der = [&[INTEGER, u8::try_from(bytes.len()).unwrap()], bytes].concat();
            Reader::new(&der).positive().map(<[u8]>::to_vec)
        };
        assert_eq!(of(&[0x00, 0x80]), Some(vec![0x80]));
        assert_eq!(of(&[0x7f, 0x00]), Some(vec![0x7f, 0x00]));
        for bad in [&[][..], &[0x00], &[0x80], &[0xff, 0x01]] {
            assert_eq!(of(bad), None, "{bad:x?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read_to_an_end(bytes in any::<Vec<u8>>()) {
            let (mut reader, mut content) = (Reader::new(&bytes), 0);
            while let Some((_, value)) = reader.any() {
                content += value.len() + 2;
            }
            prop_assert!(content <= bytes.len());
        }
    }
}

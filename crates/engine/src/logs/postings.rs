//! Which events of a segment have which value, as text: written, merged, and asked.
//!
//! `;3f2a9c01:0,4-9,17;…`: the fingerprint of a value, then the places of its events in the segment, runs of them as a
//! range. Two values may share a fingerprint, so what is found is compared with the event itself.

use std::collections::BTreeMap;

/// Eight hexadecimal digits that stand for a value. Part of the stored format: FNV-1a with 64 bits, folded once.
pub(super) fn fingerprint(value: &str) -> String {
    let hash = value.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let folded = (hash ^ (hash >> 32)) & 0xffff_ffff;
    format!("{folded:08x}")
}

/// In which posting of a segment of so many blocks a fingerprint stands: those of a merged one are divided by the last
/// digit, so that a search reads a sixteenth of them.
pub(super) fn bucket(fingerprint: &str, blocks: u64) -> &str {
    if blocks == 1 { "" } else { fingerprint.get(7..).unwrap_or_default() }
}

/// The postings of one field of one segment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Postings(BTreeMap<String, Vec<usize>>);

impl Postings {
    /// Notes that the event at `place`, which is higher than all before, has this value.
    pub(super) fn add(&mut self, value: &str, place: usize) {
        self.0.entry(fingerprint(value)).or_default().push(place);
    }

    /// Takes over what a text says about a part of the segment that begins at `offset`, behind all before.
    pub(super) fn absorb(&mut self, text: &str, offset: usize) {
        for entry in text.split(';') {
            let Some((fingerprint, places)) = entry.split_once(':') else { continue };
            let places = runs(places).flat_map(|(first, last)| first..=last).map(|place| place + offset);
            self.0.entry(fingerprint.to_owned()).or_default().extend(places);
        }
    }

    /// The text of each bucket.
    pub(super) fn texts(&self, blocks: u64) -> BTreeMap<&str, String> {
        let mut texts: BTreeMap<&str, String> = BTreeMap::new();
        for (fingerprint, places) in &self.0 {
            let text = texts.entry(bucket(fingerprint, blocks)).or_default();
            text.push(';');
            text.push_str(fingerprint);
            text.push(':');
            write_runs(text, places);
        }
        texts
    }
}

fn write_runs(text: &mut String, places: &[usize]) {
    let mut rest = places;
    while let Some(first) = rest.first() {
        let run = rest.iter().zip(*first..).take_while(|(place, expected)| *place == expected).count();
        if !text.ends_with(':') {
            text.push(',');
        }
        text.push_str(&first.to_string());
        if run > 1 {
            text.push('-');
            text.push_str(&(first + run - 1).to_string());
        }
        rest = &rest[run..];
    }
}

/// The first and last place of each run.
fn runs(places: &str) -> impl Iterator<Item = (usize, usize)> {
    places.split(',').filter_map(|run| {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        Some((first.parse().ok()?, last.parse().ok()?))
    })
}

/// Places within a segment, a bit for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places(Vec<u64>);

impl Places {
    /// None of so many.
    pub(super) fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    /// Adds those at which a text has a fingerprint.
    pub(super) fn add(&mut self, text: &str, fingerprint: &str) {
        let Some((_, after)) = text.split_once(&format!(";{fingerprint}:")) else { return };
        let places = after.split_once(';').map_or(after, |(places, _)| places);
        for place in runs(places).flat_map(|(first, last)| first..=last) {
            if let Some(word) = self.0.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
        }
    }

    /// Keeps those that are in both.
    pub(super) fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own &= other);
    }

    /// Keeps those that are in either.
    pub(super) fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= other);
    }

    /// Each place, lowest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let bits = |word: u64| (0..64).filter(move |bit| word >> bit & 1 == 1);
        self.0
            .iter()
            .enumerate()
            .filter(|(_, word)| **word != 0)
            .flat_map(move |(at, word)| bits(*word).map(move |bit| at * 64 + bit))
    }
}

#[cfg(test)]
mod tests {
    use super::{Places, Postings, bucket, fingerprint};

    fn places(postings: &Postings, blocks: u64, value: &str) -> Vec<usize> {
        let (fingerprint, texts) = (fingerprint(value), postings.texts(blocks));
        let mut places = Places::none(256);
        if let Some(text) = texts.get(bucket(&fingerprint, blocks)) {
            places.add(text, &fingerprint);
        }
        places.iter().collect()
    }

    #[test]
    fn what_is_written_is_found_and_survives_a_merge() {
        let mut block = Postings::default();
        for place in [0, 1, 2, 5, 127] {
            block.add("s", place);
        }
        block.add("f", 3);
        let text = block.texts(1).into_values().next().unwrap();
        assert!(text.contains(":0-2,5,127"), "{text}");
        assert_eq!(places(&block, 1, "s"), [0, 1, 2, 5, 127]);
        assert_eq!(places(&block, 1, "f"), [3]);
        assert_eq!(places(&block, 1, "x"), [0_usize; 0]);
        let mut merged = Postings::default();
        merged.absorb(&text, 0);
        merged.absorb(&text, 128);
        assert_eq!(places(&merged, 32, "s"), [0, 1, 2, 5, 127, 128, 129, 130, 133, 255]);
        assert_eq!(places(&merged, 32, "f"), [3, 131]);
    }

    /// Stored text holds it, so it must be the same for ever.
    #[test]
    fn a_value_keeps_its_fingerprint() {
        assert_eq!(
            ["", "s", "auth0|1"].map(fingerprint),
            ["4fd0bfc1", "2961e56e", "95503665"].map(str::to_owned)
        );
    }
}

//! The known name that is nearest to a misspelt one.

/// The nearest of `known`, if it is near enough to be what was meant: the last part counts on its own too, so
/// that a right key in a wrong section is found.
pub fn nearest<'a>(written: &str, known: &'a [String]) -> Option<&'a str> {
    let tail = |key: &str| key.rsplit('.').next().unwrap_or(key).to_owned();
    known
        .iter()
        .map(|key| {
            let whole = distance(written, key);
            let part = distance(&tail(written), &tail(key)) + 1;
            // A name that was cut short is nearer than one that happens to need few other letters.
            let cut = if key.starts_with(written) { 1 } else { usize::MAX };
            (whole.min(part).min(cut), key.as_str())
        })
        .min()
        .filter(|(far, _)| *far <= 1 + written.len() / 3)
        .map(|(_, key)| key)
}

/// How many letters must be changed, added or dropped to make one text of the other (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, here) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, there) in right.iter().enumerate() {
            let changed = diagonal + usize::from(here != *there);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distance_counts_changed_added_and_dropped_letters() {
        for (left, right, expected) in
            [("", "", 0), ("abc", "abd", 1), ("abc", "ab", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn a_name_unlike_any_other_has_no_nearest() {
        assert_eq!(nearest("colour", &["server.listen".to_owned()]), None);
    }
}

//! What queries mean, where they are refused, and that rendering and reading one is the same.

use std::borrow::Cow;

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::{Bound, Clause, Condition, Field, Pattern, Piece, Query, Syntax, Test};

const SYNTAX: Syntax = Syntax {
    fields: &[
        Field::text("type"),
        Field::text("ip"),
        Field::text("user_id"),
        Field::folded("email"),
        Field::moment("date"),
    ],
    bare: &["type", "user_id"],
};

fn parse(q: &str) -> Query {
    Query::parse(q, &SYNTAX).unwrap_or_else(|error| panic!("{q}: {error}"))
}

fn holds(q: &str) -> bool {
    parse(q).matches(|field| {
        let value = match field {
            "type" => "sapi",
            "user_id" => "auth0|a\"b c",
            "email" => "ann@example.com",
            "date" => "2026-11-25T20:18:10.500Z",
            _ => return None,
        };
        Some(Cow::Borrowed(value))
    })
}

#[test]
fn what_a_query_says_holds_or_not() {
    let yes = [
        "",
        "  ",
        "*",
        "*:*",
        "type:sapi",
        "type:\"sapi\"",
        "type: sapi",
        "type:sa*",
        "type:*",
        "type:*a?i",
        "type:s?p*",
        "type:\\sapi",
        "_exists_:type",
        "NOT _exists_:ip",
        "sapi",
        "\"sapi\"",
        "sa*",
        "type:s* AND user_id:\"auth0|a\\\"b c\"",
        "user_id:auth0|a\\\"b\\ c",
        "type:(s OR sapi)",
        "type:(s sapi)",
        "type:s OR type:sapi",
        "type:s || sapi",
        "type:s type:sapi",
        "+type:sapi -ip:*",
        "+sapi type:none",
        "!type:s && sapi",
        "NOT (type:s OR type:f)",
        "type:f AND type:s OR sapi",
        "sapi OR type:s AND type:f",
        "-type:s",
        "type:[s TO t]",
        "type:[sapi TO *]",
        "type:{s TO sapi]",
        "type:[* TO *]",
        "type:>=sapi",
        "type:<sapj",
        "email:ANN@example.com",
        "email:Ann*",
        "date:2026",
        "date:2026-11",
        "date:2026-11-25",
        "date:\"2026-11-25T20:18:10.500Z\"",
        "date:2026-11-25T20:18",
        "date:2026-11-25T21:18:10+01:00",
        "date:2026-11*",
        "date:[2026-11-25 TO *]",
        "date:[* TO 2026-11-25]",
        "date:[2026-11-24T00:00:00Z TO 2026-11-26T00:00:00Z]",
        "date:{2026-11-24 TO 2026-11-26}",
        "date:>2026-11-24",
        "date:<=2026-11-25",
        "date:[\"2026-11-25\" TO 2026-12}",
    ];
    for q in yes {
        assert!(holds(q), "{q}");
    }
    let no = [
        "type:s",
        "type:Sapi",
        "ip:*",
        "ip:1",
        "_exists_:ip",
        "NOT type:*",
        "type:sapi AND ip:1",
        "type:(s f)",
        "s",
        "type:(s AND sapi)",
        "sapi -type:sapi",
        "+type:s sapi",
        "sapi AND NOT sapi",
        "NOT NOT type:s",
        "type:{sapi TO *]",
        "type:[* TO sapi}",
        "type:[* TO \\*]",
        "type:>sapi",
        "date:2025",
        "date:2026-11-24",
        "date:2026-11-25T20:19",
        "date:{2026-11-25 TO *]",
        "date:[* TO 2026-11-25}",
        "date:>2026",
        "type:sapi\\*",
        "type:\"sa*\"",
        "type:sapi?",
        "type:s?i",
        "type:*b*",
    ];
    for q in no {
        assert!(!holds(q), "{q}");
    }
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    let deep = format!("{}s{}", "(".repeat(17), ")".repeat(17));
    let many = "s ".repeat(101);
    for (q, at, part) in [
        ("type:", 1, "no value"),
        ("other:1", 1, "other cannot be searched; known are type, ip"),
        ("sapi AND", 6, "behind"),
        ("AND sapi", 1, "front"),
        ("sapi OR", 6, "behind"),
        ("sapi OR OR s", 9, "front"),
        ("sapi AND OR s", 10, "front"),
        ("type:(s", 6, "not closed"),
        ("type:s)", 7, "closes nothing"),
        ("()", 1, "nothing between"),
        ("type:\"s", 6, "quote is not closed"),
        ("type:s\"", 7, "backslash"),
        ("type:/s/", 6, "regular expressions"),
        ("type:s~", 7, "fuzzy"),
        ("type:s^2", 7, "boosts"),
        ("type:[a b]", 9, "TO"),
        ("type:[a TO b", 6, "not closed"),
        ("type:[ TO b]", 11, "TO"),
        ("[a TO b]", 1, "needs a field"),
        ("date:yesterday", 6, "YYYY-MM-DD"),
        ("date:[2026-13 TO *]", 7, "YYYY-MM-DD"),
        ("s\\", 3, "backslash"),
        ("NOT", 4, "missing"),
        ("type:*a*b*c*d*e*f*g*h*i*", 6, "wildcards"),
        (&deep, 17, "parentheses"),
        (&many, 202, "terms"),
        (&"s".repeat(4097), 4097, "bytes"),
    ] {
        let error = Query::parse(q, &SYNTAX).expect_err(q);
        assert!(error.what.contains(part), "{q}: {error}");
        assert_eq!(error.at, at, "{q}: {error}");
    }
    let nameless = Syntax { bare: &[], ..SYNTAX };
    assert!(Query::parse("sapi", &nameless).is_err());
}

#[test]
fn a_way_to_an_index_can_be_asked_for() {
    let query = parse("type:s* AND (ip:\"::1\" AND date:[2026-11-25 TO *]) AND date:<2026-12");
    assert_eq!((query.exact("ip"), query.exact("type")), (Some("::1"), None));
    assert_eq!(query.range("date"), (Some("2026-11-25T00:00:00.000Z"), Some("2026-12-01T00:00:00.000Z")));
    for q in ["ip:1 OR type:s", "NOT ip:1", "ip:(1 2)"] {
        assert_eq!(parse(q).exact("ip"), None, "{q}");
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab]{1,3}",
        "[ab \"\\\\*?():{}\\[\\]+!/^~|&-]{1,4}",
        Just("AND".to_owned()),
        Just("TO".to_owned())
    ]
}

fn condition() -> impl Strategy<Value = Clause> {
    let piece = prop_oneof![
        Just(Piece::Many),
        Just(Piece::One),
        "[ab* ]".prop_map(|c| Piece::Char(c.chars().next().unwrap()))
    ];
    let bound = || {
        proptest::option::of((text(), any::<bool>()).prop_map(|(value, included)| Bound { value, included }))
    };
    let test = prop_oneof![
        text().prop_map(Test::Exactly),
        proptest::collection::vec(piece, 1..5).prop_map(|pieces| Test::Like(Pattern(pieces))),
        (bound(), bound()).prop_map(|(low, high)| Test::Between { low, high }),
        Just(Test::Present),
    ];
    (proptest::sample::select(vec!["type", "ip"]), test)
        .prop_map(|(field, test)| Clause::Is(Condition { fields: vec![field], test }))
}

fn clause() -> impl Strategy<Value = Clause> {
    condition().prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Clause::All),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Clause::Any),
            inner.prop_map(|part| Clause::Not(Box::new(part))),
        ]
    })
}

fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| ['\\', c]).collect()
}

fn rendered(clause: &Clause) -> String {
    let all = |parts: &[Clause], between: &str| {
        let parts: Vec<_> = parts.iter().map(rendered).collect();
        format!("({})", parts.join(between))
    };
    match clause {
        Clause::All(parts) => all(parts, " AND "),
        Clause::Any(parts) => all(parts, " OR "),
        Clause::Not(part) => format!("NOT {}", rendered(part)),
        Clause::Is(Condition { fields, test }) => {
            let value = match test {
                Test::Exactly(value) => escaped(value),
                Test::Like(pattern) => pattern
                    .0
                    .iter()
                    .map(|piece| match piece {
                        Piece::Char(c) => format!("\\{c}"),
                        Piece::One => "?".to_owned(),
                        Piece::Many => "*".to_owned(),
                    })
                    .collect(),
                Test::Between { low, high } => {
                    let value =
                        |bound: &Option<Bound>| bound.as_ref().map_or("*".to_owned(), |b| escaped(&b.value));
                    let end = |bound: &Option<Bound>, yes, no| {
                        if bound.as_ref().is_none_or(|b| b.included) { yes } else { no }
                    };
                    format!("{}{} TO {}{}", end(low, '[', '{'), value(low), value(high), end(high, ']', '}'))
                }
                Test::Present => "*".to_owned(),
            };
            format!("{}:{value}", fields[0])
        }
    }
}

/// The slow and certain way to compare with a pattern.
fn like(pieces: &[Piece], text: &[char]) -> bool {
    match (pieces, text) {
        ([], []) => true,
        ([Piece::Many, pieces @ ..], _) => {
            like(pieces, text) || (!text.is_empty() && like(&[&[Piece::Many], pieces].concat(), &text[1..]))
        }
        ([Piece::One, pieces @ ..], [_, text @ ..]) => like(pieces, text),
        ([Piece::Char(wanted), pieces @ ..], [found, text @ ..]) => wanted == found && like(pieces, text),
        _ => false,
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(q in any::<String>(), odd in "[ab\"\\\\*?():{}\\[\\]+!/ TONDR|&-]{0,40}") {
        for q in [q, odd] {
            if let Err(error) = Query::parse(&q, &SYNTAX) {
                assert!(error.at >= 1 && error.at <= q.chars().count() + 1, "{q}: {error}");
            }
        }
    }

    #[test]
    fn a_query_means_what_was_written(clause in clause(), one in text(), other in proptest::option::of(text())) {
        let q = rendered(&clause);
        let value = |field| match field {
            "type" => Some(Cow::Borrowed(&*one)),
            _ => other.as_deref().map(Cow::Borrowed),
        };
        assert_eq!(parse(&q).matches(value), Query(clause).matches(value), "{q}");
    }

    #[test]
    fn a_pattern_matches_what_it_should(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
        let pieces: Vec<_> = pattern
            .chars()
            .map(|c| match c { '*' => Piece::Many, '?' => Piece::One, c => Piece::Char(c) })
            .collect();
        let letters: Vec<_> = text.chars().collect();
        assert_eq!(Pattern(pieces.clone()).matches(&text), like(&pieces, &letters), "{pattern} {text}");
    }
}

//! Hierarchies from every constructor, and those that are refused.

use super::*;

fn levels(texts: &[&str]) -> Vec<Arc<str>> {
    texts.iter().map(|text| Arc::from(*text)).collect()
}

/// What is written for every base code, level after level.
fn written(of: &Hierarchy) -> Vec<Vec<String>> {
    (0..of.levels()).map(|level| (0..of.codes()).map(|code| of.text(level, code).to_string()).collect()).collect()
}

#[test]
fn identity_keeps_or_suppresses() {
    let of = Hierarchy::identity("sex", &levels(&["f", "m"]));
    assert_eq!(written(&of), [["f", "m", UNKNOWN, OUTSIDE], ["*"; 4]]);
    assert_eq!((of.span(0, 0), of.span(1, 0), of.span_max()), (0, 1, 1));
}

#[test]
fn intervals_are_named_by_their_ends() {
    let ages = levels(&["17", "18", "19", "20", "21"]);
    let of = Hierarchy::widths("age", &ages, &[2, 4]).unwrap();
    let expected = ["[17, 18]", "[17, 18]", "[19, 20]", "[19, 20]", "21", UNKNOWN, OUTSIDE];
    assert_eq!(written(&of)[1], expected);
    assert_eq!(written(&of)[2][..5], ["[17, 20]", "[17, 20]", "[17, 20]", "[17, 20]", "21"]);
    assert_eq!([0, 1, 2, 3].map(|code| of.span(1, code)), [1, 1, 0, 0]);
    assert_eq!((of.span(2, 0), of.span(3, 0), of.span_max()), (3, 4, 4));
    let cuts = Hierarchy::cuts("age", &ages, &[vec![1, 3], vec![3]]).unwrap();
    assert_eq!(written(&cuts)[1][..5], ["17", "[18, 19]", "[18, 19]", "[20, 21]", "[20, 21]"]);
}

#[test]
fn characters_are_hidden() {
    let of = Hierarchy::redacted("zip", &levels(&["10115", "10117", "20095"]), &[1, 3]).unwrap();
    assert_eq!(written(&of)[1][..3], ["1011*", "1011*", "2009*"]);
    assert_eq!(written(&of)[2][..3], ["10***", "10***", "20***"]);
    let of = Hierarchy::prefixes("icd", &levels(&["E11.9", "E11", "I10", "Ü1"]), &[3, 1]).unwrap();
    assert_eq!(written(&of)[1][..4], ["E11*", "E11", "I10", "Ü1"]);
    assert_eq!(written(&of)[2][..4], ["E*", "E*", "I*", "Ü*"]);
}

#[test]
fn dates_lose_their_parts() {
    let days = levels(&["2024-03-31", "2024-04-01", "2029-12-31"]);
    let of = Hierarchy::dates("born", &days, &[DatePart::Month, DatePart::Quarter, DatePart::Year, DatePart::Decade])
        .unwrap();
    assert_eq!(written(&of)[1][..3], ["2024-03", "2024-04", "2029-12"]);
    assert_eq!(written(&of)[2][..3], ["2024-Q1", "2024-Q2", "2029-Q4"]);
    assert_eq!(written(&of)[3][..3], ["2024", "2024", "2029"]);
    assert_eq!(written(&of)[4][..3], ["2020s"; 3]);
    assert!(matches!(Hierarchy::dates("born", &levels(&["2024"]), &[DatePart::Year]), Err(ModelError::Steps { .. })));
    let backwards = Hierarchy::dates("born", &days, &[DatePart::Year, DatePart::Month]);
    assert_eq!(backwards, Err(ModelError::Nested { hierarchy: "born".into(), step: 2 }));
}

#[test]
fn a_table_is_read_in_any_order() {
    let of = Hierarchy::table("area", &levels(&["a", "b", "c"]), "c;south;*\na;north;*\nunused;north;*\nb;north;*\n")
        .unwrap();
    assert_eq!(written(&of)[1], ["north", "north", "south", UNKNOWN, OUTSIDE]);
    assert_eq!(of.levels(), 3, "the last column suppresses and is not there twice");
    for (text, words) in [
        ("a;x\n", "declared level 2 has no line"),
        ("a;x\na;y\n", "line 2 has a value that an earlier line has"),
        ("a;x\nb;x;y\n", "line 2 does not have as many fields"),
    ] {
        let error = Hierarchy::table("area", &levels(&["a", "b"]), text).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let parted = Hierarchy::table("area", &levels(&["a", "b"]), "a;x;1\nb;x;2\n");
    assert_eq!(parted, Err(ModelError::Nested { hierarchy: "area".into(), step: 2 }));
}

#[test]
fn steps_that_do_not_fit_are_refused() {
    let of = levels(&["a", "b", "c"]);
    assert!(Hierarchy::steps("x", &of, &[levels(&["p", "q"])]).is_err());
    assert!(Hierarchy::cuts("x", &of, &[vec![2, 1]]).is_err());
    assert!(Hierarchy::cuts("x", &of, &[vec![4]]).is_err());
    assert!(Hierarchy::widths("x", &of, &[0]).is_err());
    assert!(Hierarchy::widths("x", &levels(&["1", "2", "3", "4", "5", "6"]), &[2, 3]).is_err());
    let none = Hierarchy::identity("x", &[]);
    assert_eq!((none.codes(), none.levels(), none.span_max()), (2, 2, 1));
}

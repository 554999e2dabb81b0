//! Places of points, room for texts, and that no text from outside is markup or leaves the picture.

use super::*;

/// Texts nobody should be called.
fn hostile() -> Vec<String> {
    vec![
        "<script>alert(1)</script>\"'&".into(),
        "x".repeat(10_000),
        "\u{202e}gnp.exe\u{2066}\u{200f}עברית".into(),
        "a\0b\r\nc\u{1b}[31m\u{ffff}\u{fffe}".into(),
        "👩‍👩‍👧‍👦".repeat(50),
        "申请人所在地区与职业".repeat(20),
        String::new(),
    ]
}

fn scale() -> Scale {
    Scale { lower: 0.0, upper: 1.0, ticks: [0.0, 0.5, 1.0].map(|at| (at, at.to_string())).into() }
}

fn line(kind: LineKind, words: &str) -> Line {
    Line { at: 0.8, kind, words: words.into() }
}

fn forest(size: Size, scale: Scale, words: &str, rows: Vec<(String, Value)>) -> Chart {
    let rows = rows.into_iter().map(|(label, value)| Row { label, value, mark: Mark::Dot }).collect();
    let lines = vec![line(LineKind::AtLeast, words), line(LineKind::Reference, words)];
    Chart { id: "c".into(), size, title: "t".into(), description: "d".into(), scale, lines, rows }
}

fn interval(point: f64, lower: Option<f64>, upper: Option<f64>) -> Value {
    Value::Interval { point, lower, upper }
}

/// One picture of each kind, all its texts this one.
fn all(text: &str) -> Vec<String> {
    let t = || text.to_string();
    let spots = [0.1, 0.9].map(|x| curves::Spot { x, y: Some(x), lower: Some(0.0), upper: Some(1.0) });
    let curve = || curves::Curve {
        label: t(),
        spots: spots.into(),
        dots: true,
        band: vec![[(0.0, 0.1), (0.2, 0.3)], [(0.5, 0.6), (0.7, 0.8)]],
    };
    let axis = || curves::Axis { name: t(), scale: scale() };
    let curves = curves::Curves {
        id: t(),
        title: t(),
        description: t(),
        is_square: true,
        across: axis(),
        up: axis(),
        curves: vec![curve(), curve()],
        diagonal: true,
        mark: Some((0.9, t())),
    };
    let bin = || bars::Bin { label: t(), before: (1.0, t()), after: (0.3, t()) };
    let bars =
        bars::Bars { id: t(), title: t(), description: t(), names: (t(), t()), most: 1.0, bins: vec![bin(), bin()] };
    let account = |granted| gauge::Account { words: t(), spent: 0.4, granted };
    let accounts = vec![account(Some(1.0)), account(None)];
    let gauge = gauge::Gauge { id: t(), title: t(), description: t(), scale: scale(), accounts };
    let past = |value| sparkline::Past { value, lower: Some(0.1), upper: None };
    let spark = sparkline::Sparkline {
        id: t(),
        title: t(),
        description: t(),
        scale: scale(),
        runs: vec![past(Some(0.2)), past(None), past(Some(1.0))],
        limits: vec![line(LineKind::AtMost, text), line(LineKind::AtLeast, text)],
        last: t(),
    };
    let ends = |point| frontier::Ends { point, lower: None, upper: Some(1.0) };
    let frontier = frontier::Frontier {
        id: t(),
        title: t(),
        description: t(),
        x_name: t(),
        y_name: t(),
        x: scale(),
        y: scale(),
        points: vec![frontier::Point { number: t(), x: ends(1.0), y: ends(0.0), before: false }],
    };
    let rows = |size| {
        let rows = vec![(t(), interval(0.5, None, Some(0.9))), (t(), Value::Words(t()))];
        Chart { id: t(), title: t(), description: t(), ..forest(size, scale(), text, rows) }
    };
    vec![
        draw(&rows(Size::Panel)),
        draw(&rows(Size::Single)),
        curves::svg(&curves),
        bars::svg(&bars),
        gauge::draw(&gauge),
        sparkline::draw(&spark),
        frontier::svg(&frontier),
    ]
}

fn numbers(svg: &str, before: &str) -> Vec<f64> {
    svg.split(before)
        .skip(1)
        .filter_map(|rest| rest.split(['\"', ' ', 'H', 'V', 'L', 'M', 'z']).next()?.parse().ok())
        .collect()
}

fn attribute(markup: &str, name: &str) -> Option<f64> {
    markup.split_once(&format!(" {name}=\""))?.1.split('"').next()?.parse().ok()
}

/// Every text of a picture, by its place and its estimated width.
fn texts(svg: &str) -> Vec<(f64, f64, f64, String)> {
    let text = |rest: &str| {
        let (head, body) = rest.split_once('>').unwrap_or_default();
        let body = body.split("</text>").next().unwrap_or_default();
        let said = body.rsplit("</title>").next().unwrap_or_default();
        let said = said
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
        let size = if head.contains("k-label") || head.contains("k-words") { LETTER } else { SMALL };
        let (x, y, wide) = (attribute(head, "x").unwrap(), attribute(head, "y").unwrap(), size * width(&said));
        match head {
            _ if head.contains("rotate") => (x, x, y, said),
            _ if head.contains("\"middle\"") => (x - wide / 2.0, x + wide / 2.0, y, said),
            _ if head.contains("\"end\"") => (x - wide, x, y, said),
            _ => (x, x + wide, y, said),
        }
    };
    svg.split("<text").skip(1).map(text).collect()
}

#[test]
fn texts_from_outside_are_escaped_and_stay_inside_the_picture() {
    for text in hostile() {
        for svg in all(&text) {
            assert!(!svg.contains("<script") && !svg.contains('\0') && !svg.contains('\u{202e}'), "{svg}");
            assert!(!svg.contains("style=") && svg.len() < 140_000, "{}", svg.len());
            let size: Vec<f64> = svg
                .split_once("viewBox=\"0 0 ")
                .map(|(_, rest)| rest.split(['"', ' ']).take(2).map(|n| n.parse().unwrap()).collect())
                .unwrap();
            for (from, to, y, said) in texts(&svg) {
                assert!(from >= -1.0 && to <= size[0] + 1.0, "{from} to {to} of {}: {said}", size[0]);
                assert!((8.0..=size[1] - 2.0).contains(&y), "{y} of {}: {said}", size[1]);
            }
        }
    }
}

#[cfg(feature = "mail")]
#[test]
fn every_picture_is_xml_with_a_title_and_a_description_of_its_own() {
    use resvg::usvg::{Options, Tree, roxmltree::Document};
    for text in hostile() {
        for svg in all(&text) {
            let placed = svg.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1);
            let document = Document::parse(&placed).unwrap_or_else(|e| panic!("{e}: {svg}"));
            let root = document.root_element();
            let ids: Vec<&str> = root.attribute("aria-labelledby").unwrap().split_whitespace().collect();
            let first: Vec<_> = root.children().take(2).map(|node| node.tag_name().name()).collect();
            assert_eq!((root.attribute("role"), first), (Some("img"), vec!["title", "desc"]));
            assert!(ids.last().unwrap().ends_with("-d"));
            assert!(Tree::from_str(&placed, &Options::default()).is_ok());
        }
    }
    for (i, svg) in all("m").iter().enumerate() {
        let region = scrolled(svg, "a \"b\"");
        assert!(Document::parse(&region).is_ok() && region.contains("aria-label=\"a &quot;b&quot;\""), "{i}");
    }
}

#[test]
fn a_scale_ends_at_round_numbers_around_all_values() {
    let label = |x: f64| format!("{x:.2}");
    for (lower, upper) in [(0.0, 1.0), (0.13, 0.92), (-3.0, 17.0), (0.4, 0.4), (1e-9, 2e-9), (-4e5, 3e7)] {
        let scale = Scale::over([lower, upper].into_iter(), &label);
        assert!(
            scale.lower <= lower && upper <= scale.upper && scale.lower < scale.upper,
            "{lower} {upper}: {scale:?}"
        );
        assert!((2..=8).contains(&scale.ticks.len()), "{scale:?}");
    }
    assert_eq!(Scale::over([f64::NAN, f64::INFINITY].into_iter(), &label), Scale::over([0.0, 1.0].into_iter(), &label));
    let rows = vec![("a".into(), interval(0.0, None, Some(f64::MAX)))];
    let extreme = draw(&forest(Size::Panel, Scale::over([f64::MIN, f64::MAX].into_iter(), &label), "", rows));
    assert!(!extreme.contains("NaN") && !extreme.contains("inf\""));
}

#[test]
fn points_lie_on_their_intervals_and_ends_that_are_not_there_run_to_the_edge() {
    let values = [interval(0.5, Some(0.25), Some(0.75)), interval(0.5, None, None)];
    let chart = forest(Size::Panel, scale(), "", values.map(|value| ("a < b".into(), value)).into());
    let (svg, left, right) = (draw(&chart), chart.left(), chart.right());
    let middle = (left + right) / 2.0;
    let points = numbers(&svg, "cx=\"");
    assert!(points.len() == 2 && points.iter().all(|x| (x - middle).abs() < 0.06), "{points:?}");
    let from = numbers(&svg, "<g class=\"k-dot\"><path d=\"M");
    assert!((from[0] - (left + 0.25 * (right - left))).abs() < 0.06 && (from[1] - left).abs() < 0.06, "{from:?}");
    assert!(svg.contains("a &lt; b") && svg.contains("k-limit") && svg.contains("role=\"img\""));
    assert_eq!(cut("abcdef", 4), "abc…");
}

#[test]
fn a_limit_is_named_beside_its_line_and_two_names_have_a_row_each() {
    let rows = vec![("a".into(), interval(0.5, Some(0.4), Some(0.6)))];
    let named = draw(&forest(Size::Panel, scale(), "at least 0.8", rows.clone()));
    let heights: Vec<f64> = texts(&named).iter().filter(|text| text.3 == "at least 0.8").map(|text| text.2).collect();
    assert_eq!(heights.len(), 2);
    assert!(heights[1] - heights[0] >= SMALL, "{heights:?}");
    assert!(!draw(&forest(Size::Panel, scale(), "", rows)).contains("k-note"));
}

#[test]
fn bars_gauges_and_sparklines_are_as_long_as_their_numbers_say() {
    let bin = |before: f64, after: f64| bars::Bin {
        label: "b".into(),
        before: (before, before.to_string()),
        after: (after, after.to_string()),
    };
    let bars = bars::svg(&bars::Bars {
        id: "b".into(),
        title: "t".into(),
        description: "d".into(),
        names: ("before".into(), "after".into()),
        most: 0.5,
        bins: vec![bin(0.5, 0.25), bin(0.0, f64::NAN)],
    });
    let widths: Vec<f64> = bars.split("<rect").skip(3).filter_map(|rest| attribute(rest, "width")).collect();
    assert!((widths[0] - 2.0 * widths[1]).abs() < 0.2 && widths[0] > 100.0 && widths[2..] == [0.0, 0.0], "{widths:?}");
    let account = |spent, granted| gauge::Account { words: "w".into(), spent, granted };
    let gauge = gauge::draw(&gauge::Gauge {
        id: "g".into(),
        title: "t".into(),
        description: "d".into(),
        scale: scale(),
        accounts: vec![account(0.25, Some(0.5)), account(0.75, None)],
    });
    let widths: Vec<f64> = gauge.split("<rect").skip(1).filter_map(|rest| attribute(rest, "width")).collect();
    assert_eq!(widths, [252.0, 126.0, 378.0], "granted, spent; spent");
    let spark = |runs: usize| {
        let run = |i: usize| sparkline::Past { value: Some(i as f64 / 100.0), lower: Some(0.0), upper: Some(1.0) };
        sparkline::draw(&sparkline::Sparkline {
            id: "s".into(),
            title: "t".into(),
            description: "d".into(),
            scale: scale(),
            runs: (0..runs).map(run).collect(),
            limits: vec![line(LineKind::AtMost, "at most 0.8")],
            last: "0.99".into(),
        })
    };
    assert_eq!(spark(100).matches("k-whisker").count(), 30, "the last thirty");
    assert!(spark(100).contains("at most 0.8") && spark(0).contains("k-limit") && !spark(1).contains("NaN"));
}

#[test]
fn a_chart_has_at_most_two_hundred_marks() {
    let spots = (0..5000).map(|i| curves::Spot { x: f64::from(i) / 5000.0, y: Some(0.5), lower: None, upper: None });
    let curve = curves::Curve { dots: true, spots: spots.collect(), ..curves::Curve::default() };
    let axis = || curves::Axis { name: String::new(), scale: scale() };
    let svg = curves::svg(&curves::Curves {
        id: "c".into(),
        title: "t".into(),
        description: "d".into(),
        is_square: false,
        across: axis(),
        up: axis(),
        curves: vec![curve],
        diagonal: false,
        mark: None,
    });
    assert!((100..=MARKS + 1).contains(&svg.matches("<circle").count()));
    let rows = (0..1000).map(|i| (i.to_string(), interval(0.5, None, None))).collect();
    assert_eq!(draw(&forest(Size::Panel, scale(), "", rows)).matches("<circle").count(), MARKS);
}

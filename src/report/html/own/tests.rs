//! What a folder of templates may hold, and that what it holds is rendered.

use super::*;
use crate::report::tests::sample::{PLAIN, sample};
use crate::report::view::VIEW_VERSION;
use crate::report::{ReportError, digests, files, html_with, run_json};

fn one(name: &str, text: &str) -> Vec<(String, Vec<u8>)> {
    vec![(name.into(), text.as_bytes().to_vec())]
}

/// Code, the text pointed at, message and remedy of the complaints about one file.
fn complaints(name: &str, text: &str) -> Vec<(&'static str, String, String, String)> {
    let complaints = check("own", &one(name, text));
    let told = |c: Complaint| {
        assert_eq!(c.file, format!("own/{name}"));
        (c.code, text.get(c.at.clone()).unwrap_or_default().to_string(), c.message, c.remedy.unwrap_or_default())
    };
    complaints.into_iter().map(told).collect()
}

#[test]
fn the_templates_of_the_program_have_no_complaint() {
    let own: Vec<(String, Vec<u8>)> =
        TEMPLATES.iter().map(|(name, text)| (name.to_string(), text.as_bytes().to_vec())).collect();
    let complaints = check("templates", &own[..1]);
    assert!(complaints.is_empty(), "{complaints:?}");
    for (name, text) in TEMPLATES {
        let found: Vec<_> = forbidden(name, text).into_iter().map(|f| (f.code, f.message)).collect();
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

#[test]
fn samples_have_every_section_and_none() {
    let samples = samples();
    assert_eq!(samples.len(), 2);
    let shown = |i: usize| {
        let view = serde_json::to_value(view(&samples[i].0, &samples[i].1, &Caps::FULL)).unwrap();
        let map = view.as_object().unwrap();
        map.iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key.clone()).collect::<Vec<_>>()
    };
    assert!(shown(0).is_empty(), "the sample lacks {:?}", shown(0));
    assert!(shown(1).len() >= 15, "{:?}", shown(1));
}

#[test]
fn scripts_and_references_to_elsewhere_are_named_with_their_place() {
    for (text, at) in [
        ("<p>a</p>\n<script>alert(1)</script>", "<script"),
        ("<SCRIPT src=x></SCRIPT>", "<SCRIPT"),
        ("<p onclick=\"x()\">a</p>", "onclick"),
        ("<p\nonload='x()'>a</p>", "onload"),
        ("<img src=\"https://example.org/a.png\">", "<img"),
        ("<iframe src=\"//example.org\"></iframe>", "<iframe"),
        ("<a href=\"javascript:alert(1)\">a</a>", "javascript:"),
        ("<p style=\"color: red\">a</p>", "style"),
        ("<style>p { color: red }</style>", "<style"),
        ("<meta http-equiv=\"refresh\" content=\"0\">", "<meta"),
        ("{{ view.title | safe }}", " view.title | safe "),
        ("{{ view.title|safe }}", " view.title|safe "),
        ("{% autoescape false %}", "{% autoescape"),
    ] {
        let found = complaints("extra.html", text);
        assert!(found.iter().any(|(_, shown, ..)| shown == at), "{text}: {found:?}");
        assert!(found.iter().all(|(.., remedy)| !remedy.is_empty()));
    }
    for text in
        ["<p>one = 1, on = 2</p>", "<a href=\"https://example.org\">a</a>", "<p>{{ text(key=\"scope-use\") }}</p>"]
    {
        assert_eq!(complaints("extra.html", text), [], "{text}");
    }
    assert_eq!(complaints("report.html", "<p>{{ view.title }}</p>")[0].0, "no-policy");
}

#[test]
fn unknown_keys_and_wrong_syntax_are_named_with_what_was_meant() {
    let found = complaints("extra.html", "<p>a</p>\n<p>{{ view.verdict.wrod }}</p>");
    assert_eq!(found.len(), 1, "{found:?}");
    let (code, at, message, remedy) = &found[0];
    assert!(*code == "template" && at.contains("wrod"), "{at}: {message}");
    assert!(remedy.contains("docs/templates.md"), "{remedy}");
    let found = complaints("extra.html", "{% if view.title %}<p>a</p>");
    assert_eq!(found[0].0, "template-syntax", "{found:?}");
    // What only some runs have is asked for before it is used.
    assert_eq!(complaints("extra.html", "<p>{{ view.model.kind_of }}</p>")[0].0, "template");
    assert_eq!(complaints("extra.html", "{% if view.model %}<p>{{ view.title }}</p>{% endif %}"), []);
    assert_eq!(complaints("verdcit.html", "a")[0].0, "unknown-template");
    assert!(complaints("verdcit.html", "a")[0].3.contains("verdict.html"));
    assert_eq!(check("own", &[("extra.html".into(), vec![0xff])])[0].code, "not-utf-8");
    assert_eq!(check("own", &[("extra.html".into(), vec![b'a'; 300_000])])[0].code, "long-template");
}

#[test]
fn a_brand_is_colours_and_fonts_that_can_be_read() {
    assert_eq!(complaints("brand.css", ":root { --link: #004488; --sans: \"Noto Sans\", sans-serif; }"), []);
    let dark = ":root { --link: #004488; }\n@media (prefers-color-scheme: dark) { :root { --link: #88bbff; } }";
    assert_eq!(complaints("brand.css", dark), []);
    let css = brand::style(dark);
    assert!(
        css.contains("light) { :root { --link: #004488; } }") && css.contains("dark) { :root { --link: #88bbff; } }")
    );
    for (text, at) in [
        (":root { --fail: #00ff00; }", "--fail: #00ff00"),
        (":root { --link: red; }", "--link: red"),
        (":root { --link: url(https://example.org); }", "--link: url(https://example.org)"),
        ("body { background: url(https://example.org) }", "body "),
        ("@import \"https://example.org\";", "@import \"https://example.org\""),
        (":root { --sans: \"a; }", "--sans: \"a"),
        (":root { /* }</style><script> */ --link: #zzzzzz; }", "--link: #zzzzzz"),
        (":root { --link: #ffffff; }", "--link: #ffffff"),
    ] {
        let found = complaints("brand.css", text);
        assert!(found.iter().any(|(_, shown, ..)| shown.trim() == at.trim()), "{text}: {found:?}");
        let style = brand::style(text);
        assert!(!style.contains("url(") && !style.contains("script") && !style.contains("@import"), "{style}");
    }
}

#[test]
fn a_run_is_rendered_by_its_own_templates_and_by_no_others() {
    let (audit, mut record) = sample(&PLAIN, 0);
    let report = files(&audit, None).unwrap().remove(0).1;
    let own = vec![
        ("brand.css".to_string(), ":root { --link: #004488; }".to_string()),
        ("extra.html".to_string(), "<section id=\"ours\"><h2>Ours</h2><p>{{ view.pipeline_of }}</p></section>".into()),
    ];
    let stored = |own: &[(String, String)]| {
        let files: Vec<(String, Vec<u8>)> =
            own.iter().map(|(name, text)| (format!("templates/{name}"), text.clone().into_bytes())).collect();
        digests(&files)
    };
    record.files = stored(&own);
    let run = run_json(&record).unwrap();
    // A key that is none: the page is made all the same, and says so.
    let page = html_with(&report, &run, &own).unwrap();
    assert!(page.contains("The templates of this pipeline could not be filled in") && page.contains("FAIL"));
    let mut right = own.clone();
    right[1].1 = "<section id=\"ours\"><h2>Ours</h2><p>{{ view.title }}</p></section>".into();
    record.files = stored(&right);
    let run = run_json(&record).unwrap();
    let page = html_with(&report, &run, &right).unwrap();
    assert_eq!(page, html_with(&report, &run, &right).unwrap());
    let (ours, sign_off) = (page.find("id=\"ours\"").unwrap(), page.find("id=\"sign-off\"").unwrap());
    assert!(ours < sign_off && page.contains("--link: #004488") && !page.contains("could not be filled in"));
    use sha2::{Digest, Sha256};
    let style = page.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).unwrap();
    let digest = super::super::base64(&Sha256::digest(style.as_bytes()));
    assert!(page.contains(&format!("'sha256-{digest}'")), "the policy allows the style with the brand in it");
    for other in [own, Vec::new(), right[..1].to_vec()] {
        assert!(matches!(html_with(&report, &run, &other), Err(ReportError::OtherTemplate { .. })));
    }
}

/// docs/templates.md lists the keys of a view: those of the sample, with their kinds.
#[test]
fn the_view_is_documented() {
    let listed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/templates.md")).unwrap();
    let (report, run) = samples().remove(0);
    let view = serde_json::to_value(view(&report, &run, &Caps::FULL)).unwrap();
    let mut table = String::from("| Key | Kind |\n|---|---|\n");
    walk("view", &view, &mut |path, value| {
        let kind = match value {
            serde_json::Value::Object(_) => "keys",
            serde_json::Value::Array(_) => "list",
            serde_json::Value::Bool(_) => "truth",
            serde_json::Value::Number(_) => "number",
            serde_json::Value::String(_) => "text",
            serde_json::Value::Null => "nothing",
        };
        table.push_str(&format!("| `{path}` | {kind} |\n"));
    });
    let written = listed.split("<!-- keys -->\n").nth(1).unwrap_or_default();
    let made = std::env::temp_dir().join("templates-keys.md");
    if written != table {
        std::fs::write(&made, &table).unwrap();
    }
    assert!(
        written == table,
        "the view has other keys than docs/templates.md lists: put {} behind the line <!-- keys --> there",
        made.display()
    );
    assert!(listed.contains(&format!("Version {VIEW_VERSION}")));
}

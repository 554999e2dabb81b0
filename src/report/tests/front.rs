//! Page one: the reason for the verdict, who decides, what is new; and that a large run is shown whole and quickly.

use std::sync::Arc;

use super::page::{around, page};
use super::sample::{PLAIN, sample};
use crate::audit::{Audit, Record, Stated};
use crate::cohort::Cohort;
use crate::finding::{Finding, Verdict, Waived};
use crate::plan::spec::Language;
use crate::report::{files, html, run_json};
use crate::world::Meter;

/// The page with keys of `run.json` that a run of today may not have.
fn with(audit: &Audit, record: &Record, more: &[(&str, serde_json::Value)]) -> String {
    let report = files(audit, None).unwrap().remove(0).1;
    let mut run: serde_json::Value = serde_json::from_slice(&run_json(record).unwrap()).unwrap();
    for (key, value) in more {
        run[*key] = value.clone();
    }
    html(&report, &serde_json::to_vec(&run).unwrap()).unwrap()
}

/// What stands between the beginning of the verdict and its counts.
fn verdict(page: &str) -> &str {
    page.split("id=\"verdict\"").nth(1).and_then(|rest| rest.split("</section>").next()).unwrap()
}

#[test]
fn the_verdict_names_the_worst_value_with_its_interval_and_limit() {
    let (audit, record) = sample(&PLAIN, 0);
    let page = page(&audit, &record);
    let verdict = verdict(&page);
    let worst = audit.findings.iter().find(|finding| finding.verdict == Verdict::Breached).unwrap();
    let point = worst.measured.as_ref().unwrap().estimate().unwrap().point;
    let judged = worst.judged_interval.unwrap();
    let shown = format!("{point:.3} [{:.3}, {:.3}]", judged.lower.unwrap(), judged.upper.unwrap());
    assert!(verdict.contains(&shown), "{shown}: {verdict}");
    assert!(verdict.contains("Selection rate (ratio to the highest cohort), sex = female, compared with male: "));
    assert!(verdict.contains("The limit is at least 0.800; the whole interval is beyond it."));
    assert!(verdict.contains("criterion of level deny is open") || verdict.contains("criteria of level deny are open"));
    assert!(verdict.contains("not named in the pipeline file"));
}

#[test]
fn a_waived_value_is_counted_as_waived_and_as_nothing_else() {
    let (mut audit, record) = sample(&PLAIN, 0);
    let mut finding = audit.findings.iter().find(|finding| finding.verdict == Verdict::Breached).unwrap().clone();
    finding.waiver = None;
    let waived = Finding {
        waiver: Some(Waived { cohort: Default::default(), reason: "few rows".into(), until: "2030-12-31".into() }),
        cohort: Cohort::everyone(),
        ..finding.clone()
    };
    audit.findings = vec![finding, waived];
    let page = page(&audit, &record);
    assert!(page.contains("1 breached, 1 waived") && !page.contains("2 breached"), "{}", around(&page, " breached"));
}

#[test]
fn what_the_author_states_is_shown_as_the_authors() {
    let (mut audit, record) = sample(&PLAIN, 0);
    audit.pipeline.stated = Stated {
        brand: Some("Example Bank".into()),
        decider: Some("Head of lending".into()),
        decide_by: Some("2026-12-31".into()),
        prepared_by: Some("Data office".into()),
        reviewed_by: Some("Internal audit".into()),
        limitations: vec!["Loans by telephone are <b>not</b> in the source.".into()],
        policy: Some("policy.toml".into()),
        references: [("sex".to_string(), "male".to_string())].into(),
    };
    let page = page(&audit, &record);
    assert!(page.contains("<b>Example Bank</b> Audit report"));
    assert!(verdict(&page).contains("Head of lending, by 2026-12-31"));
    let authored = page.split("Stated by the author").nth(1).unwrap().split("From the run itself").next().unwrap();
    assert!(authored.contains("Loans by telephone are &lt;b&gt;not&lt;"), "{authored}");
    for words in [
        "<th scope=\"row\">Prepared by</th><td>Data office</td><td>&nbsp;</td><td>&nbsp;</td>",
        "<th scope=\"row\">Reviewed by, independently</th><td>Internal audit</td>",
        "sex (reference male)",
        "policy.toml",
        "evenhand report 20261125T013000Z-1a2b3c4d --out report.html",
        "Not signed: there is nothing to verify",
        "every value and comparison with its interval",
    ] {
        assert!(page.contains(words), "{words}");
    }
    audit.pipeline.language = Language::ZhCn;
    let page = self::page(&audit, &record);
    for words in ["lang=\"zh-Hans\"", "不通过", "整个区间都超出界限", "作者说明", "最迟 2026年12月31日", "参照 male"]
    {
        assert!(page.contains(words), "{words}: {}", around(&page, "<main>"));
    }
}

#[test]
fn a_finding_keeps_its_name_and_says_since_when() {
    let (audit, record) = sample(&PLAIN, 0);
    let breached = audit.findings.iter().find(|finding| finding.verdict == Verdict::Breached).unwrap();
    let id = crate::finding::id(&breached.code, &breached.cohort);
    assert!(id.starts_with("F-") && id.len() == 10);
    assert_ne!(id, crate::finding::id(&breached.code, &Cohort::everyone()));
    assert!(page(&audit, &record).contains(&format!("<code class=\"fid\">{id}</code><code>")), "no standing is known");
    let table = String::from_utf8(files(&audit, None).unwrap().remove(2).1).unwrap();
    assert!(table.contains(&id), "the table has the name too");
    assert!(page(&audit, &record).contains("not signed"));
    let page = with(&audit, &record, &[("signed_by", "<script>1a2b".into())]);
    assert!(page.contains("signed by key &lt;script&gt;1a2b"));
}

#[test]
fn a_thousand_findings_and_twenty_thousand_rows_fit_on_the_page() {
    let (mut audit, record) = sample(&PLAIN, 0);
    let cohort = |i: usize| Cohort { pairs: vec![("sex".into(), format!("level {i}").into())] };
    let finding = audit.findings.iter().find(|finding| finding.verdict == Verdict::Breached).unwrap().clone();
    audit.findings = (0..1_000)
        .map(|i| Finding { cohort: cohort(i), code: Arc::from(format!("judge/{}", i / 100)), ..finding.clone() })
        .collect();
    let reading =
        audit.readings.iter().find(|reading| reading.contrast.is_none() && !reading.across.is_empty()).unwrap();
    audit.readings = (0..20_000).map(|i| crate::audit::Reading { cohort: cohort(i), ..reading.clone() }).collect();
    let report = files(&audit, None).unwrap().remove(0).1;
    let run = run_json(&record).unwrap();
    let mut meter = Meter::start();
    let page = html(&report, &run).unwrap();
    meter.stage("page", 0);
    println!("1,000 findings and 20,000 values: {} ms, {} bytes", meter.stages[0].wall_ms, page.len());
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert_eq!(page.matches("<article").count(), 200);
    assert!(page.contains("200 findings are shown, the most severe; 800 more in evidence/findings.csv."));
}

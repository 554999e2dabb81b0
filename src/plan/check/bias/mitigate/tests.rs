//! One case for each complaint about `[mitigate]`.

use crate::plan::check::{Severity, Unparsed, check};
use crate::scalar::Scalar;

const GIVEN: &str = r#"
[pipeline]
name = "hiring"
[ingest]
path = "hiring.csv"
[schema.sex]
roles = ["protected"]
levels = ["f", "m"]
[schema.good]
roles = ["target"]
as = "truth"
[schema.chance]
roles = ["score"]
[mitigate]
methods = ["equalized-odds"]
"#;

const LOGISTIC: &str = r#"
[pipeline]
name = "hiring"
[ingest]
path = "hiring.csv"
[schema.sex]
roles = ["protected"]
levels = ["f", "m"]
[schema.age]
roles = ["feature"]
bounds = [16, 90]
[schema.good]
roles = ["target"]
as = "truth"
[train]
model = "logistic"
split = { train = 0.5, calibration = 0.2, test = 0.3 }
[mitigate]
use = "reweighing"
"#;

fn found(text: &str) -> Vec<(&'static str, Severity, String)> {
    let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::text(text)) };
    let all = check(("hiring.toml", text), None, None, &parse).1;
    // That nothing is judged is another matter.
    let all = all.into_iter().filter(|c| c.code != "no-criteria");
    all.map(|c| (c.code, c.severity, text[c.at].to_string())).collect()
}

#[track_caller]
fn expect(base: &str, from: &str, to: &str, code: &str, at: &str) {
    assert!(base.contains(from), "{from}");
    let all = found(&base.replacen(from, to, 1));
    assert!(all.iter().any(|(found, _, place)| *found == code && place == at), "{all:?}");
    assert!(all.iter().all(|(found, ..)| *found == code), "{all:?}");
}

#[test]
fn clean_sections_have_no_complaint() {
    assert_eq!(found(GIVEN), []);
    assert_eq!(found(LOGISTIC), []);
    assert_eq!(found(&LOGISTIC.replace("use = \"reweighing\"", "")), []);
}

#[test]
fn each_fault_is_named_where_it_is() {
    let used = "use = \"reweighing\"";
    expect(GIVEN, "[\"equalized-odds\"]", "[\"reweighing\"]", "mitigate-method", "\"reweighing\"");
    expect(GIVEN, "methods", "across = [\"age\"]\nmethods", "mitigate-across", "[\"age\"]");
    expect(GIVEN, "methods = [\"equalized-odds\"]", "use = \"equalized-odds\"", "mitigate-draw", "\"equalized-odds\"");
    expect(GIVEN, "methods", "threshold = 1.5\nmethods", "mitigate-number", "1.5");
    expect(LOGISTIC, used, "use = \"covariance-penalty\"", "mitigate-strength", "\"covariance-penalty\"");
    expect(LOGISTIC, used, "use = \"reweighing\"\nstrength = 3.0", "mitigate-strength", "3.0");
    expect(LOGISTIC, used, "strengths = [1.0, -2.0]", "mitigate-number", "-2.0");
    expect(LOGISTIC, used, "repair = -0.5", "mitigate-number", "-0.5");
    let half = "train = 0.5, calibration = 0.2, test = 0.3";
    let warned = found(&LOGISTIC.replace(half, "train = 0.6, calibration = 0.0, test = 0.4").replace(used, ""));
    assert!(matches!(&warned[..], [("mitigate-calibration", Severity::Warning, _)]), "{warned:?}");
    let nobody = found(&GIVEN.replace("roles = [\"protected\"]\n", ""));
    assert!(nobody.iter().any(|(code, ..)| *code == "mitigate-nobody"), "{nobody:?}");
    let scoreless = found(&GIVEN.replace("roles = [\"score\"]", ""));
    assert!(scoreless.iter().any(|(code, ..)| *code == "mitigate-columns"), "{scoreless:?}");
    let private = found(&format!("{GIVEN}[privacy]\npopulation = \"people\"\nepsilon = 1.0\n"));
    assert!(private.iter().any(|(code, ..)| *code == "mitigate-private"), "{private:?}");
    let attacked = found(&format!("{LOGISTIC}[attacks]\non_real_rows = true\n"));
    assert!(attacked.iter().any(|(code, ..)| *code == "mitigate-attacks"), "{attacked:?}");
}

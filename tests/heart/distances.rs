//! Distances of scores as scipy has them.

use evenhand::metric::{Against, Comparison, Needs};

use crate::audit::{audit, point};
use crate::pipelines::synth;
use crate::reference::{Task, reference};

#[test]
fn distances_of_scores_as_scipy_has_them() {
    let Some((data, tasks)) = reference("synth-fair/synth_fair.csv", "synth") else { return };
    let pipeline = synth(r#"[["g"]]"#) + "metrics = [\"all\"]\n";
    let audited = audit(&pipeline, &data);
    let golden = &tasks["synth-score-dist"]["results"];
    let number = |key: &str| golden[key].as_f64().unwrap_or_else(|| panic!("{key}"));
    let mut task = Task::new("synth-score-dist");
    let of = |metric: &str| audited.contrast(metric, &["g"], Comparison::Difference, Against::Reference, Some("C"));
    task.near(point(audited.value("mean-score", &["g"], "C")), number("mean_group"), 1e-12, "mean of C");
    task.near(point(audited.value("mean-score", &["g"], "A")), number("mean_ref"), 1e-12, "mean of A");
    task.near(point(of("mean-score")), number("mean_difference"), 1e-12, "difference of means");
    for (ours, theirs) in [
        ("score-standardised-mean-difference-overall", "SMD_sd_of_all_scores_ddof0"),
        ("score-standardised-mean-difference-pooled", "SMD_pooled_within_ddof1(cohen_d)"),
        ("score-kolmogorov-smirnov", "ks_D"),
        ("score-wasserstein", "wasserstein1"),
    ] {
        task.near(point(of(ours)), number(theirs), 1e-12, theirs);
    }
    let sweep = audited.measurement.bias.sweep.as_ref().expect("there is a score");
    let set = &sweep.sets[0];
    let test = set.tests.iter().find(|test| test.cohort == "C").expect("C against A");
    task.count(test.n.0, &golden["n_group"], "n");
    task.count(test.n.1, &golden["n_ref"], "n of the reference");
    task.near(Some(test.median.0), number("median_group"), 1e-12, "median");
    task.near(Some(test.median.1), number("median_ref"), 1e-12, "median of the reference");
    let tests = [(test.welch, "welch_t", "welch_p"), (test.student, "student_t", "student_p")];
    let others = [(test.smirnov, "ks_D", "ks_p"), (test.mann_whitney, "mannwhitney_U", "mannwhitney_p")];
    for (ours, statistic, p) in tests.into_iter().chain(others) {
        let ours = ours.expect(statistic);
        task.near(Some(ours.statistic), number(statistic), 1e-9, statistic);
        let relative = (ours.p / number(p) - 1.0).abs();
        assert!(relative < 1e-9, "{p} is {}, {relative:.1e} from the golden", ours.p);
    }
    // At the threshold of the decisions the sweep has the rates of the table of decisions.
    let at = |cohort: &str, rate: usize, threshold: f64| {
        let curve = set.cohorts.iter().find(|curve| curve.cohort == cohort).expect("a cohort");
        let at = sweep.thresholds.partition_point(|other| *other < threshold);
        curve.rates[rate][at]
    };
    for cohort in ["A", "B", "C"] {
        let scores_from = sweep.thresholds.iter().copied().find(|t| *t >= 0.5).expect("scores go beyond a half");
        assert!(at(cohort, 0, scores_from) <= point(audited.value("selection-rate", &["g"], cohort)));
        assert_eq!(at(cohort, 1, sweep.thresholds[0]), Some(1.0), "everyone is selected at the least score");
    }
    assert!(set.equalised_odds.iter().flatten().all(|gap| (0.0..=1.0).contains(gap)));
}

/// Twelve rows: predictions, targets and cohorts whose figures are found by hand.
#[test]
fn figures_of_predictions_and_residuals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.csv");
    // Residuals of a: 1, -1, 1, -1, 1, -1; of b: 2 and 4 in turn.
    let mut text = "g,y,p\n".to_string();
    for i in 0..6 {
        let sign = if i % 2 == 0 { 1 } else { -1 };
        text += &format!("a,{},{}\n", 10 + i + sign, 10 + i);
        text += &format!("b,{},{}\n", 12 + i + 3 + sign, 12 + i);
    }
    std::fs::write(&path, text).unwrap();
    let pipeline = r#"
        [pipeline]
        name = "p"
        [ingest]
        path = "p.csv"
        [schema.g]
        roles = ["protected"]
        reference = "a"
        [schema.y]
        roles = ["target"]
        bounds = [0, 40]
        [schema.p]
        roles = ["prediction"]
        bounds = [0, 40]
        [measure]
        metrics = ["all"]
        replicates = 100
        support_min = 1
    "#;
    let audited = audit(pipeline, &path);
    let near = |ours: Option<f64>, expected: f64, what: &str| {
        let ours = ours.unwrap_or_else(|| panic!("{what} is undefined"));
        assert!((ours - expected).abs() < 1e-8, "{what}: {ours}, not {expected}");
    };
    let value = |metric: &str, cohort: &str| point(audited.value(metric, &["g"], cohort));
    near(value("mean-prediction", "a"), 12.5, "mean prediction");
    near(value("mean-prediction", "b"), 14.5, "mean prediction");
    near(value("mean-target", "b"), 17.5, "mean target");
    near(value("mean-squared-error", "a"), 1.0, "squared error");
    near(value("mean-squared-error", "b"), 10.0, "squared error");
    // The median of all predictions 10, 11, 12, 12, 13, 13, 14, 14, 15, 15, 16, 17 is the sixth, 13: above it are 14 and 15 of a.
    near(value("prediction-above-q50", "a"), 2.0 / 6.0, "share above");
    near(value("bounded-group-loss", "b"), 10.0, "the greatest loss");
    near(value("bounded-group-loss-absolute", "b"), 3.0, "the greatest loss");
    let of = |metric: &str, against: Against, cohort: &str| {
        point(audited.contrast(metric, &["g"], Comparison::Difference, against, Some(cohort)))
    };
    near(of("prediction-wasserstein", Against::Reference, "b"), 2.0, "Wasserstein");
    near(of("prediction-kolmogorov-smirnov", Against::Reference, "b"), 2.0 / 6.0, "Kolmogorov-Smirnov");
    // Of two cohorts everyone else is the other.
    near(of("prediction-wasserstein", Against::Overall, "a"), 2.0, "Wasserstein");
    // Residuals: means 0 and 3, variances with n - 1 of 6 / 5 in each; of all twelve 1 + 9 / 4 with n.
    let pooled = of("residual-standardised-mean-difference-pooled", Against::Reference, "b");
    near(pooled, 3.0 / 1.2f64.sqrt(), "pooled");
    let overall = of("residual-standardised-mean-difference-overall", Against::Reference, "b");
    near(overall, 3.0 / 3.25f64.sqrt(), "overall");
    let pooled = of("prediction-standardised-mean-difference-pooled", Against::Reference, "b");
    near(pooled, 2.0 / 3.5f64.sqrt(), "pooled");
    // Without a target there are the metrics of predictions, and no others.
    let alone = audit(&pipeline.replace("roles = [\"target\"]", "roles = []"), &path);
    near(point(alone.value("mean-prediction", &["g"], "b")), 14.5, "mean prediction");
    assert!(
        alone.measurement.metrics.iter().all(|card| card.id.contains("prediction") || card.needs == Needs::Cohorts)
    );
}

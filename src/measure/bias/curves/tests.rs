//! Points of both curves, by hand.

use super::*;

fn point(figure: &Figure) -> f64 {
    figure.point().expect("there are rows")
}

/// Scores of labels 0 and 1 with their rows.
fn known(negative: &[(f64, f64)], positive: &[(f64, f64)]) -> Known {
    let label = [negative.to_vec(), positive.to_vec()];
    Known::of(Body { whole: Rows { all: Vec::new(), label }, parts: Vec::new() })
}

#[test]
fn corners_are_the_rates_at_each_score_and_end_with_everyone_selected() {
    let known = known(&[(0.1, 60.0), (0.6, 40.0)], &[(0.3, 25.0), (0.6, 50.0), (0.9, 25.0)]);
    let roc = known.roc(&|value| value, 0.95);
    let places: Vec<(f64, f64, f64)> = roc
        .iter()
        .map(|corner| (corner.threshold, point(&corner.false_positive_rate), point(&corner.true_positive_rate)))
        .collect();
    assert_eq!(places, [(0.9, 0.0, 0.25), (0.6, 0.4, 0.75), (0.3, 0.4, 1.0), (0.1, 1.0, 1.0)]);
    let ends = |figure: &Figure| match figure {
        Figure::Estimated { lower, upper, n, .. } => (lower.unwrap_or(0.0), upper.unwrap_or(1.0), *n),
        _ => panic!("{figure:?}"),
    };
    // Each rate at 97.5 %: the interval of a share of 40 of 100.
    let expected = Sample::share(&share(40.0, 100.0)).measure(0.975);
    let interval = expected.estimate().map(|estimate| estimate.interval).unwrap();
    let (lower, upper, n) = ends(&roc[1].false_positive_rate);
    assert_eq!((Some(lower), Some(upper), n), (interval.lower, interval.upper, 100));
    let alike = known.body.whole.label[0].clone();
    let one_class = Known::of(Body { whole: Rows { all: Vec::new(), label: [alike, Vec::new()] }, parts: Vec::new() });
    assert!(one_class.roc(&|value| value, 0.95).is_empty());
}

#[test]
fn many_scores_give_forty_one_points_and_both_rates_rise() {
    let negative: Vec<(f64, f64)> = (0..1000).map(|i| (f64::from(i) / 1000.0, 1.0)).collect();
    let positive: Vec<(f64, f64)> = (500..1000).map(|i| (f64::from(i) / 1000.0 + 0.0005, 1.0)).collect();
    let roc = known(&negative, &positive).roc(&|value| value, 0.95);
    assert_eq!(roc.len(), POINTS + 1);
    assert!(roc.windows(2).all(|pair| {
        pair[0].threshold > pair[1].threshold
            && point(&pair[0].true_positive_rate) <= point(&pair[1].true_positive_rate)
            && point(&pair[0].false_positive_rate) <= point(&pair[1].false_positive_rate)
    }));
}

#[test]
fn bins_have_the_mean_score_and_the_share_of_label_one() {
    let known = known(&[(0.12, 30.0), (0.95, 5.0)], &[(0.18, 10.0), (1.0, 45.0)]);
    let bins = known.reliability(0.95);
    let figures: Vec<(f64, f64, f64)> = bins.iter().map(|bin| (bin.from, bin.score_mean, point(&bin.share))).collect();
    assert_eq!(bins.len(), 2);
    assert!((figures[0].1 - 0.135).abs() < 1e-12 && (figures[1].1 - 0.995).abs() < 1e-12, "{figures:?}");
    assert_eq!((figures[0].0, figures[0].2, figures[1].0, figures[1].2), (0.1, 0.25, 0.9, 0.9));
    assert!(self::known(&[(0.5, 1.0)], &[(1.5, 1.0)]).reliability(0.95).is_empty());
}

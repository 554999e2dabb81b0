//! Leave-one-out against refits by another solver, the attack against counting pairs, coverage, and what must not break.

use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use super::*;

/// Gaussian elimination with row exchanges.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for i in 0..n {
        let pivot = (i..n).max_by(|&x, &y| a[x][i].abs().total_cmp(&a[y][i].abs())).unwrap();
        a.swap(i, pivot);
        b.swap(i, pivot);
        for j in i + 1..n {
            let factor = a[j][i] / a[i][i];
            let above = a[i].clone();
            a[j].iter_mut().zip(above).skip(i).for_each(|(value, above)| *value -= factor * above);
            b[j] -= factor * b[i];
        }
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| a[i][k] * b[k]).sum();
        b[i] = (b[i] - known) / a[i][i];
    }
    b
}

/// Coefficients of a weighted and penalised fit without one row.
fn refit(rows: &Rows, target: &[f64], weights: &[f64], without: usize) -> Vec<f64> {
    let p = rows.penalty.len();
    let kept = || (0..target.len()).filter(move |&i| i != without);
    let sum = |value: &dyn Fn(usize) -> f64| kept().map(value).sum::<f64>();
    let x = |i: usize, k: usize| rows.features[i][k];
    let a = (0..p).map(|k| {
        (0..p).map(|l| sum(&|i| weights[i] * x(i, k) * x(i, l)) + if k == l { rows.penalty[k] } else { 0.0 }).collect()
    });
    solve(a.collect(), (0..p).map(|k| sum(&|i| weights[i] * x(i, k) * target[i])).collect())
}

struct Data {
    features: Vec<Vec<f64>>,
    target: Vec<f64>,
    weights: Vec<f64>,
}

/// An intercept and normal features; a linear target, or 0 and 1.
fn data(n: usize, p: usize, binary: bool, seed: u64) -> Data {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let mut data = Data { features: Vec::new(), target: Vec::new(), weights: Vec::new() };
    for _ in 0..n {
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let x: Vec<f64> = (0..p).map(|k| if k == 0 { 1.0 } else { normal() }).collect();
        let t = x.iter().sum::<f64>() * 0.5 + normal();
        data.features.push(x);
        data.target.push(if binary { f64::from(u8::from(t > 0.3)) } else { t });
        data.weights.push(random.random_range(0.5..2.0));
    }
    data
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} is not {expected}");
}

#[test]
fn a_linear_row_left_out_is_a_refit_without_it() {
    for (penalty, seed) in [(0.0, 1), (3.0, 2)] {
        let data = data(40, 4, false, seed);
        let penalty = [0.0, penalty, penalty, penalty];
        let rows = Rows { features: &data.features, target: &data.target, weights: &data.weights, penalty: &penalty };
        let result = linear(rows, &rows.factor().unwrap()).unwrap();
        for i in 0..40 {
            let b = refit(&rows, &data.target, &data.weights, i);
            let error = dot(&data.features[i], &b) - data.target[i];
            near(result.outside[i], error);
            near(result.loss_out[i], error * error);
            assert!(result.loss_out[i] >= result.loss_in[i]);
        }
        let sum: f64 = result.leverage.iter().sum();
        if penalty[1] == 0.0 {
            near(sum, 4.0);
        } else {
            assert!(sum < 4.0);
        }
    }
}

/// Newton's method to the minimum.
fn fit(rows: &Rows, without: Option<usize>) -> Vec<f64> {
    let p = rows.penalty.len();
    let mut b = vec![0.0; p];
    for _ in 0..50 {
        let (mut a, mut slope) = (vec![vec![0.0; p]; p], vec![0.0; p]);
        for i in (0..rows.target.len()).filter(|i| Some(*i) != without) {
            let x = &rows.features[i];
            let share = 1.0 / (1.0 + (-dot(x, &b)).exp());
            for k in 0..p {
                slope[k] += rows.weights[i] * x[k] * (rows.target[i] - share);
                (0..p).for_each(|l| a[k][l] += rows.weights[i] * share * (1.0 - share) * x[k] * x[l]);
            }
        }
        for k in 0..p {
            a[k][k] += rows.penalty[k];
            slope[k] -= rows.penalty[k] * b[k];
        }
        solve(a, slope).iter().zip(&mut b).for_each(|(step, b)| *b += step);
    }
    b
}

/// Exactly the working fit without the row, and near the model fitted without it.
#[test]
fn a_logistic_row_left_out_is_a_refit_of_its_last_round() {
    let data = data(120, 3, true, 3);
    let penalty = [0.0, 0.7, 0.7];
    let rows = Rows { features: &data.features, target: &data.target, weights: &data.weights, penalty: &penalty };
    let b = fit(&rows, None);
    let result = logistic(rows, &b).unwrap();
    let predictor: Vec<f64> = data.features.iter().map(|x| dot(x, &b)).collect();
    let share = |t: f64| 1.0 / (1.0 + (-t).exp());
    let curve: Vec<f64> = predictor.iter().zip(&data.weights).map(|(&t, w)| w * share(t) * (1.0 - share(t))).collect();
    let working: Vec<f64> =
        (0..120).map(|i| predictor[i] + data.weights[i] * (data.target[i] - share(predictor[i])) / curve[i]).collect();
    for (i, &with) in predictor.iter().enumerate() {
        let without = dot(&data.features[i], &refit(&rows, &working, &curve, i));
        near(result.outside[i], without);
        let whole = dot(&data.features[i], &fit(&rows, Some(i)));
        assert!((result.outside[i] - whole).abs() < 0.1 * (with - whole).abs() + 0.02, "{i}");
        near(result.loss_in[i], -(if data.target[i] > 0.5 { share(with) } else { share(-with) }).ln());
    }
}

/// Two rows at one place and a third alone at another, which the fit meets exactly.
#[test]
fn rows_that_determine_the_model_count_as_recognised() {
    let features = vec![vec![1.0, 0.0], vec![1.0, 0.0], vec![1.0, 1.0]];
    let rows = Rows { features: &features, target: &[1.0, 3.0, 5.0], weights: &[1.0; 3], penalty: &[0.0; 2] };
    let result = linear(rows, &rows.factor().unwrap()).unwrap();
    // The mean of 1 and 3 is 2; without one of them it is the other; the third row is fitted exactly.
    near(result.outside[0], 2.0);
    near(result.outside[1], -2.0);
    assert_eq!(result.outside[2], f64::INFINITY);
    let attack = membership(&result, 0.95).unwrap();
    assert_eq!((attack.rows, attack.undetermined), (3, 1));
    assert_eq!(attack.auc.value, 1.0);
    // 0.025^(1/3)
    near(attack.auc.lower, 0.292_401_773_821_286_6);
    assert_eq!(attack.at[1].true_positives, 3);
}

fn left_out(loss_in: Vec<f64>, loss_out: Vec<f64>) -> LeaveOneOut {
    LeaveOneOut { leverage: vec![0.0; loss_in.len()], outside: vec![0.0; loss_in.len()], loss_in, loss_out }
}

/// Pairs in order, ties as halves: 3 for the loss 1, 2.5 for either 2, 0.5 for the 7, of 16.
#[test]
fn auc_counts_pairs() {
    let attack = membership(&left_out(vec![1.0, 2.0, 2.0, 7.0], vec![2.0, 4.0, 0.5, 7.0]), 0.95).unwrap();
    near(attack.auc.value, 8.5 / 16.0);
}

/// 2,000 others, 1 apart: at 0.1 % two of them may lie below, at 1 % twenty.
#[test]
fn thresholds_allow_no_more_than_their_rate() {
    let others: Vec<f64> = (0..2000).map(f64::from).collect();
    let members: Vec<f64> = (0..2000).map(|i| f64::from(i) / 10.0).collect();
    let attack = membership(&left_out(members, others), 0.95).unwrap();
    // Below 2 lie 0 and 1 of the others and 0 to 1.9 of the members.
    assert_eq!((attack.at[0].false_positives, attack.at[0].true_positives), (2, 20));
    assert_eq!((attack.at[1].false_positives, attack.at[1].true_positives), (20, 200));
    assert_eq!((attack.at[1].rate.lower, attack.at[1].rate.upper), clopper_pearson(200, 2000, 1.0 - 0.95));
    let tied = membership(&left_out(vec![1.0; 2000], vec![1.0; 2000]), 0.95).unwrap();
    assert_eq!((tied.at[1].true_positives, tied.auc.value), (0, 0.5));
}

/// Losses that are pairs of normal numbers with a known AUC: Phi(1 / sqrt 2) whatever their correlation.
#[test]
fn the_interval_of_the_auc_covers() {
    let truth = 0.5 * libm::erfc(-0.5);
    let mut random = ChaCha20Rng::seed_from_u64(8);
    for correlation in [0.0f64, 0.8] {
        let mut covered = 0;
        for _ in 0..1000 {
            let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
            let pair = |_| {
                let (a, b) = (normal(), normal());
                (a, 1.0 + correlation * a + (1.0 - correlation * correlation).sqrt() * b)
            };
            let (members, others) = (0..200).map(pair).unzip();
            let auc = membership(&left_out(members, others), 0.95).unwrap().auc;
            covered += i32::from(auc.lower <= truth && truth <= auc.upper);
        }
        // 950 and five standard errors of 7.
        assert!((915..=985).contains(&covered), "{covered} at {correlation}");
    }
}

#[test]
fn exposure_by_cohort() {
    // 300 rows: the three largest leverages are in cohort 5, one of them tied with a row of cohort 2.
    let mut leverage = vec![0.01; 300];
    let mut cohorts = vec![2; 300];
    for (i, value) in [(0, 0.9), (1, 0.8), (2, 0.5)] {
        (leverage[i], cohorts[i]) = (value, 5);
    }
    leverage[299] = 0.5;
    let found = exposure(&leverage, &cohorts, 0.95).unwrap();
    assert_eq!(found.iter().map(|e| (e.cohort, e.rows, e.exposed)).collect::<Vec<_>>(), [(2, 297, 1), (5, 3, 3)]);
    assert_eq!(found[1].share_of_exposed, 0.75);
    assert_eq!((found[0].share_of_cohort.lower, found[0].share_of_cohort.upper), clopper_pearson(1, 297, 1.0 - 0.95));
    assert_eq!(exposure(&[], &[], 0.95).unwrap(), []);
    assert!(exposure(&[0.1], &[], 0.95).is_err());
}

/// An outcome that equals the level: the model gives it away; a model that ignores the level gives nothing.
#[test]
fn attribute_inference_by_hand() {
    let truth = [0, 1, 1, 0];
    let outside = [(7, 0), (7, 0), (7, 1)];
    let knowing: Vec<f64> = truth.iter().flat_map(|&level| logistic_likelihoods(&[-5.0, 5.0], level == 1)).collect();
    let attack = Attribute { levels: 2, truth: &truth, others: &[7; 4], likelihood: &knowing, outside: &outside };
    let found = attribute_inference(attack, 0.9).unwrap();
    // Without the model 0 is guessed for everyone.
    assert_eq!((found.right_with, found.right_without, found.gained, found.lost), (4, 2, 2, 0));
    assert_eq!(found.gain.value, 0.5);
    let ((low, high), (none, some)) = (clopper_pearson(2, 4, 1.0 - 0.95), clopper_pearson(0, 4, 1.0 - 0.95));
    near(found.gain.lower, low - some);
    near(found.gain.upper, high - none);
    let ignoring = linear_likelihoods(&[1.0; 8], 3.0, 2.0);
    near(ignoring[0], -0.5);
    let found = attribute_inference(Attribute { likelihood: &ignoring, ..attack }, 0.9).unwrap();
    assert_eq!((found.gained, found.lost, found.gain.value), (0, 0, 0.0));
}

#[test]
fn what_cannot_be_attacked_is_said() {
    let features = [vec![1.0, 2.0], vec![1.0, 2.0], vec![1.0, f64::NAN]];
    let rows = |n: usize, penalty: &'static [f64]| Rows {
        features: &features[..n],
        target: &[1.0, 0.0, 1.0][..n],
        weights: &[1.0; 3][..n],
        penalty,
    };
    assert_eq!(rows(0, &[0.0; 2]).factor().unwrap_err(), MembershipError::NoRows);
    assert_eq!(rows(2, &[0.0; 2]).factor().unwrap_err(), MembershipError::Dependent(1));
    assert!(rows(2, &[0.0, 1.0]).factor().is_ok());
    assert_eq!(rows(3, &[0.0; 2]).factor().unwrap_err(), MembershipError::NotANumber { what: "a feature", row: 2 });
    assert!(matches!(rows(2, &[0.0; 3]).factor(), Err(MembershipError::Length { .. })));
    assert!(matches!(logistic(rows(2, &[0.0, 1.0]), &[0.0]), Err(MembershipError::Length { .. })));
    let target = Rows { target: &[0.5, 1.0], ..rows(2, &[0.0, 1.0]) };
    assert!(matches!(logistic(target, &[0.0; 2]), Err(MembershipError::NotANumber { what: "the target", row: 0 })));
    assert!(matches!(logistic(rows(2, &[0.0, 1.0]), &[0.0, f64::MAX]), Err(MembershipError::NotANumber { .. })));
    assert!(membership(&left_out(Vec::new(), Vec::new()), 0.95).is_none());
    let attack = Attribute { levels: 2, truth: &[2], others: &[0], likelihood: &[0.0; 2], outside: &[] };
    assert!(attribute_inference(attack, 0.95).is_err());
    assert!(attribute_inference(Attribute { truth: &[1], likelihood: &[0.0], ..attack }, 0.95).is_err());
}

//! Fits to noisy sums: coverage of their intervals by simulation, the noise against a textbook division of the budget, and what is refused.
//!
//! Rows are summed here in integers as engines sum them (one test holds the two equal), and rounded Gaussian noise is added to every entry.
//! Seeds are fixed. A coverage is a mean over some thousand intervals; its standard deviation is stated where a bound is set on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::budget::{Charge, Mechanism, Noise, Receipt};
use crate::demand::{Limbs, Shape};
use crate::evidence::Evidence;
use crate::scalar::{Expr, Link, Predictor};
use crate::statistic::{MomentSums, Moments, Statistic};

const ONE: i128 = 1 << 20;
const UNIT: f64 = 1.0 / (1u64 << 40) as f64;

/// Rows on the declared bounds: z of the features in the order of the plan, then the target or the label.
struct Rows {
    size: usize,
    q: Vec<i64>,
    y: Vec<i64>,
}

impl Rows {
    fn new(size: usize) -> Rows {
        Rows { size, q: Vec::new(), y: Vec::new() }
    }

    fn push(&mut self, z: &[f64], y: f64) {
        assert_eq!(z.len(), self.size);
        let units = |z: f64| (z * (1u64 << 20) as f64 + 0.5).floor() as i64;
        self.q.extend(z.iter().map(|&z| units(z)));
        self.y.push(units(y));
    }

    fn row(&self, i: usize) -> &[i64] {
        &self.q[i * self.size..(i + 1) * self.size]
    }

    /// The exact sums a demand asks for.
    fn sums(&self, demand: &Demand) -> MomentSums {
        let Shape::Moments { of, cross, gram, limbs: Limbs::One, .. } = &demand.shape else { panic!("{demand:?}") };
        let mut sums = MomentSums::new(of.len() + 1, 0, cross.len(), *gram);
        let predictor = cross.first().map(|fixed| predictor(&fixed.of));
        sums.n = self.y.len() as i64;
        for i in 0..self.y.len() {
            let mut row = vec![ONE as i64];
            row.extend(self.row(i));
            if of.len() == self.size + 1 {
                row.push(self.y[i]);
            }
            let triangle = (0..row.len()).flat_map(|i| (i..row.len()).map(move |j| (i, j)));
            for (sum, (i, j)) in sums.gram.iter_mut().zip(triangle) {
                *sum += i128::from(row[i]) * i128::from(row[j]);
            }
            if let Some((predictor, fixed)) = predictor.as_ref().zip(cross.first()) {
                let eta =
                    predictor.coefficients.iter().zip(self.row(i)).fold(predictor.intercept, |e, (c, q)| e + c * q);
                let error = self.y[i] as f64 / ONE as f64 - Link::Sigmoid.value(eta as f64, predictor.bits);
                let error = i128::from(fixed.quantise(error, 20));
                sums.cross.iter_mut().zip(&row).for_each(|(sum, q)| *sum += i128::from(*q) * error);
            }
        }
        sums
    }
}

/// The predictor in y - p.
fn predictor(error: &crate::scalar::Scalar) -> Arc<Predictor> {
    let Expr::Arithmetic(_, _, p) = error else { panic!("{error:?}") };
    let Expr::Link(_, _, eta) = &**p else { panic!("{p:?}") };
    let Expr::Predictor(predictor, _) = &**eta else { panic!("{eta:?}") };
    predictor.clone()
}

/// One statistic with noise of this standard deviation in rows; 0 leaves it as it is.
fn noised(name: &str, mut sums: MomentSums, sigma: f64, rng: &mut StdRng) -> Released {
    let mut draw = || -> i128 {
        let x: f64 = StandardNormal.sample(rng);
        (x * sigma / UNIT).round() as i128
    };
    sums.gram.iter_mut().chain(&mut sums.cross).for_each(|sum| *sum += draw());
    sums.n = sums.gram.first().map_or(0, |sum| (*sum as f64 * UNIT).round() as i64);
    sums.skipped = 0;
    with_variance(name, sums, sigma)
}

/// Sums as released with noise of this standard deviation in rows.
fn with_variance(name: &str, sums: MomentSums, sigma: f64) -> Released {
    let moments = Moments { sizes: Vec::new(), scale_bits: 20, groups: BTreeMap::from([(0, sums)]) };
    let statistics = BTreeMap::from([(Arc::from(name), Statistic::Moments(moments))]);
    Released::new(Evidence { statistics }, vec![receipt(name, sigma / UNIT * (sigma / UNIT))])
}

fn receipt(name: &str, variance: f64) -> Receipt {
    let (parameter, sensitivity) = (variance.to_string(), String::new());
    let noise = Noise { parameter, variance, sensitivity, numbers: 0, charge: Charge::FREE };
    let mechanism = Mechanism::DiscreteGaussian;
    Receipt { statistic: name.into(), shape: "moments".into(), mechanism, noise: Some(noise) }
}

/// Trains on rows, with noise in the sums and in every gradient.
fn fit(plan: &Plan, rows: &Rows, gram: f64, step: f64, rng: &mut StdRng) -> Result<Model, TrainError> {
    let mut trainer = Trainer::new(plan);
    let mut demands = trainer.demands();
    let mut released = Released::default();
    let mut reasons = Vec::new();
    loop {
        for demand in &demands {
            let sigma = if *demand.name == *"train/gram" { gram } else { step };
            released.extend(noised(&demand.name, rows.sums(demand), sigma, rng));
        }
        match trainer.step(&released)? {
            Step::Collect { reason, demands: next } => {
                reasons.push(reason);
                demands = next;
            }
            Step::Done(model) => {
                assert_eq!(reasons, passes(plan), "passes run are those of the plan");
                return Ok(*model);
            }
        }
    }
}

/// rho of an (epsilon, delta) claim: the tight conversion of Canonne, Kamath and Steinke 2020, turned round.
fn rho(epsilon: f64, delta: f64) -> f64 {
    let reached = |rho: f64| {
        (1..4000)
            .map(|i| 1.0 + f64::from(i) * 0.05)
            .map(|a| rho * a + (1.0 / (a * delta)).ln() / (a - 1.0) + (1.0 - 1.0 / a).ln())
            .fold(f64::MAX, f64::min)
    };
    let (mut below, mut above) = (0.0, epsilon);
    for _ in 0..60 {
        let middle = (below + above) / 2.0;
        if reached(middle) > epsilon { above = middle } else { below = middle }
    }
    below
}

/// Gaussian noise for a change of squared length at most this.
fn deviation_for(squared: f64, rho: f64) -> f64 {
    (squared / (2.0 * rho)).sqrt()
}

const DELTA: f64 = 1e-6;

/// Three numbers on [-1, 1] and a text of three levels: five features.
fn pipeline(target: &str, train: &str) -> Plan {
    let numbers: String =
        ["x0", "x1", "x2"].map(|x| format!("[schema.{x}]\nroles = [\"feature\"]\nbounds = [-1.0, 1.0]\n")).concat();
    let toml = format!(
        "[pipeline]\nname = \"t\"\n[ingest]\npath = \"t.csv\"\n{numbers}[schema.region]\nroles = [\"feature\"]\nlevels = [\"a\", \"b\", \"c\"]\n[schema.y]\nroles = [\"target\"]\nas = \"number\"\n{target}\n[privacy]\npopulation = \"people\"\nepsilon = 1.0\ndelta = 1e-6\n[train]\nsplit = {{ train = 1.0, calibration = 0.0, test = 0.0 }}\n{train}\n"
    );
    planned(&toml, std::path::Path::new("."), &Learned::default())
}

const LABELS: [&str; 5] = ["region = b", "region = c", "x0", "x1", "x2"];

/// A row of the five features: numbers that share a part, levels with shares 0.5, 0.3, 0.2.
fn features(rng: &mut StdRng) -> [f64; 5] {
    let shared = rng.random::<f64>() * 2.0 - 1.0;
    let mut number = || 0.4 * shared + 0.6 * (rng.random::<f64>() * 2.0 - 1.0);
    let numbers = [number(), number(), number()];
    let level = rng.random::<f64>();
    let is = |yes: bool| f64::from(u8::from(yes));
    [is((0.5..0.8).contains(&level)), is(level >= 0.8), numbers[0], numbers[1], numbers[2]]
}

const SLOPES: [f64; 5] = [1.0, -2.0, 2.0, -1.5, 0.5];

fn linear_plan(train: &str) -> Plan {
    let plan = pipeline("bounds = [-10.0, 10.0]", &format!("model = \"linear\"\n{train}"));
    assert_eq!(plan.features.iter().map(|feature| feature.label.as_str()).collect::<Vec<_>>(), LABELS);
    plan
}

/// y = 1 + the slopes + an error uniform on [-3, 3]: never outside the bounds.
fn linear_rows(n: usize, rng: &mut StdRng) -> Rows {
    let mut rows = Rows::new(5);
    for _ in 0..n {
        let z = features(rng);
        let y = 1.0 + factor::dot(&z, &SLOPES) + 6.0 * rng.random::<f64>() - 3.0;
        rows.push(&z, y / 10.0);
    }
    rows
}

fn found(model: &Model) -> [(f64, Option<f64>); 5] {
    assert_eq!(model.card.coefficients.iter().map(|c| c.feature.as_str()).collect::<Vec<_>>(), LABELS);
    std::array::from_fn(|k| (model.card.coefficients[k].value, model.card.coefficients[k].standard_error))
}

/// What became of many fits: shares of intervals that cover, root mean squared error per coefficient, mean length.
#[derive(Default)]
struct Tried {
    intervals: usize,
    covered: usize,
    squares: [f64; 5],
    fits: usize,
    without: usize,
    failed: usize,
    lengths: f64,
}

impl Tried {
    fn add(&mut self, model: Result<Model, TrainError>, truth: &[f64]) {
        let Ok(model) = model else {
            self.failed += 1;
            return;
        };
        self.fits += 1;
        for (k, (value, error)) in found(&model).into_iter().enumerate() {
            self.squares[k] += (value - truth[k]) * (value - truth[k]);
            match error {
                Some(error) => {
                    self.intervals += 1;
                    self.lengths += 2.0 * 1.959963985 * error;
                    self.covered += usize::from((value - truth[k]).abs() <= 1.959963985 * error);
                }
                None => self.without += 1,
            }
        }
    }

    fn coverage(&self) -> f64 {
        self.covered as f64 / self.intervals as f64
    }

    fn error(&self) -> f64 {
        (self.squares.iter().sum::<f64>() / (5 * self.fits) as f64).sqrt()
    }

    fn line(&self) -> String {
        format!(
            "coverage {:.3}, error {:.4}, length {:.4}, fits {}, failed {}, coefficients without error {}",
            self.coverage(),
            self.error(),
            self.lengths / self.intervals as f64,
            self.fits,
            self.failed,
            self.without
        )
    }
}

/// The mean of many intervals must be within these; with 1000 fits of five coefficients its standard deviation is below 0.004, so that a mean of
/// 0.95 is outside with a chance below 1e-6.
const COVERAGE: std::ops::RangeInclusive<f64> = 0.93..=0.98;

/// AdaSSP as printed (Wang 2018, algorithm 2): three parts of a third of the budget, and its ridge; slopes on the bounds of x.
fn three_parts(rows: &Rows, epsilon: f64, rng: &mut StdRng) -> Vec<f64> {
    let size = rows.size + 1;
    let (mut gram, mut cross) = (vec![0.0; size * size], vec![0.0; size]);
    let part = (6.0f64 / DELTA).ln().sqrt() / (epsilon / 3.0);
    for i in 0..rows.y.len() {
        let x: Vec<f64> = std::iter::once(1.0).chain(rows.row(i).iter().map(|&q| q as f64 / ONE as f64)).collect();
        for k in 0..size {
            (0..size).for_each(|l| gram[k * size + l] += x[k] * x[l]);
            cross[k] += x[k] * rows.y[i] as f64 / ONE as f64;
        }
    }
    let exact = factor::Symmetric::of(size, |k, l| gram[k * size + l]);
    let mut draw = || -> f64 { StandardNormal.sample(rng) };
    // (1, x) has squared norm 5 at most, y at most 1.
    let norm = 5.0;
    let least = projection::Eigen::of(&exact).least().unwrap() + norm * part * draw()
        - norm * (6.0f64 / DELTA).ln() / (epsilon / 3.0);
    let noise: Vec<f64> = (0..size * size).map(|_| norm * part * draw()).collect();
    let noisy = factor::Symmetric::of(size, |k, l| exact.get(k, l) + noise[k.min(l) * size + k.max(l)]);
    let right: Vec<f64> = cross.iter().map(|c| c + norm.sqrt() * part * draw()).collect();
    let ridge = (norm * ridge_level(size, epsilon, DELTA) - least.max(0.0)).max(0.0);
    noisy.plus_diagonal(ridge).factor().solve(&right)[1..].iter().map(|b| b * 10.0).collect()
}

/// The level of AdaSSP's ridge: sqrt(d ln(6 / delta) ln(2 d^2 / 0.05)) / (epsilon / 3).
fn ridge_level(size: usize, epsilon: f64, delta: f64) -> f64 {
    let d = size as f64;
    (d * (6.0 / delta).ln() * (2.0 * d * d / 0.05).ln()).sqrt() / (epsilon / 3.0)
}

#[test]
fn intervals_of_a_linear_model_cover_and_the_noise_is_that_of_one_release() {
    let plan = linear_plan("penalty = \"none\"");
    let norm = f64::from(private::norm_squared_max(&plan.features, true));
    assert_eq!(norm, 6.0);
    let mut rng = StdRng::seed_from_u64(101);
    let mut tried: [Tried; 3] = Default::default();
    let mut textbook = [0.0; 3];
    let epsilons = [0.5, 1.0, 3.0];
    let (mut fits, mut ratios) = (0, Vec::new());
    for round in 0..1_000 {
        let rows = linear_rows(20_000, &mut rng);
        for (at, epsilon) in epsilons.into_iter().enumerate() {
            // |upper(v v')|^2 <= (norm^2 + norm) / 2.
            let joint = deviation_for((norm * norm + norm) / 2.0, rho(epsilon, DELTA));
            tried[at].add(fit(&plan, &rows, joint, 0.0, &mut rng), &SLOPES);
            if round % 5 == 0 {
                let theirs = three_parts(&rows, epsilon, &mut rng);
                textbook[at] += theirs.iter().zip(SLOPES).map(|(b, truth)| (b - truth) * (b - truth)).sum::<f64>();
            }
        }
        fits += usize::from(round % 5 == 0);
    }
    for ((epsilon, ours), squares) in epsilons.iter().zip(&tried).zip(textbook) {
        let theirs = (squares / (5 * fits) as f64).sqrt();
        println!(
            "epsilon {epsilon}: {}; three parts: error {theirs:.4}, ratio {:.2}",
            ours.line(),
            ours.error() / theirs
        );
        assert!(COVERAGE.contains(&ours.coverage()), "{epsilon}: {}", ours.line());
        assert!(ours.failed == 0 && ours.without == 0);
        ratios.push(ours.error() / theirs);
    }
    // At epsilon 3 half of both errors is sampling.
    assert!(ratios[0] < 0.65 && ratios[1] < 0.7 && ratios[2] < 0.9, "{ratios:?}");
    // Twice the budget, nearly half the error, while noise is most of it; sampling alone has 0.035.
    assert!(tried[1].error() < 0.62 * tried[0].error() && tried[2].error() < 0.62 * tried[1].error());
}

#[test]
fn the_error_of_a_linear_model_shrinks_with_the_rows() {
    let plan = linear_plan("penalty = \"none\"");
    let mut rng = StdRng::seed_from_u64(102);
    let sigma = deviation_for(21.0, rho(0.5, DELTA));
    let [few, many] = [10_000, 40_000].map(|n| {
        let mut tried = Tried::default();
        (0..200).for_each(|_| tried.add(fit(&plan, &linear_rows(n, &mut rng), sigma, 0.0, &mut rng), &SLOPES));
        println!("{n}: {}", tried.line());
        tried.error()
    });
    // Noise falls as 1 / n, sampling as its root: 4 and 2.
    assert!((2.5..4.6).contains(&(few / many)), "{}", few / many);
}

/// Laplace noise of the same variance: its entries have heavier tails, their combination hardly has.
#[test]
fn intervals_cover_under_laplace_noise_too() {
    let plan = linear_plan("penalty = \"none\"");
    let [demand] = &Trainer::new(&plan).demands()[..] else { panic!("one demand") };
    let mut rng = StdRng::seed_from_u64(108);
    let mut tried = Tried::default();
    for _ in 0..1_000 {
        let mut sums = linear_rows(10_000, &mut rng).sums(demand);
        for sum in &mut sums.gram {
            let [a, b] = [(); 2].map(|()| -(1.0 - rng.random::<f64>()).ln());
            *sum += ((a - b) * 40.0 / 2f64.sqrt() / UNIT).round() as i128;
        }
        let released = with_variance(&demand.name, sums, 40.0);
        tried.add(Trainer::new(&plan).step(&released).map(done), &SLOPES);
    }
    println!("laplace: {}", tried.line());
    assert!(COVERAGE.contains(&tried.coverage()) && tried.failed == 0 && tried.without == 0, "{}", tried.line());
}

/// The row's sums are what an engine counts, rows without a label left out; without noise the fits are those of all rows.
#[test]
fn without_noise_the_fits_are_those_without_privacy() {
    let mut rng = StdRng::seed_from_u64(103);
    for (target, train) in
        [("bounds = [-10.0, 10.0]", "model = \"linear\""), ("positive = \"1\"", "model = \"logistic\"\nsteps = 25")]
    {
        for penalty in
            ["penalty = \"none\"", "penalty = \"ridge\"\nstrength = 0.05", "penalty = \"lasso\"\nstrength = 0.02"]
        {
            let plan = pipeline(target, &format!("{train}\n{penalty}"));
            let logistic = train.contains("logistic");
            let mut rows = Rows::new(5);
            let mut csv = String::from("region,x0,x1,x2,y\n");
            for i in 0..600 {
                let z = features(&mut rng).map(|z| (z * 1024.0).round() / 1024.0);
                let eta = 1.0 + factor::dot(&z, &SLOPES);
                let y = match logistic {
                    true => f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (-eta).exp()))),
                    false => eta + rng.random::<f64>(),
                };
                let region = if z[0] == 1.0 {
                    "b"
                } else if z[1] == 1.0 {
                    "c"
                } else {
                    "a"
                };
                let missing = i % 50 == 0;
                let written = if missing { String::new() } else { format!("{y:?}") };
                csv += &format!("{region},{:?},{:?},{:?},{written}\n", z[2], z[3], z[4]);
                if !missing {
                    rows.push(&z, if logistic { y } else { y / 10.0 });
                }
            }
            let (exact, private) = both(&plan, &rows, &csv);
            for (exact, private) in exact.card.coefficients.iter().zip(&private.card.coefficients) {
                assert_eq!(exact.feature, private.feature);
                let apart = (exact.value - private.value).abs();
                // The mean of many points has the first ones in it.
                assert!(
                    apart < if logistic { 1e-3 } else { 1e-4 },
                    "{train} {penalty} {}: {} {}",
                    exact.feature,
                    exact.value,
                    private.value
                );
                match (exact.standard_error, private.standard_error) {
                    // The curvature of a logistic model is that of a predictor that is normal within levels.
                    (Some(a), Some(b)) => assert!((a / b - 1.0).abs() < if logistic { 0.05 } else { 1e-3 }, "{a} {b}"),
                    (a, b) => assert_eq!(a, b, "{train} {penalty}"),
                }
            }
        }
    }
}

/// The model of the reference engine without privacy, and the private one of a noise of zero; engine and rows are held equal on the way.
fn both(plan: &Plan, rows: &Rows, csv: &str) -> (Model, Model) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), csv).unwrap();
    let mut plan = plan.clone();
    plan.scan.source.paths = vec![folder.path().join("t.csv")];
    let mut rng = StdRng::seed_from_u64(0);
    let collect = |demands: &[Demand]| release(Reference.collect(&plan.scan, demands, &|_| ()).unwrap().evidence);
    let mut trainer = Trainer::new(&plan);
    let mut demands = trainer.demands();
    let mut released = Released::default();
    let private = loop {
        for demand in &demands {
            let counted = collect(std::slice::from_ref(demand));
            let counted = counted.moments(&demand.name).unwrap().total_where(|_| true).unwrap();
            let sums = rows.sums(demand);
            assert!(counted.gram == sums.gram && counted.cross == sums.cross && counted.n == sums.n, "{}", demand.name);
            released.extend(noised(&demand.name, sums, 0.0, &mut rng));
        }
        match trainer.step(&released).unwrap() {
            Step::Collect { demands: next, .. } => demands = next,
            Step::Done(model) => break *model,
        }
    };
    let text = toml::to_string(&Spec { privacy: None, ..plan.spec.clone() }).unwrap();
    (run(csv, &text, None).unwrap().0, private)
}

/// y is 1 with a chance of which the log odds are a constant and half of the slopes.
fn logistic_rows(n: usize, constant: f64, rng: &mut StdRng) -> Rows {
    let mut rows = Rows::new(5);
    for _ in 0..n {
        let z = features(rng);
        let eta = constant + factor::dot(&z, &SLOPES.map(|b| b / 2.0));
        rows.push(&z, f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (-eta).exp()))));
    }
    rows
}

fn logistic_plan(train: &str) -> Plan {
    pipeline("positive = \"1\"", &format!("model = \"logistic\"\n{train}"))
}

/// First-order errors and a curvature from sums: the mean of many intervals may be a little below 0.95. Its standard deviation is
/// below 0.006.
#[test]
fn intervals_of_a_logistic_model_cover() {
    let truth = SLOPES.map(|b| b / 2.0);
    let budget = rho(1.0, DELTA);
    let plan = logistic_plan("penalty = \"none\"\nsteps = 8");
    let norm = f64::from(private::norm_squared_max(&plan.features, false));
    assert_eq!(norm, 5.0);
    let gram = deviation_for((norm * norm + norm) / 2.0, 0.25 * budget);
    let step = deviation_for(norm, 0.75 * budget / 8.0);
    // Shares of label 1 of about 0.4, 0.15, 0.05, 0.85.
    for (n, constant) in [(10_000, 0.0), (10_000, -1.6), (30_000, -3.2), (10_000, 2.4)] {
        let mut rng = StdRng::seed_from_u64(104);
        let mut tried = Tried::default();
        for _ in 0..300 {
            tried.add(fit(&plan, &logistic_rows(n, constant, &mut rng), gram, step, &mut rng), &truth);
        }
        println!("n {n} constant {constant}: {}", tried.line());
        assert!(COVERAGE.contains(&tried.coverage()), "{constant}: {}", tried.line());
        assert!(tried.failed == 0 && tried.without == 0);
    }
}

/// More steps of the same budget hardly cost accuracy, and fewer than four do not arrive where a class is rare.
#[test]
fn more_steps_of_one_budget_hardly_cost_accuracy() {
    let truth = SLOPES.map(|b| b / 2.0);
    let budget = rho(1.0, DELTA);
    let error = |constant: f64, steps: u32| {
        let plan = logistic_plan(&format!("penalty = \"none\"\nsteps = {steps}"));
        let mut rng = StdRng::seed_from_u64(105);
        let (gram, step) = (deviation_for(15.0, 0.25 * budget), deviation_for(5.0, 0.75 * budget / f64::from(steps)));
        let mut tried = Tried::default();
        for _ in 0..60 {
            tried.add(fit(&plan, &logistic_rows(10_000, constant, &mut rng), gram, step, &mut rng), &truth);
        }
        println!("constant {constant} steps {steps}: {}", tried.line());
        tried.error()
    };
    for constant in [0.0, -1.6] {
        let errors = [1, 2, 4, 6, 8, 12, 20].map(|steps| error(constant, steps));
        assert!(errors[6] < 1.15 * errors[3] && errors[3] < 1.3 * errors[5], "{errors:?}");
        assert!(errors[0] > 1.2 * errors[4], "{errors:?}");
    }
}

/// The sums of products of one feature and the target, with one draw of noise in none of them.
fn worked(name: &str) -> Vec<f64> {
    let text = include_str!("../../../tests/cases/private.md");
    let section = text.split("## ").find(|section| section.starts_with(name)).unwrap();
    let row =
        section.lines().find(|line| line.starts_with("| ") && !line.contains("---") && !line.contains('n')).unwrap();
    row.trim_matches('|').split('|').map(|field| field.trim().parse().unwrap()).collect()
}

fn one_feature(target: &str, train: &str) -> Plan {
    let toml = format!(
        "[pipeline]\nname = \"t\"\n[ingest]\npath = \"t.csv\"\n[schema.x]\nroles = [\"feature\"]\nbounds = [-1.0, 1.0]\n[schema.y]\nroles = [\"target\"]\nas = \"number\"\n{target}\n[privacy]\npopulation = \"people\"\nepsilon = 1.0\ndelta = 1e-6\n[train]\nstandardise = false\npenalty = \"none\"\n{train}\n"
    );
    planned(&toml, std::path::Path::new("."), &Learned::default())
}

/// Sums as written, with the variance of a noise of which every draw is 0.
fn as_released(name: &str, gram: &[f64], cross: &[f64], sigma: f64) -> Released {
    let units = |sum: &f64| (sum / UNIT).round() as i128;
    let mut sums = MomentSums::new(2, 0, 0, false);
    sums.gram = gram.iter().map(units).collect();
    sums.cross = cross.iter().map(units).collect();
    sums.n = gram.first().map_or(0, |n| *n as i64);
    with_variance(name, sums, sigma)
}

fn done(step: Step) -> Model {
    match step {
        Step::Done(model) => *model,
        Step::Collect { reason, .. } => panic!("asks for {reason}"),
    }
}

#[test]
fn a_linear_model_worked_by_hand() {
    let plan = one_feature("bounds = [-1.0, 1.0]", "model = \"linear\"");
    let [n, x, y, xx, xy, yy, sigma, value, intercept, error] = worked("Linear")[..] else { panic!("ten numbers") };
    let released = as_released("train/gram", &[n, x, y, xx, xy, yy], &[], sigma);
    let model = done(Trainer::new(&plan).step(&released).unwrap());
    let found = &model.card.coefficients[0];
    assert!((found.value - value).abs() < 1e-12 && (model.card.intercept - intercept).abs() < 1e-12, "{found:?}");
    assert!((found.standard_error.unwrap() - error).abs() < 1e-12, "{found:?}");
    assert_eq!((model.card.rows_train, model.card.rows_skipped), (100, 0));
}

#[test]
fn a_logistic_step_worked_by_hand() {
    let plan = one_feature("positive = \"1\"", "model = \"logistic\"\nsteps = 1");
    let [n, x, xx, g0, g, sigma, value, intercept, error] = worked("Logistic")[..] else { panic!("nine numbers") };
    let mut trainer = Trainer::new(&plan);
    let mut released = as_released("train/gram", &[n, x, xx], &[], 0.0);
    assert!(matches!(trainer.step(&released).unwrap(), Step::Collect { .. }));
    released.extend(as_released("train/step/1", &[], &[g0, g], sigma));
    let model = done(trainer.step(&released).unwrap());
    let found = &model.card.coefficients[0];
    assert!((found.value - value).abs() < 1e-12 && (model.card.intercept - intercept).abs() < 1e-12, "{found:?}");
    assert!((found.standard_error.unwrap() - error).abs() < 1e-12, "{found:?}");
}

/// The printed figures of AdaSSP with every standard normal fixed: eigenvalue, ridge, coefficients.
#[test]
fn the_algebra_is_that_of_adassp() {
    let Ok(folder) = std::env::var("EVENHAND_REFERENCE_DATA") else {
        println!("EVENHAND_REFERENCE_DATA is not set: 1 test not run");
        return;
    };
    let text = std::fs::read_to_string(PathBuf::from(folder).join("golden/privacy.json")).unwrap();
    let golden = &serde_json::from_str::<serde_json::Value>(&text).unwrap()["adassp_fixed_noise"];
    let x: Vec<Vec<f64>> = golden["X"].as_array().unwrap().iter().map(numbers).collect();
    let y = numbers(&golden["y"]);
    let delta = golden["delta"].as_f64().unwrap();
    let column = |j: usize| x.iter().map(|row| row[j]).collect::<Vec<_>>();
    let gram = factor::Symmetric::of(3, |i, j| factor::dot(&column(i), &column(j)));
    let rows = golden["rows"].as_array().unwrap();
    for row in rows {
        let number = |key: &str| row[key].as_f64().unwrap();
        let (epsilon, normal) = (number("eps"), number("all_standard_normals_equal"));
        let part = (6.0 / delta).ln().sqrt() / (epsilon / 3.0);
        let least = projection::Eigen::of(&gram).least().unwrap();
        assert!((least - number("lambda_min")).abs() < 1e-14, "{least}");
        let least = (least + part * normal - (6.0 / delta).ln() / (epsilon / 3.0)).max(0.0);
        assert!((least - number("lambda_min_noisy")).abs() < 1e-12);
        let ridge = (ridge_level(3, epsilon, delta) - least).max(0.0);
        assert!((ridge - number("ridge")).abs() < 1e-12 * (1.0 + ridge), "{ridge}");
        let noisy = factor::Symmetric::of(3, |i, j| gram.get(i, j) + part * normal);
        let cross = (0..3).map(|j| factor::dot(&column(j), &y) + part * normal).collect();
        let quadratic = quadratic::Quadratic::new(noisy.plus_diagonal(ridge), cross);
        let theta = quadratic.minimise(quadratic::Weights { absolute: 0.0, square: 0.0 }).unwrap();
        assert!(apart(&theta, &numbers(&row["theta"])) < 1e-9, "{theta:?}");
    }
    assert_eq!(rows.len(), 4);
}

#[test]
fn eigenvalues_projection_and_floor() {
    let pencil = factor::Symmetric::of(2, |i, j| if i == j { 2.0 } else { 3.0 });
    let mut values = projection::Eigen::of(&pencil).values;
    values.sort_by(f64::total_cmp);
    assert!((values[0] + 1.0).abs() < 1e-14 && (values[1] - 5.0).abs() < 1e-14, "{values:?}");
    // 5/2 of the vector (1, 1).
    let kept = projection::positive(&pencil);
    assert!((0..4).all(|at| (kept.get(at / 2, at % 2) - 2.5).abs() < 1e-14), "{kept:?}");
    assert!((projection::ridge(&pencil, 0.5) - 1.5).abs() < 1e-14);
    assert_eq!(projection::ridge(&pencil, -3.0), 0.0);
    let mut rng = StdRng::seed_from_u64(106);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let mut beyond = 0;
    for round in 0..2_000 {
        let size = 1 + round % 12;
        let draws: Vec<f64> = (0..size * size).map(|_| normal()).collect();
        let matrix = factor::Symmetric::of(size, |i, j| draws[i * size + j]);
        let eigen = projection::Eigen::of(&matrix);
        let trace: f64 = (0..size).map(|i| matrix.get(i, i)).sum();
        let squares: f64 = (0..size * size).map(|at| matrix.get(at / size, at % size).powi(2)).sum();
        assert!((eigen.values.iter().sum::<f64>() - trace).abs() < 1e-12 * (1.0 + squares));
        assert!((eigen.values.iter().map(|v| v * v).sum::<f64>() - squares).abs() < 1e-12 * (1.0 + squares));
        let kept = projection::positive(&matrix);
        assert!(projection::Eigen::of(&kept).least().unwrap() > -1e-12);
        let again = projection::positive(&kept);
        assert!(
            (0..size * size).all(|at| (again.get(at / size, at % size) - kept.get(at / size, at % size)).abs() < 1e-12)
        );
        let norm = eigen.values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        beyond += usize::from(norm > projection::noise_norm(size, 1.0));
    }
    // The bound holds with probability 0.95; 150 of 2,000 at that chance are 5.1 standard deviations away.
    assert!(beyond < 150, "{beyond}");
}

/// Every combination of levels and ends of numbers; no row is longer than the stated norm and one is as long.
#[test]
fn no_row_is_longer_than_the_stated_norm() {
    let toml = "[pipeline]\nname = \"t\"\n[ingest]\npath = \"t.csv\"\n[schema.a]\nroles = [\"feature\"]\nlevels = [\"p\", \"q\", \"r\"]\n[schema.b]\nroles = [\"feature\"]\nlevels = [\"s\", \"t\", \"u\", \"v\"]\nreference = \"t\"\n[schema.c]\nroles = [\"feature\"]\nas = \"truth\"\n[schema.d]\nroles = [\"feature\"]\nbounds = [10.0, 30.0]\n[schema.e]\nroles = [\"feature\"]\nbounds = [0.0, 1.0]\n[schema.y]\nroles = [\"target\"]\nbounds = [0.0, 9.0]\n[privacy]\npopulation = \"people\"\nepsilon = 1.0\n[train]\nmodel = \"linear\"\nstrength = 0.0\n";
    let plan = planned(toml, std::path::Path::new("."), &Learned::default());
    let mut csv = String::from("a,b,c,d,e,y\n");
    let mut rows = 0;
    for a in ["p", "q", "r"] {
        for b in ["s", "t", "u", "v"] {
            for c in ["false", "true"] {
                for d in ["10", "20", "30", "99"] {
                    for e in ["0", "1"] {
                        for y in ["0", "9"] {
                            csv += &format!("{a},{b},{c},{d},{e},{y}\n");
                            rows += 1;
                        }
                    }
                }
            }
        }
    }
    let mut greatest = [0i128; 2];
    // One row a time: the trace of its sums is its squared norm.
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan;
    plan.scan.source.paths = vec![folder.path().join("t.csv")];
    let [demand] = &Trainer::new(&plan).demands()[..] else { panic!("one demand") };
    let mut lines = csv.lines();
    let header = lines.next().unwrap();
    for line in lines {
        std::fs::write(folder.path().join("t.csv"), format!("{header}\n{line}\n")).unwrap();
        let demand = Demand { rows: crate::demand::Rows::Kept, ..demand.clone() };
        let counted = release(Reference.collect(&plan.scan, &[demand], &|_| ()).unwrap().evidence);
        let sums = counted.moments("train/gram").unwrap().total_where(|_| true).unwrap();
        let variables = plan.features.len() + 2;
        let square = |i: usize| sums.gram[centred::at(variables, i, i)];
        let all: i128 = (0..variables).map(square).sum();
        greatest[1] = greatest[1].max(all);
        greatest[0] = greatest[0].max(all - square(variables - 1));
    }
    assert_eq!(rows, 384);
    for (target, greatest) in [false, true].into_iter().zip(greatest) {
        assert_eq!(greatest, i128::from(private::norm_squared_max(&plan.features, target)) * ONE * ONE, "{target}");
    }
    // Constant, two texts, one truth value, two numbers; the target.
    assert_eq!([false, true].map(|target| private::norm_squared_max(&plan.features, target)), [6, 7]);
}

#[test]
fn what_noise_hides_is_refused_in_words() {
    let mut rng = StdRng::seed_from_u64(107);
    let linear = linear_plan("penalty = \"none\"");
    let message = failure(fit(&linear, &linear_rows(200, &mut rng), 100.0, 0.0, &mut rng));
    assert!(message.contains("by the noisy count") && message.contains("too few for 6 columns"), "{message}");
    let message = failure(fit(&linear, &linear_rows(4_000, &mut rng), 900.0, 0.0, &mut rng));
    assert!(message.contains("within the noise") || message.contains("than the noise"), "{message}");
    let chosen = linear_plan("penalty = \"ridge\"");
    let message = failure(fit(&chosen, &linear_rows(4_000, &mut rng), 1.0, 0.0, &mut rng));
    assert!(message.contains("write train.strength"), "{message}");
    // A feature of one value has the coefficient 0; directions within the noise get a ridge and no errors.
    let mut rows = Rows::new(5);
    for _ in 0..4_000 {
        let mut z = features(&mut rng);
        (z[2], z[4]) = (0.25, z[3] + 0.01 * z[4]);
        rows.push(&z, 0.5 * z[3] + 0.5 * rng.random::<f64>());
    }
    let model = fit(&linear, &rows, 10.0, 0.0, &mut rng).unwrap();
    assert_eq!(model.card.coefficients[2].value, 0.0);
    assert!(model.card.notes.iter().any(|note| note.contains("so the coefficient is 0: x0")), "{:?}", model.card.notes);
    assert!(model.card.notes.iter().any(|note| note.contains("a ridge of")), "{:?}", model.card.notes);
    assert!(model.card.coefficients.iter().all(|coefficient| coefficient.standard_error.is_none()));
    assert!(model.card.notes.iter().any(|note| note.contains("discrete Gaussian noise")));
    let logistic = logistic_plan("penalty = \"ridge\"\nstrength = 0.01\nsteps = 4");
    let mut one_class = logistic_rows(4_000, 0.0, &mut rng);
    one_class.y.iter_mut().for_each(|y| *y = ONE as i64);
    let message = failure(fit(&logistic, &one_class, 10.0, 10.0, &mut rng));
    assert!(message.contains("both classes are needed"), "{message}");
    let message = failure(fit(&logistic_plan("penalty = \"none\"\nsteps = 0"), &one_class, 1.0, 1.0, &mut rng));
    assert!(message.contains("at least 1"), "{message}");
    let model = fit(&logistic, &logistic_rows(4_000, 0.0, &mut rng), 5.0, 5.0, &mut rng).unwrap();
    assert!(
        model.card.notes.iter().any(|note| note.contains("4 gradients were released with discrete Gaussian noise")),
        "{:?}",
        model.card.notes
    );
    assert_eq!(passes(&logistic).len(), 4);
    assert!(passes(&linear).is_empty());
}

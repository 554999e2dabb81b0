//! Rows left out of a trained model against fits without them; a sample against all rows; a level that a model gives away.

use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::engine::Engine;
use crate::engine::reference::Reference;
use crate::evidence::Released;
use crate::plan::Learned;
use crate::plan::spec::Spec;
use crate::privatize::release;
use crate::train::{Step, Trainer};

/// A plan, the model trained by it, and the evidence its attackers ask for.
struct World {
    plan: Plan,
    model: Model,
    evidence: Released,
}

impl World {
    fn of(csv: &str, more: &str) -> World {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.csv"), csv).unwrap();
        let text = format!("pipeline.name = \"t\"\ningest.path = \"t.csv\"\n{more}");
        let spec: Spec = toml::from_str(&text).unwrap();
        let source = crate::plan::source(&spec, folder.path(), &|path| Ok(vec![path.to_path_buf()])).unwrap();
        let parse = |_: &str| Err("no expressions here".into());
        let plan = Plan::of(&spec, "", source, &parse, &Learned::default()).unwrap();
        let collect = |demands: &[Demand]| release(Reference.collect(&plan.scan, demands, &|_| ()).unwrap().evidence);
        let mut trainer = Trainer::new(&plan);
        let mut released = collect(&trainer.demands());
        let model = loop {
            match trainer.step(&released).unwrap() {
                Step::Done(model) => break *model,
                Step::Collect { demands, .. } => released.extend(collect(&demands)),
            }
        };
        let evidence = collect(&demands(&plan, &model, plan.spec.attacks.as_ref().unwrap()));
        World { plan, model, evidence }
    }

    fn attack(&self) -> ModelAttacked {
        attack(&self.plan, &self.model, self.plan.spec.attacks.as_ref().unwrap(), &self.evidence).unwrap()
    }

    fn sums(&self) -> MomentSums {
        self.evidence.moments(MOMENTS).unwrap().total_where(|_| true).unwrap()
    }

    fn left_out(&self) -> (Known, LeaveOneOut) {
        let known = Known::of(self.evidence.panel(MEMBERS).unwrap(), &self.plan);
        let target = Target::of(&self.plan, &self.model, &self.sums());
        let left_out = target.left_out(&known, &self.sums()).unwrap();
        (known, left_out)
    }
}

/// Rows of two groups with two numbers, and a number or a label that depends on them.
fn table(n: u32, binary: bool, seed: u64) -> String {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let mut csv = String::from("sex,a,b,y\n");
    for _ in 0..n {
        let (a, b): (f64, f64) = (random.random_range(0.0..10.0), random.random_range(-3.0..-1.0));
        let male: bool = random.random();
        let y = 0.4 * a - b + if male { 1.5 } else { 0.0 } + random.random_range(-2.0..2.0);
        let y = if binary { f64::from(u8::from(y > 4.2)) } else { y };
        csv.push_str(&format!("{},{a},{b},{y}\n", if male { "m" } else { "f" }));
    }
    csv
}

fn schema(target: &str, train: &str, attacks: &str) -> String {
    format!(
        "schema.sex = {{ roles = [\"protected\", \"feature\"], levels = [\"f\", \"m\"] }}\nschema.a = {{ roles = [\"feature\"], bounds = [0, 12] }}\n\
         schema.b = {{ roles = [\"feature\"], bounds = [-4, 0] }}\nschema.y = {{ roles = [\"target\"], {target} }}\n\
         [train]\nprotected_features = true\n{train}\n[attacks]\non_real_rows = true\n{attacks}\n"
    )
}

const NUMBER: &str = "bounds = [-5, 15]";
const LABEL: &str = "as = \"number\", positive = \"1\"";
const ALL: &str = "split = { train = 1.0, calibration = 0.0, test = 0.0 }";

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

/// The penalised least-squares fit of the kept rows in the features' own units: an intercept, then a coefficient for each. `square` and `slope` are what
/// the penalty adds to the diagonal and takes from the right side.
fn fit(rows: &[&[f64]], y: &[f64], square: &[f64], slope: &[f64]) -> Vec<f64> {
    let p = square.len();
    let x = |row: &[f64], k: usize| if k == 0 { 1.0 } else { row[k - 1] };
    let a = |k: usize, l: usize| {
        rows.iter().map(|row| x(row, k) * x(row, l)).sum::<f64>() + if k == l { square[k] } else { 0.0 }
    };
    let right = |k: usize| rows.iter().zip(y).map(|(row, y)| x(row, k) * y).sum::<f64>() - slope[k];
    solve((0..p).map(|k| (0..p).map(|l| a(k, l)).collect()).collect(), (0..p).map(right).collect())
}

/// 30 rows, each left out of a fit of its own. Penalty and scaling are those of all rows, as the notes say. The model's coefficients are integers: the
/// difference is at most 1e-9 of half the target's bounds.
#[test]
fn a_row_left_out_is_a_fit_without_it() {
    for (train, ridge, lasso) in [
        ("model = \"linear\"\npenalty = \"none\"", 0.0, 0.0),
        ("model = \"linear\"\npenalty = \"ridge\"\nstrength = 0.3", 0.3, 0.0),
        ("model = \"linear\"\npenalty = \"ridge\"\nstrength = 0.3\nstandardise = false", 0.3, 0.0),
        ("model = \"linear\"\npenalty = \"elastic-net\"\nstrength = 0.1\nl1_ratios = [0.5]", 0.05, 0.05),
    ] {
        let world = World::of(&table(30, false, 4), &schema(NUMBER, &format!("{train}\n{ALL}"), "rows_max = 1000"));
        let (known, left_out) = world.left_out();
        assert_eq!(known.outcome.len(), 30);
        let n = 30.0;
        let scale = |j: usize| {
            let mean = known.features.iter().map(|row| row[j]).sum::<f64>() / n;
            let square = known.features.iter().map(|row| (row[j] - mean).powi(2)).sum::<f64>() / n;
            if train.contains("standardise") { 1.0 } else { square.sqrt() }
        };
        let square: Vec<f64> = [0.0, 1.0, 2.0, 3.0]
            .iter()
            .map(|k| if *k == 0.0 { 0.0 } else { n * ridge * scale(*k as usize - 1).powi(2) })
            .collect();
        let sign = |j: usize| world.model.card.coefficients[j].value.signum();
        let slope: Vec<f64> =
            (0..4).map(|k| if k == 0 { 0.0 } else { n * lasso * scale(k - 1) * sign(k - 1) }).collect();
        assert!(world.model.card.coefficients.iter().all(|coefficient| coefficient.value != 0.0));
        for i in 0..30 {
            let kept: Vec<usize> = (0..30).filter(|other| *other != i).collect();
            let rows: Vec<&[f64]> = kept.iter().map(|&i| &*known.features[i]).collect();
            let y: Vec<f64> = kept.iter().map(|&i| known.outcome[i]).collect();
            let b = fit(&rows, &y, &square, &slope);
            let error =
                b[0] + known.features[i].iter().zip(&b[1..]).map(|(x, b)| x * b).sum::<f64>() - known.outcome[i];
            let gap = (left_out.outside[i] - error).abs();
            assert!(gap <= 1e-9 * 10.0, "{train}: {} is not {error}", left_out.outside[i]);
        }
    }
}

/// Leverages do not depend on how many rows are attacked, and sum to the effective number of coefficients.
#[test]
fn a_sample_is_attacked_with_the_curvature_of_all_rows() {
    for (target, train) in
        [(NUMBER, "model = \"linear\"\npenalty = \"none\""), (LABEL, "model = \"logistic\"\npenalty = \"none\"")]
    {
        let run = |rows: u32| {
            let train = format!("{train}\n{ALL}");
            World::of(&table(400, target == LABEL, 5), &schema(target, &train, &format!("rows_max = {rows}")))
        };
        let (all, some) = (run(400), run(100));
        let ((_, whole), (known, part)) = (all.left_out(), some.left_out());
        assert_eq!((whole.leverage.len(), part.leverage.len(), known.outcome.len()), (400, 100, 100));
        assert!((whole.leverage.iter().sum::<f64>() - 4.0).abs() < 1e-6);
        let tolerance = if target == LABEL { 1e-4 } else { 1e-12 };
        // The panel holds the rows of smallest hash, in the order of their hashes.
        for (whole, part) in whole.leverage.iter().zip(&part.leverage) {
            assert!((whole / part - 1.0).abs() < tolerance, "{whole} is not {part}");
        }
        let found = some.attack();
        assert_eq!((found.rows_trained, found.rows_attacked), (400, 100));
        assert!(found.notes.iter().any(|note| note.contains("a sample of 100 rows")), "{:?}", found.notes);
        assert!(all.attack().notes.iter().all(|note| !note.contains("sample")));
        let exposed: u64 = all.attack().exposure.iter().map(|of| of.exposed).sum();
        assert_eq!(exposed, 4, "a hundredth of 400 rows, without ties");
    }
}

/// The outcome is the sex, nearly: the model tells it of anybody. Without the model the more frequent level is guessed.
#[test]
fn a_level_that_the_model_gives_away_is_guessed() {
    let mut random = ChaCha20Rng::seed_from_u64(6);
    let mut csv = String::from("sex,a,b,y\n");
    for _ in 0..2000 {
        let male = random.random_bool(0.4);
        let label = u8::from(male != random.random_bool(0.05));
        let (a, b): (f64, f64) = (random.random_range(0.0..10.0), random.random_range(-3.0..-1.0));
        csv.push_str(&format!("{},{a},{b},{label}\n", if male { "m" } else { "f" }));
    }
    let train = "model = \"logistic\"\npenalty = \"ridge\"\nstrength = 0.001";
    let attacks = "rows_max = 5000\nsensitive = \"sex\"";
    let world = World::of(&csv, &schema(LABEL, train, attacks));
    let Some(Attempt::Attacked(found)) = world.attack().attribute else { panic!("not attacked") };
    assert_eq!((&*found.column, found.levels), ("sex", 2));
    let share = |right: u64, of: &Guessed| right as f64 / of.rows as f64;
    let others = found.others.as_ref().unwrap();
    for of in [&found.members, others] {
        // 0.95 and 0.6 with standard errors of at most 0.03.
        assert!((share(of.right_with, of) - 0.95).abs() < 0.06, "{of:?}");
        assert!((share(of.right_without, of) - 0.6).abs() < 0.1, "{of:?}");
        assert!(of.gain.lower > 0.2 && of.gain.lower < of.gain.value && of.gain.value < of.gain.upper, "{of:?}");
    }
    assert!(found.rows_known.abs_diff(others.rows) <= 1);
    // A column that is not in the model cannot be given away by it.
    let target = Target::of(&world.plan, &world.model, &world.sums());
    let empty = Known::default();
    assert!(target.guessed("y", &empty, &empty, 1.0).is_err());
    assert!(target.guessed("sex", &empty, &empty, 1.0).is_err());
}

/// What cannot be attacked is said, with the feature's name.
#[test]
fn a_model_that_its_rows_do_not_determine_is_not_attacked() {
    let mut csv = String::from("sex,a,b,y\n");
    (0..40).for_each(|i| csv.push_str(&format!("f,{},{},{}\n", i % 9, f64::from(i % 9) / 4.0 - 3.0, i % 7)));
    let train = format!("model = \"linear\"\npenalty = \"ridge\"\nstrength = 1e-14\n{ALL}");
    let world = World::of(&csv, &schema(NUMBER, &train, "rows_max = 1000"));
    let attacks = world.plan.spec.attacks.as_ref().unwrap();
    let why = attack(&world.plan, &world.model, attacks, &world.evidence).unwrap_err();
    assert!(why.starts_with("b is a combination of the other features"), "{why}");
    let nothing = attack(&world.plan, &world.model, attacks, &Released::default()).unwrap_err();
    assert!(nothing.contains("attack/moments"), "{nothing}");
}

/// With other small counts those by cohort are withheld.
#[test]
fn exposure_is_withheld_where_small_counts_are() {
    let train = format!("model = \"linear\"\npenalty = \"none\"\n{ALL}");
    let more = schema(NUMBER, &train, "rows_max = 1000") + "[measure]\nsuppress_below = 5\n";
    let found = World::of(&table(60, false, 7), &more).attack();
    assert_eq!(found.exposure, []);
    assert!(found.notes.iter().any(|note| note.contains("withheld")), "{:?}", found.notes);
}

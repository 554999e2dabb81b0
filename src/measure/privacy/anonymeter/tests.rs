//! Rates by hand, planted files whose risk is known, and files that must not break an attack.

use proptest::prelude::*;

use super::*;

const EFFORT: Effort = Effort { guesses: 300, confidence: 0.95, seed: 7 };

/// People with two columns of 400 values that tell them apart together, a number, a flag, and a secret that none of them tells.
fn people(n: usize, seed: u64) -> Vec<Vec<u32>> {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let mut draw = |levels: u32| random.random_range(0..levels);
    (0..n).map(|_| vec![draw(400), draw(400), draw(50_000), draw(2), draw(10)]).collect()
}

const KINDS: [bool; 5] = [false, false, true, false, false];

fn files<'a>(original: &'a [Vec<u32>], control: &'a [Vec<u32>], released: &'a [Vec<u32>]) -> Files<'a> {
    Files { original, control, released, ordered: &KINDS }
}

fn all(files: Files<'_>, effort: Effort) -> Vec<Attack> {
    vec![
        singling_out_by_one_column(files, effort).unwrap(),
        singling_out(files, 3, effort).unwrap(),
        linkability(files, &[0, 1], &[2, 3, 4], 1, effort).unwrap(),
        inference(files, 4, &[0, 1, 2, 3], 0, effort).unwrap(),
    ]
}

fn value(attack: &Attack) -> f64 {
    attack.risk.as_ref().unwrap().value
}

/// z^2 is 4 at z = 2: (3 + 2) / (4 + 4) with error 2 / 8 sqrt(3 x 1 / 4 + 1).
#[test]
fn a_rate_by_hand() {
    let confidence = 1.0 - libm::erfc(2.0 / std::f64::consts::SQRT_2);
    let rate = rate(Guesses { made: 4, right: 3 }, confidence).unwrap();
    assert!((rate.value - 0.625).abs() < 1e-12 && (rate.error - 0.25 * 1.75f64.sqrt()).abs() < 1e-12, "{rate:?}");
}

#[test]
fn all_right_and_none_made_are_defined() {
    let all = Guesses { made: 50, right: 50 };
    let risk = risk(all, all, all, 0.95).unwrap();
    assert_eq!(risk.value, 0.0);
    assert!(risk.upper.is_finite() && risk.attack.value < 1.0);
    let none = Guesses::default();
    assert_eq!(rate(none, 0.95), None);
    let tried = attack(none, none, none, EFFORT, Vec::new());
    assert_eq!((tried.risk, tried.warnings), (None, vec![Warning::NoGuesses]));
}

/// A file that is the original itself: everything succeeds on it and little on the control.
#[test]
fn a_copy_of_the_rows_has_the_greatest_risk() {
    let (original, control) = (people(800, 1), people(800, 2));
    let attacks = all(files(&original, &control, &original), EFFORT);
    for (attack, least) in attacks.iter().zip([0.9, 0.9, 0.9, 0.9]) {
        assert!(value(attack) > least, "{attack:?}");
        // A few rows have the same known values.
        assert!(attack.original.right + 6 >= attack.original.made);
        assert!(!attack.warnings.contains(&Warning::BaselineNotBeaten));
    }
}

/// A file of other people: what is found is chance, and the intervals contain 0 but for a few in a hundred.
#[test]
fn a_file_of_others_has_no_risk() {
    let mut above = [0; 4];
    for seed in 0..40 {
        let (original, control, released) =
            (people(400, 3 * seed), people(400, 3 * seed + 1), people(400, 3 * seed + 2));
        for (above, attack) in above.iter_mut().zip(all(files(&original, &control, &released), EFFORT)) {
            *above += i32::from(attack.risk.is_some_and(|risk| risk.lower > 0.0));
        }
    }
    // 2.5 % of 40 is 1; more than 7 has a probability below 1e-5 even if it were 4 %.
    assert!(above.iter().all(|&above| above <= 7), "{above:?}");
}

/// Half of the released rows are rows of the original: half of the links and of the secrets are found.
#[test]
fn a_planted_half_is_found_as_a_half() {
    let (original, control, others) = (people(1000, 11), people(1000, 12), people(500, 13));
    let released: Vec<Vec<u32>> = original.iter().take(500).chain(&others).cloned().collect();
    let effort = Effort { guesses: 1000, ..EFFORT };
    let files = files(&original, &control, &released);
    let secret = inference(files, 4, &[0, 1, 2, 3], 0, effort).unwrap();
    let link = linkability(files, &[0, 1], &[2, 3, 4], 1, effort).unwrap();
    for attack in [secret, link] {
        let risk = attack.risk.unwrap();
        assert!(risk.lower < 0.5 && 0.5 < risk.upper + 0.03, "{risk:?}");
    }
}

/// One value occurs once; the greatest and the least of an ordered column are guesses too.
#[test]
fn fewer_guesses_than_asked_are_said() {
    let rows: Vec<Vec<u32>> = [1, 1, 2, 5, 5, 5].map(|value| vec![value]).into();
    let files = Files { original: &rows, control: &rows, released: &rows, ordered: &[true] };
    let attack = singling_out_by_one_column(files, EFFORT).unwrap();
    // "2" holds once; "at most 1" twice, "at least 5" three times.
    assert_eq!((attack.original, attack.control), (Guesses { made: 3, right: 1 }, Guesses { made: 3, right: 1 }));
    assert!(attack.warnings.contains(&Warning::FewerGuesses { asked: 300, made: 3 }));
    assert_eq!(value(&attack), 0.0);
    let flat = vec![vec![1]; 6];
    let files = Files { original: &rows, control: &rows, released: &flat, ordered: &[false] };
    let attack = singling_out(files, 1, EFFORT).unwrap();
    assert_eq!((attack.risk, attack.warnings), (None, vec![Warning::NoGuesses]));
}

#[test]
fn files_of_different_sizes_are_cut_to_the_smaller() {
    let (original, control) = (people(900, 1), people(300, 2));
    let files = files(&original, &control, &original);
    let attack = singling_out(files, 3, EFFORT).unwrap();
    assert!(attack.warnings.contains(&Warning::CutTo { rows: 300 }));
    assert!(attack.original.right < attack.original.made, "guesses about rows that were cut do not hold");
}

/// A released file of noise makes an attack that guesses no better than without it.
#[test]
fn a_baseline_that_is_not_beaten_is_said() {
    let original = vec![vec![3, 1]; 50];
    let files = Files { original: &original, control: &original, released: &original, ordered: &[false, false] };
    let attack = inference(files, 1, &[0], 0, EFFORT).unwrap();
    assert!(attack.warnings.contains(&Warning::BaselineNotBeaten), "{attack:?}");
}

#[test]
fn distances_ties_and_tolerance() {
    let released = vec![vec![10, 0, 100], vec![20, 0, 200], vec![30, 1, MISSING], vec![MISSING, 1, 400]];
    let original = vec![vec![12, 0, 109], vec![20, 0, MISSING], vec![29, 1, 400]];
    let files = Files { original: &original, control: &original, released: &released, ordered: &[true, false, true] };
    let guesses = |tolerance| inference(files, 2, &[0, 1], tolerance, EFFORT).unwrap().original;
    // The first is nearest to 100, off by 9; the secret of the second is missing; the third meets a missing secret.
    assert_eq!(guesses(8), Guesses { made: 2, right: 0 });
    assert_eq!(guesses(9), Guesses { made: 2, right: 1 });
}

#[test]
fn what_cannot_be_tried_is_said() {
    let rows = people(5, 1);
    let short = vec![vec![1, 2]];
    let good = files(&rows, &rows, &rows);
    let errors = [
        singling_out(files(&rows, &[], &rows), 2, EFFORT),
        singling_out(files(&rows, &rows, &short), 2, EFFORT),
        singling_out(good, 0, EFFORT),
        linkability(good, &[0], &[5], 1, EFFORT),
        linkability(good, &[0, 1], &[1], 1, EFFORT),
        linkability(good, &[0], &[], 1, EFFORT),
        linkability(good, &[0], &[1], 0, EFFORT),
        inference(good, 4, &[4], 0, EFFORT),
        inference(Files { ordered: &[], ..good }, 0, &[1], 0, EFFORT),
    ]
    .map(|result| result.unwrap_err());
    assert_eq!(
        errors,
        [
            AttackError::Empty("control"),
            AttackError::Ragged { file: "released", row: 0, found: 2, expected: 5 },
            AttackError::NoColumns,
            AttackError::NoColumn(5),
            AttackError::Repeated(1),
            AttackError::NoColumns,
            AttackError::NoNeighbours,
            AttackError::Repeated(4),
            AttackError::NoColumns,
        ]
    );
}

fn rows() -> impl Strategy<Value = Vec<Vec<u32>>> {
    let code = prop_oneof![0u32..4, Just(MISSING), Just(MISSING - 1), any::<u32>()];
    proptest::collection::vec(proptest::collection::vec(code, 3), 1..12)
}

proptest! {
    #[test]
    fn risks_are_between_0_and_1_and_the_same_again(
        original in rows(), control in rows(), released in rows(), kinds in any::<[bool; 3]>(), seed in any::<u64>()
    ) {
        let files = Files { original: &original, control: &control, released: &released, ordered: &kinds };
        let effort = Effort { guesses: 9, confidence: 0.9, seed };
        let tried = || vec![
            singling_out_by_one_column(files, effort).unwrap(),
            singling_out(files, 2, effort).unwrap(),
            linkability(files, &[0], &[1, 2], 2, effort).unwrap(),
            inference(files, 2, &[0, 1], 1, effort).unwrap(),
        ];
        let attacks = tried();
        prop_assert_eq!(&attacks, &tried());
        for attack in attacks {
            prop_assert!(attack.original.right <= attack.original.made && attack.original.made <= 9);
            if let Some(risk) = attack.risk {
                prop_assert!(0.0 <= risk.lower && risk.lower <= risk.value && risk.value <= risk.upper && risk.upper <= 1.0);
            }
        }
    }
}

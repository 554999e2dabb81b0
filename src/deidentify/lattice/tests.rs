//! The search against plain enumeration of all combinations of levels on small random worlds.

use std::collections::BTreeMap;

use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::deidentify::criteria::{Absent, Distance};
use crate::statistic::{Cell, Tally};

const OBJECTIVES: [Objective; 4] =
    [Objective::Granularity, Objective::Discernibility, Objective::AverageClassSize, Objective::NonUniformEntropy];

/// Rows over three quasi-identifiers and a sensitive value, and the population they are from.
struct World {
    hierarchies: Vec<Hierarchy>,
    rows: Vec<([u32; 3], u32)>,
    population: Vec<[u32; 3]>,
}

const SENSITIVE: u32 = 5;

fn texts(prefix: &str, n: usize) -> Vec<Arc<str>> {
    (0..n).map(|i| format!("{prefix}{i}").into()).collect()
}

fn hierarchies() -> Vec<Hierarchy> {
    let table = "c0;x;*\nc1;x;*\nc2;y;*\nc3;y;*\nc4;z;*\n";
    vec![
        Hierarchy::widths("age", &texts("a", 8), &[2, 4]).unwrap(),
        Hierarchy::identity("sex", &texts("b", 2)),
        Hierarchy::table("area", &texts("c", 5), table).unwrap(),
    ]
}

impl World {
    fn draw(rng: &mut ChaCha20Rng) -> World {
        let hierarchies = hierarchies();
        let skew = rng.random_range(1..4u32);
        let mut key = || {
            let mut code = |of: &Hierarchy| {
                let drawn = (0..skew).map(|_| rng.random_range(0..of.codes())).min().unwrap_or(0);
                // Unknown and outside are rare.
                if drawn >= of.declared() && rng.random_range(0..4) > 0 { 0 } else { drawn }
            };
            [code(&hierarchies[0]), code(&hierarchies[1]), code(&hierarchies[2])]
        };
        let population: Vec<[u32; 3]> = (0..120).map(|_| key()).collect();
        let n = rng.random_range(12..70);
        let rows = population[..n].iter().map(|key| (*key, rng.random_range(0..SENSITIVE - 2))).collect();
        World { hierarchies, rows, population }
    }

    fn classes(&self) -> Classes {
        classes(self.rows.iter().copied(), &self.population, &self.hierarchies)
    }
}

fn classes(rows: impl Iterator<Item = ([u32; 3], u32)>, population: &[[u32; 3]], of: &[Hierarchy]) -> Classes {
    let sizes: Vec<u32> = of.iter().map(Hierarchy::codes).collect();
    let (mut all, mut sample) = (Tally::new(sizes.clone()), Tally::new([&sizes[..], &[SENSITIVE]].concat()));
    rows.for_each(|(key, value)| sample.add(&[&key[..], &[value]].concat(), Cell::rows(1)));
    population.iter().for_each(|key| all.add(key, Cell::rows(1)));
    Classes::of(&sample, of.len()).unwrap().with_population(&all).unwrap()
}

/// Suppressed rows and loss at given levels, row by row and by the definitions; none when too many are suppressed.
fn by_definition(world: &World, search: &Search, levels: &[usize], k: u64) -> Option<(u64, f64)> {
    let n = world.rows.len() as f64;
    let coarse = |key: &[u32; 3]| [0, 1, 2].map(|at| world.hierarchies[at].code(levels[at], key[at]));
    let rows = world.rows.iter().map(|(key, value)| (coarse(key), *value));
    let population: Vec<[u32; 3]> = world.population.iter().map(coarse).collect();
    // Not merged from base classes: formed from the rows.
    let classes = classes(rows.clone(), &population, &world.hierarchies);
    let reference = classes.reference();
    let mut kept: BTreeMap<[u32; 3], u64> = BTreeMap::new();
    for class in classes.iter().filter(|class| class.count > 0) {
        if search.criteria.iter().all(|criterion| criterion.holds(&class, &reference)) {
            kept.insert([class.codes[0], class.codes[1], class.codes[2]], class.count);
        }
    }
    let suppressed = rows.filter(|(key, _)| !kept.contains_key(key)).count() as u64;
    if suppressed as f64 > search.suppression_max * n {
        return None;
    }
    let loss = match search.objective {
        Objective::Discernibility => {
            kept.values().map(|size| (size * size) as f64).sum::<f64>() + suppressed as f64 * n
        }
        Objective::AverageClassSize => {
            n / (kept.len() as f64 + if suppressed > 0 { 1.0 } else { 0.0 }).max(1.0) / k as f64
        }
        _ => (world
            .rows
            .iter()
            .map(|(key, _)| (0..3).map(|at| cell_loss(world, search.objective, levels, &kept, key, at)).sum::<f64>()))
        .sum::<f64>(),
    };
    Some((suppressed, if search.objective == Objective::Granularity { loss / n / 3.0 } else { loss }))
}

/// The loss of one value of one row.
fn cell_loss(
    world: &World,
    objective: Objective,
    levels: &[usize],
    kept: &BTreeMap<[u32; 3], u64>,
    key: &[u32; 3],
    at: usize,
) -> f64 {
    let of = &world.hierarchies[at];
    let coarse = [0, 1, 2].map(|at| world.hierarchies[at].code(levels[at], key[at]));
    let level = if kept.contains_key(&coarse) { levels[at] } else { of.levels() - 1 };
    let agree = |level: usize| {
        world.rows.iter().filter(|(other, _)| of.code(level, other[at]) == of.code(level, key[at])).count() as f64
    };
    match objective {
        Objective::NonUniformEntropy => (agree(level) / agree(0)).log2(),
        _ if level == of.levels() - 1 => 1.0,
        _ => {
            let under = (0..of.declared()).filter(|&code| of.code(level, code) == of.code(level, key[at])).count();
            (under.max(1) - 1) as f64 / f64::from(of.declared() - 1)
        }
    }
}

fn all_levels(hierarchies: &[Hierarchy]) -> Vec<Vec<usize>> {
    hierarchies.iter().fold(vec![Vec::new()], |all, of| {
        all.iter().flat_map(|levels| (0..of.levels()).map(|level| [&levels[..], &[level]].concat())).collect()
    })
}

fn criteria() -> Vec<Vec<Criterion>> {
    let k = Criterion::KAnonymity { k: 3 };
    vec![
        vec![Criterion::KAnonymity { k: 4 }],
        vec![Criterion::KAnonymity { k: 30 }],
        vec![Criterion::KMap { k: 6 }],
        vec![k, Criterion::DistinctDiversity { l: 2 }],
        vec![Criterion::AlphaK { alpha: 0.6, k: 2 }],
        vec![Criterion::EntropyDiversity { l: 1.8 }],
        vec![Criterion::RecursiveDiversity { c: 1.5, l: 2 }],
        vec![k, Criterion::Closeness { t: 0.25, distance: Distance::Equal }],
        vec![Criterion::Closeness { t: 0.2, distance: Distance::Ordered }],
        vec![k, Criterion::DeltaDisclosure { delta: 0.6, absent: Absent::Refused }],
        vec![k, Criterion::DeltaDisclosure { delta: 0.5, absent: Absent::Skipped }],
        vec![k, Criterion::BasicBeta { beta: 0.7 }],
        vec![Criterion::EnhancedBeta { beta: 0.9 }],
    ]
}

#[test]
fn the_search_finds_what_enumeration_finds() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let (mut found, mut refused, mut spared) = (0, 0, 0);
    for _ in 0..30 {
        let world = World::draw(&mut rng);
        let classes = world.classes();
        for criteria in criteria() {
            for suppression_max in [0.0, 0.07, 0.3, 1.0] {
                for objective in OBJECTIVES {
                    let search =
                        Search { hierarchies: &world.hierarchies, criteria: &criteria, suppression_max, objective };
                    match agree(&world, &search, &classes) {
                        Some(solution) => {
                            found += 1;
                            spared += solution.nodes - solution.evaluated;
                        }
                        None => refused += 1,
                    }
                }
            }
        }
    }
    // The worlds hold both, and the search evaluates less than everything.
    assert!(found > 4000 && refused > 25 && spared > 9 * found, "{found} {refused} {spared}");
}

/// The solution, after comparison with all combinations.
fn agree(world: &World, search: &Search, classes: &Classes) -> Option<Solution> {
    let k = search.criteria.iter().map(|criterion| match criterion {
        Criterion::KAnonymity { k } | Criterion::AlphaK { k, .. } => *k,
        _ => 1,
    });
    let k = k.max().unwrap();
    let mut all: Vec<(f64, usize, Vec<usize>, u64)> = Vec::new();
    for levels in all_levels(&world.hierarchies) {
        if let Some((suppressed, loss)) = by_definition(world, search, &levels, k) {
            all.push((loss, levels.iter().sum(), levels, suppressed));
        }
    }
    let least = all.iter().map(|(loss, ..)| *loss).fold(f64::INFINITY, f64::min);
    let best = all
        .into_iter()
        .filter(|(loss, ..)| *loss <= least + 1e-9)
        .min_by_key(|(_, height, levels, _)| (*height, levels.clone()));
    let solution = search.run(classes);
    let Some((loss, _, levels, suppressed)) = best else {
        assert_eq!(solution, Err(ModelError::Unreachable));
        return None;
    };
    let solution = solution.unwrap();
    assert_eq!((&solution.levels, solution.suppressed), (&levels, suppressed), "{search:?}");
    assert!((solution.loss - loss).abs() < 1e-9, "{search:?}: {} not {loss}", solution.loss);
    assert!(solution.suppressed as f64 <= search.suppression_max * solution.rows as f64);
    let left_out = world.rows.iter().filter(|(key, _)| solution.is_suppressed(key)).count() as u64;
    assert_eq!(left_out, suppressed);
    Some(solution)
}

#[test]
fn what_is_written_satisfies_the_criterion() {
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    for _ in 0..30 {
        let world = World::draw(&mut rng);
        let criteria = [Criterion::KAnonymity { k: 5 }];
        let objective = Objective::Granularity;
        let search = Search { hierarchies: &world.hierarchies, criteria: &criteria, suppression_max: 0.2, objective };
        let solution = search.run(&world.classes()).unwrap();
        let mut groups: BTreeMap<Vec<Arc<str>>, usize> = BTreeMap::new();
        for (key, _) in &world.rows {
            if let Some(written) = solution.written(key) {
                *groups.entry(written.into_iter().cloned().collect()).or_default() += 1;
            }
        }
        assert!(groups.values().all(|&rows| rows >= 5), "{groups:?}");
        assert_eq!(groups.len(), solution.classes.len());
        assert_eq!(groups.values().sum::<usize>() as u64, solution.rows - solution.suppressed);
    }
}

#[test]
fn coarser_never_lowers_k() {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let k = Criterion::KAnonymity { k: 1 };
    for _ in 0..10 {
        let world = World::draw(&mut rng);
        let classes = world.classes();
        let value = |levels: &[usize]| {
            let coarse = classes.generalised(&world.hierarchies, levels).unwrap();
            k.attained(&coarse, &classes.reference()).value.unwrap()
        };
        for levels in all_levels(&world.hierarchies) {
            for at in (0..3).filter(|&at| levels[at] + 1 < world.hierarchies[at].levels()) {
                let mut coarser = levels.clone();
                coarser[at] += 1;
                assert!(value(&coarser) >= value(&levels));
            }
        }
    }
}

#[test]
fn the_order_of_rows_and_levels_does_not_show() {
    let mut rng = ChaCha20Rng::seed_from_u64(10);
    // New position of every area code; unknown and outside stay last.
    let moved = [3, 0, 4, 1, 2, 5, 6];
    let order = [1, 3, 4, 0, 2];
    let levels: Vec<Arc<str>> = order.iter().map(|old| texts("c", 5)[*old].clone()).collect();
    let table = "c4;z;*\nc1;x;*\nc3;y;*\nc2;y;*\nc0;x;*\n";
    for _ in 0..10 {
        let world = World::draw(&mut rng);
        let mut other =
            World { hierarchies: hierarchies(), rows: world.rows.clone(), population: world.population.clone() };
        other.hierarchies[2] = Hierarchy::table("area", &levels, table).unwrap();
        other.rows.reverse();
        other.rows.iter_mut().for_each(|(key, _)| key[2] = moved[key[2] as usize]);
        other.population.iter_mut().for_each(|key| key[2] = moved[key[2] as usize]);
        for criteria in criteria() {
            for (suppression_max, objective) in [0.0, 0.1].into_iter().flat_map(|s| OBJECTIVES.map(|o| (s, o))) {
                let run = |world: &World| {
                    let hierarchies = &world.hierarchies;
                    Search { hierarchies, criteria: &criteria, suppression_max, objective }
                        .run(&world.classes())
                        .map(|found| (found.levels, found.suppressed, found.loss.to_bits(), found.evaluated))
                };
                assert_eq!(run(&world), run(&other));
            }
        }
    }
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let world = World::draw(&mut ChaCha20Rng::seed_from_u64(11));
    let classes = world.classes();
    let criteria = [Criterion::KAnonymity { k: 3 }];
    let search = |hierarchies, suppression_max| {
        Search { hierarchies, criteria: &criteria, suppression_max, objective: Objective::Granularity }.run(&classes)
    };
    for limit in [-0.1, 1.1, f64::NAN] {
        assert_eq!(search(&world.hierarchies, limit), Err(ModelError::Limit));
    }
    assert_eq!(search(&world.hierarchies[..2], 0.0), Err(ModelError::Axes { axes: 3, quasi: 2 }));
    let mut other = hierarchies();
    other.swap(0, 1);
    assert_eq!(search(&other, 0.0), Err(ModelError::Hierarchy { position: 0, codes: 10, levels: 4 }));
    let tall: Vec<Hierarchy> = hierarchies()
        .iter()
        .map(|of| {
            let levels: Vec<Arc<str>> = (0..of.declared()).map(|code| of.text(0, code).clone()).collect();
            Hierarchy::steps("tall", &levels, &vec![levels.clone(); 200]).unwrap()
        })
        .collect();
    assert!(matches!(search(&tall, 0.0), Err(ModelError::Nodes { .. })));
    let greedy = [Criterion::KAnonymity { k: 1000 }];
    let search =
        Search { criteria: &greedy, hierarchies: &world.hierarchies, suppression_max: 0.5, objective: OBJECTIVES[0] };
    assert_eq!(search.run(&classes), Err(ModelError::Unreachable));
    assert!(search.is_monotone(10));
    let close = [Criterion::Closeness { t: 0.1, distance: Distance::Equal }];
    assert!(!Search { criteria: &close, ..search }.is_monotone(10));
    assert!(Search { criteria: &close, suppression_max: 0.05, ..search }.is_monotone(10));
}

#[test]
fn no_loss_is_below_the_bound_of_a_finer_combination() {
    let mut rng = ChaCha20Rng::seed_from_u64(12);
    for _ in 0..6 {
        let world = World::draw(&mut rng);
        let classes = world.classes();
        for criteria in criteria() {
            for objective in OBJECTIVES {
                let hierarchies = &world.hierarchies;
                let search = Search { hierarchies, criteria: &criteria, suppression_max: 1.0, objective };
                // Levels, bound, rank of the loss.
                let mut all = Vec::new();
                let nodes = Walk::new(&search, &classes).unwrap().tags.len();
                for node in 0..nodes {
                    let mut walk = Walk::new(&search, &classes).unwrap();
                    walk.evaluate(node);
                    let levels = walk.levels(node);
                    let known = walk.losses.bound(objective, &levels);
                    let bound = walk.bounds.get(node).map_or(known, |bound| known.max(*bound));
                    all.push((levels, bound, walk.best.unwrap().rank));
                }
                for (finer, bound, _) in &all {
                    for (coarser, _, rank) in &all {
                        let below = finer.iter().zip(coarser).all(|(a, b)| a <= b);
                        assert!(!below || bound <= rank, "{objective:?} {criteria:?}: {finer:?} {coarser:?}");
                    }
                }
            }
        }
    }
}

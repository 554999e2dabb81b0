//! Risk of re-identification, from class sizes alone: what an outsider who knows the quasi-identifiers of somebody can do.
//!
//! - prosecutor: the outsider knows the person is in the file; a class of n rows gives 1 / n;
//! - journalist: the outsider does not know; a class with N rows in the population gives 1 / N;
//! - marketer: the expected share of rows an outsider links who links them all: the mean over rows.
//!
//! (El Emam 2013, "Guide to the De-Identification of Personal Health Information"; Elliot, Dale 1999.) The attacker is taken to know every
//! quasi-identifier without error and nothing else.

use crate::deidentify::classes::Classes;

/// Risks of one file, before or after de-identification.
#[derive(Debug, Clone, PartialEq)]
pub struct Risk {
    pub rows: u64,
    pub classes: u64,
    /// Rows in the smallest and in the largest class.
    pub class_min: u64,
    pub class_max: u64,
    /// 1 / smallest class.
    pub prosecutor_max: f64,
    /// Mean over rows of 1 / class size: classes / rows. This is the marketer's risk without a population.
    pub prosecutor_mean: f64,
    /// Mean over classes of 1 / class size.
    pub prosecutor_class_mean: f64,
    /// For every threshold asked, the share of rows whose prosecutor risk is above it.
    pub at_risk: Vec<f64>,
    /// Rows alone in their class, as a share.
    pub sample_uniques: f64,
    /// Needs the class sizes of a population.
    pub journalist: Option<Journalist>,
}

/// Risks from the class sizes of a population.
#[derive(Debug, Clone, PartialEq)]
pub struct Journalist {
    /// 1 / smallest population class that has rows in the file: 1 / k of k-map.
    pub max: f64,
    /// Mean over rows of 1 / population class: the marketer's risk.
    pub mean: f64,
    /// For every threshold asked, the share of rows above it.
    pub at_risk: Vec<f64>,
    /// Rows alone in their class in the population too, as a share of all rows.
    pub population_uniques: f64,
}

/// Rows of a class in the file and in the population.
type Size = (u64, Option<u64>);

/// The risks of a file; none without rows.
pub fn risk(classes: &Classes, thresholds: &[f64]) -> Option<Risk> {
    let mut sizes: Vec<Size> =
        classes.iter().filter(|class| class.count > 0).map(|class| (class.count, class.population)).collect();
    // Sums of reciprocals in the order of the sizes do not depend on the order of the classes.
    sizes.sort_unstable();
    let (rows, first, last) = (classes.rows(), sizes.first()?.0, sizes.last()?.0);
    Some(Risk {
        rows,
        classes: sizes.len() as u64,
        class_min: first,
        class_max: last,
        prosecutor_max: 1.0 / first as f64,
        prosecutor_mean: sizes.len() as f64 / rows as f64,
        prosecutor_class_mean: sizes.iter().map(|(n, _)| 1.0 / *n as f64).sum::<f64>() / sizes.len() as f64,
        at_risk: thresholds.iter().map(|tau| share_where(&sizes, rows, |(n, _)| 1.0 / n as f64 > *tau)).collect(),
        sample_uniques: share_where(&sizes, rows, |(n, _)| n == 1),
        journalist: journalist(&sizes, thresholds, rows),
    })
}

/// The share of rows in classes of a size that satisfies a condition.
fn share_where(sizes: &[Size], rows: u64, above: impl Fn(Size) -> bool) -> f64 {
    sizes.iter().filter(|size| above(**size)).map(|(n, _)| n).sum::<u64>() as f64 / rows as f64
}

fn journalist(sizes: &[Size], thresholds: &[f64], rows: u64) -> Option<Journalist> {
    let populations: Vec<u64> = sizes.iter().map(|(_, population)| *population).collect::<Option<_>>()?;
    let least = *populations.iter().min().filter(|least| **least > 0)?;
    let linked: f64 = sizes.iter().zip(&populations).map(|((n, _), all)| *n as f64 / *all as f64).sum();
    let above = |all: Option<u64>, tau: f64| all.is_some_and(|all| 1.0 / all as f64 > tau);
    Some(Journalist {
        max: 1.0 / least as f64,
        mean: linked / rows as f64,
        at_risk: thresholds.iter().map(|tau| share_where(sizes, rows, |(_, all)| above(all, *tau))).collect(),
        population_uniques: share_where(sizes, rows, |(_, all)| all == Some(1)),
    })
}

#[cfg(test)]
mod tests;

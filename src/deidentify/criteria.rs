//! Syntactic criteria: what every class of a file must satisfy so that it hides a person or a sensitive value to a stated degree.
//!
//! A class has n rows, c(s) of them with sensitive value s; q(s) = c(s) / n, and p(s) is the share in all rows. Each criterion is a condition
//! on one class; its value for a file is that of the worst class. Sensitive values include unknown and outside, each as a value of its own.
//!
//! | criterion | value of a class | source |
//! |---|---|---|
//! | k-anonymity | n | Sweeney 2002 |
//! | k-map | rows of the population in the class | Sweeney 2001 |
//! | (alpha, k) | max q | Wong, Li, Fu, Wang 2006 |
//! | distinct l | number of s with c(s) > 0 | Machanavajjhala et al. 2007 |
//! | entropy l | exp(-sum q ln q) | the same |
//! | recursive (c, l) | r_1 / (r_l + ... + r_m), r the counts in descending order | the same |
//! | t-closeness, equal | sum abs(q - p) / 2 | Li, Li, Venkatasubramanian 2007 |
//! | t-closeness, ordered | sum over i of abs(sum over j <= i of q_j - p_j) / (m - 1), m declared levels | the same |
//! | delta-disclosure | max abs(ln(q / p)) | Brickell, Shmatikov 2008 |
//! | beta-likeness, basic | max (q - p) / p over q > p | Cao, Karras 2012 |
//! | beta-likeness, enhanced | the same, and no (q - p) / p above -ln p | the same |
//!
//! A value that does not exist is undefined, and an undefined value meets no threshold.

use crate::deidentify::classes::{Class, Classes, ModelError, Reference};

/// How far apart two sensitive values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// Any two values are at distance 1.
    Equal,
    /// Values at positions i and j of m declared levels are at distance abs(i - j) / (m - 1). Unknown and outside have no position.
    Ordered,
}

/// What delta-disclosure makes of a value that occurs in all rows and not in the class, whose ratio is the logarithm of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// As defined: no delta is met.
    Refused,
    /// Left out, as other tools do. Merging classes may then break the criterion.
    Skipped,
}

/// A condition on every class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Criterion {
    KAnonymity { k: u64 },
    KMap { k: u64 },
    AlphaK { alpha: f64, k: u64 },
    DistinctDiversity { l: u64 },
    EntropyDiversity { l: f64 },
    RecursiveDiversity { c: f64, l: u64 },
    Closeness { t: f64, distance: Distance },
    DeltaDisclosure { delta: f64, absent: Absent },
    BasicBeta { beta: f64 },
    EnhancedBeta { beta: f64 },
}

/// What merging classes does to a criterion, and so how far a search may draw conclusions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Monotone {
    /// A class merged with any other still satisfies it: a coarser file satisfies it and suppresses no more.
    Suppressing,
    /// Merging classes that satisfy it gives one that does, but a class that does not may spoil one that does: a coarser file may have
    /// to suppress more.
    Whole,
    /// Merging classes that satisfy it may give one that does not.
    No,
}

/// The value of a criterion for a file, and whether its threshold holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attained {
    /// The worst class' value; none when it is undefined.
    pub value: Option<f64>,
    pub holds: bool,
}

/// Entropies are compared up to this difference, for the logarithms of equal counts differ in their last digits.
const ENTROPY_SLACK: f64 = 1e-12;

impl Criterion {
    /// The name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Criterion::KAnonymity { .. } => "k-anonymity",
            Criterion::KMap { .. } => "k-map",
            Criterion::AlphaK { .. } => "(alpha, k)-anonymity",
            Criterion::DistinctDiversity { .. } => "distinct l-diversity",
            Criterion::EntropyDiversity { .. } => "entropy l-diversity",
            Criterion::RecursiveDiversity { .. } => "recursive (c, l)-diversity",
            Criterion::Closeness { distance: Distance::Equal, .. } => "t-closeness, equal distance",
            Criterion::Closeness { distance: Distance::Ordered, .. } => "t-closeness, ordered distance",
            Criterion::DeltaDisclosure { .. } => "delta-disclosure privacy",
            Criterion::BasicBeta { .. } => "basic beta-likeness",
            Criterion::EnhancedBeta { .. } => "enhanced beta-likeness",
        }
    }

    /// An error when a parameter has no meaning or the classes lack what the criterion reads.
    pub fn check(&self, classes: &Classes) -> Result<(), ModelError> {
        let wrong = |what| Err(ModelError::Criterion { criterion: self.name(), what });
        let in_range = match *self {
            Criterion::KAnonymity { k } | Criterion::KMap { k } => k >= 1,
            Criterion::AlphaK { alpha, k } => k >= 1 && alpha > 0.0 && alpha <= 1.0,
            Criterion::DistinctDiversity { l } => l >= 1,
            Criterion::EntropyDiversity { l } => l.is_finite() && l >= 1.0,
            Criterion::RecursiveDiversity { c, l } => c.is_finite() && c > 0.0 && l >= 2,
            Criterion::Closeness { t, .. } => (0.0..=1.0).contains(&t),
            Criterion::DeltaDisclosure { delta: v, .. }
            | Criterion::BasicBeta { beta: v }
            | Criterion::EnhancedBeta { beta: v } => v.is_finite() && v > 0.0,
        };
        if !in_range {
            return wrong(
                "k and l are at least 1 (l of recursive diversity 2), alpha and t at most 1, c, delta and beta above 0",
            );
        }
        match self {
            Criterion::KAnonymity { .. } => Ok(()),
            Criterion::KMap { .. } if !classes.has_population() => wrong("needs the class sizes of a population"),
            Criterion::KMap { .. } => Ok(()),
            _ if !classes.has_sensitive() => wrong("needs a sensitive attribute"),
            _ => Ok(()),
        }
    }

    /// True when it reads the sensitive attribute.
    pub fn reads_sensitive(&self) -> bool {
        !matches!(self, Criterion::KAnonymity { .. } | Criterion::KMap { .. })
    }

    /// What merging classes does to it.
    pub fn monotone(&self) -> Monotone {
        match self {
            Criterion::KAnonymity { .. } | Criterion::KMap { .. } | Criterion::DistinctDiversity { .. } => {
                Monotone::Suppressing
            }
            Criterion::DeltaDisclosure { absent: Absent::Skipped, .. } => Monotone::No,
            _ => Monotone::Whole,
        }
    }

    /// The value of one class; none when it is undefined.
    pub fn value(&self, class: &Class, reference: &Reference) -> Option<f64> {
        let rows = class.count as f64;
        match *self {
            Criterion::KAnonymity { .. } => Some(rows),
            Criterion::KMap { .. } => class.population.map(|rows| rows as f64),
            Criterion::AlphaK { .. } => {
                class.sensitive.iter().map(|&(_, count)| count).max().map(|most| most as f64 / rows)
            }
            Criterion::DistinctDiversity { .. } => Some(class.sensitive.len() as f64),
            Criterion::EntropyDiversity { .. } => Some(entropy(class).exp()),
            Criterion::RecursiveDiversity { l, .. } => {
                let (most, tail) = recursive(class, l)?;
                Some(most as f64 / tail as f64)
            }
            Criterion::Closeness { distance: Distance::Equal, .. } => equal_distance(class, reference),
            Criterion::Closeness { distance: Distance::Ordered, .. } => ordered_distance(class, reference),
            Criterion::DeltaDisclosure { absent, .. } => disclosure(class, reference, absent),
            Criterion::BasicBeta { .. } => {
                gains(class, reference).try_fold(0.0, |most: f64, gain| gain.map(|(gain, _)| most.max(gain)))
            }
            // No beta admits a gain above -ln p.
            Criterion::EnhancedBeta { .. } => gains(class, reference).try_fold(0.0, |most: f64, gain| {
                gain.filter(|(gain, cap)| gain <= cap).map(|(gain, _)| most.max(gain))
            }),
        }
    }

    /// Whether one class satisfies it.
    pub fn holds(&self, class: &Class, reference: &Reference) -> bool {
        let below = |limit: f64| self.value(class, reference).is_some_and(|value| value <= limit);
        match *self {
            Criterion::KAnonymity { k } => class.count >= k,
            Criterion::KMap { k } => class.population.is_some_and(|rows| rows >= k),
            Criterion::AlphaK { alpha, k } => class.count >= k && below(alpha),
            Criterion::DistinctDiversity { l } => class.sensitive.len() as u64 >= l,
            Criterion::EntropyDiversity { l } => entropy(class) >= l.ln() - ENTROPY_SLACK,
            Criterion::RecursiveDiversity { c, l } => {
                recursive(class, l).is_some_and(|(most, tail)| (most as f64) < c * tail as f64)
            }
            Criterion::Closeness { t, .. } => below(t),
            Criterion::DeltaDisclosure { delta, .. } => below(delta),
            Criterion::BasicBeta { beta } | Criterion::EnhancedBeta { beta } => below(beta),
        }
    }

    /// A condition that follows from the criterion and that a class merged with any other keeps; true when nothing is known to.
    /// `whole` says that no class may fail, so that what classes satisfy before merging they satisfy after.
    pub(super) fn lasting(&self, class: &Class, reference: &Reference, whole: bool) -> bool {
        match *self {
            _ if self.monotone() == Monotone::Suppressing || (whole && self.monotone() == Monotone::Whole) => {
                self.holds(class, reference)
            }
            Criterion::AlphaK { k, .. } => class.count >= k,
            // exp(H) is at most the number of distinct values.
            Criterion::EntropyDiversity { l } => class.sensitive.len() as f64 >= l - ENTROPY_SLACK * l,
            Criterion::RecursiveDiversity { l, .. } => class.sensitive.len() as u64 >= l,
            _ => true,
        }
    }

    /// The value for a file, and whether every class satisfies the criterion. Undefined when it is for any class, or without classes.
    pub fn attained(&self, classes: &Classes, reference: &Reference) -> Attained {
        let mut attained = Attained { value: None, holds: true };
        let (mut first, mut defined) = (true, true);
        for class in classes.iter().filter(|class| class.count > 0) {
            attained.holds &= self.holds(&class, reference);
            match (self.value(&class, reference), attained.value) {
                (Some(value), Some(worst)) if self.higher_is_better() => attained.value = Some(value.min(worst)),
                (Some(value), Some(worst)) => attained.value = Some(value.max(worst)),
                (Some(value), None) if first => attained.value = Some(value),
                _ => defined = false,
            }
            first = false;
        }
        attained.value = attained.value.filter(|_| defined);
        attained
    }

    fn higher_is_better(&self) -> bool {
        matches!(
            self,
            Criterion::KAnonymity { .. }
                | Criterion::KMap { .. }
                | Criterion::DistinctDiversity { .. }
                | Criterion::EntropyDiversity { .. }
        )
    }
}

/// -sum q ln q = ln n - (sum c ln c) / n. Summed in the order of the counts, so that the order of the values does not show.
fn entropy(class: &Class) -> f64 {
    let mut counts: Vec<u64> = class.sensitive.iter().map(|&(_, count)| count).collect();
    counts.sort_unstable();
    let rows = class.count as f64;
    // Of one value it is 0, whatever the rounding.
    let entropy = rows.ln() - counts.into_iter().map(|count| count as f64 * (count as f64).ln()).sum::<f64>() / rows;
    entropy.max(0.0)
}

/// The greatest count, and the sum of the l-th greatest and all smaller ones; none for l below 2 or fewer than l values.
fn recursive(class: &Class, l: u64) -> Option<(u64, u64)> {
    let mut counts: Vec<u64> = class.sensitive.iter().map(|&(_, count)| count).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let from = usize::try_from(l).ok()?.checked_sub(1).filter(|&from| from >= 1)?;
    let tail = counts.get(from..).filter(|tail| !tail.is_empty())?;
    Some((*counts.first()?, tail.iter().sum()))
}

/// abs(c N - C n), whose quotient by n N is abs(q - p).
fn gap(count: u64, class: &Class, all: u64, reference: &Reference) -> u128 {
    (u128::from(count) * u128::from(reference.rows)).abs_diff(u128::from(all) * u128::from(class.count))
}

fn equal_distance(class: &Class, reference: &Reference) -> Option<f64> {
    let (mut sum, mut present) = (0u128, 0u64);
    for &(value, count) in class.sensitive {
        let all = *reference.counts.get(value as usize)?;
        sum = sum.saturating_add(gap(count, class, all, reference));
        present = present.saturating_add(all);
    }
    // What the class lacks has q = 0.
    sum = sum.saturating_add(u128::from(reference.rows.checked_sub(present)?) * u128::from(class.count));
    share(sum, 2 * u128::from(class.count) * u128::from(reference.rows))
}

/// Cumulative differences over the declared levels; undefined when rows have no position in the order.
fn ordered_distance(class: &Class, reference: &Reference) -> Option<f64> {
    let declared = reference.counts.len().checked_sub(2)?;
    if reference.counts.iter().skip(declared).any(|&count| count > 0) {
        return None;
    }
    if declared < 2 {
        return Some(0.0);
    }
    let (mut sum, mut own, mut all) = (0u128, 0u64, 0u64);
    let mut values = class.sensitive.iter().peekable();
    for (code, count) in reference.counts.iter().enumerate().take(declared) {
        if let Some((_, count)) = values.next_if(|(value, _)| *value as usize == code) {
            own = own.saturating_add(*count);
        }
        all = all.saturating_add(*count);
        sum = sum.saturating_add(gap(own, class, all, reference));
    }
    let total = u128::from(class.count) * u128::from(reference.rows);
    share(sum, total.saturating_mul(declared as u128 - 1))
}

fn share(numerator: u128, denominator: u128) -> Option<f64> {
    (denominator > 0).then(|| numerator as f64 / denominator as f64)
}

fn disclosure(class: &Class, reference: &Reference, absent: Absent) -> Option<f64> {
    let occurring = reference.counts.iter().filter(|&&count| count > 0).count();
    if absent == Absent::Refused && class.sensitive.len() < occurring {
        return None;
    }
    class.sensitive.iter().try_fold(0.0, |most: f64, &(value, count)| {
        let own = u128::from(count) * u128::from(reference.rows);
        let all = u128::from(*reference.counts.get(value as usize)?) * u128::from(class.count);
        (all > 0).then(|| most.max((own as f64 / all as f64).ln().abs()))
    })
}

/// For every value with q > p: (q - p) / p and -ln p; none for a value that does not occur in all rows.
fn gains<'a>(class: &'a Class, reference: &'a Reference) -> impl Iterator<Item = Option<(f64, f64)>> + 'a {
    class.sensitive.iter().filter_map(|&(value, count)| {
        let all = reference.counts.get(value as usize).copied().unwrap_or(0);
        let scaled = u128::from(all) * u128::from(class.count);
        if scaled == 0 {
            return Some(None);
        }
        let gain = (u128::from(count) * u128::from(reference.rows)).checked_sub(scaled).filter(|&gain| gain > 0)?;
        Some(Some((gain as f64 / scaled as f64, (reference.rows as f64 / all as f64).ln())))
    })
}

#[cfg(test)]
mod tests;

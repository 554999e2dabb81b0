//! The greatest of several figures, all of them held at once.

use super::quantile;

/// So many figures are held at once: each at the confidence 1 - (1 - confidence) / number (Bonferroni), whatever depends on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family(pub usize);

impl Family {
    pub(super) fn critical(self, confidence: f64, df: Option<f64>) -> f64 {
        quantile(1.0 - (1.0 - confidence) / self.0.max(1) as f64, df)
    }
}

/// The greatest end of any pair, not below 0: distance plus reach times its scale.
pub(super) fn ends(pairs: &[(f64, f64)], reach: f64) -> f64 {
    // A scale of 0 is known exactly, whatever the reach.
    let end = |&(d, scale): &(f64, f64)| if scale == 0.0 { d } else { d + reach * scale };
    pairs.iter().map(end).fold(0.0, f64::max)
}

/// The pairs that can be the greatest lower or upper end for some reach: of half a million pairs a few.
pub(super) fn binding(pairs: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1).then(b.0.total_cmp(&a.0)));
    let front = |greatest: &mut f64, pair: &(f64, f64)| {
        let binds = pair.0 > *greatest;
        *greatest = greatest.max(pair.0);
        Some(binds.then_some(*pair))
    };
    let lower = sorted.iter().scan(f64::NEG_INFINITY, front).flatten();
    let upper = sorted.iter().rev().scan(f64::NEG_INFINITY, front).flatten();
    lower.chain(upper).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_bind_have_the_ends_of_all() {
        let pairs: Vec<(f64, f64)> =
            (0..200u32).map(|i| (f64::from(i * 37 % 101) / 100.0, 0.05 + f64::from(i * 53 % 89) / 100.0)).collect();
        let few = binding(&pairs);
        assert!(few.len() < 40, "{}", few.len());
        for reach in [0.0, 0.3, 1.0, 2.5, 7.0] {
            assert_eq!(ends(&few, reach), ends(&pairs, reach));
            assert_eq!(ends(&few, -reach), ends(&pairs, -reach));
        }
        assert_eq!(ends(&[(0.4, 0.0)], f64::INFINITY), 0.4);
    }

    #[test]
    fn one_figure_has_its_own_critical_value_and_more_have_more() {
        assert!((Family(1).critical(0.95, None) - super::super::normal(0.95)).abs() < 1e-12);
        assert!((Family(10).critical(0.95, None) - super::super::normal(0.995)).abs() < 1e-12);
        assert!(Family(5).critical(0.95, Some(40.0)) > Family(5).critical(0.95, None));
    }
}

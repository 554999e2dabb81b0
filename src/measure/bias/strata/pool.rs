//! A rate of two cohorts in every stratum, and what is pooled from it.

use std::collections::BTreeMap;

use super::{difference, exponential};
use crate::audit::bias::Figure;
use crate::audit::bias::strata::{Adjusted, ByStratum, Homogeneity, PooledTests};
use crate::estimate::stratified::{
    PooledRatio, Term, TwoByTwo, breslow_day, cochran_mantel_haenszel, odds_ratio, risk_difference, risk_ratio,
};
use crate::estimate::{BUCKETS, Estimate, Interval, Measured, Sample, Share, Support, Why, normal};
use crate::statistic::Cell;

/// One stratum, by bucket: the shares of a cohort and of the other, and everyone's rows in the denominator.
pub struct Line {
    pub cohort: BTreeMap<u32, Share>,
    pub other: BTreeMap<u32, Share>,
    pub everyone: BTreeMap<u32, Cell>,
}

pub struct Pool {
    pub lines: Vec<Line>,
    /// Rows share units or have weights.
    pub dependent: bool,
}

/// A table of two cohorts and the weight of its stratum.
type Weighted = (TwoByTwo, f64);

fn sum(shares: &BTreeMap<u32, Share>) -> Share {
    shares.values().fold(Share::default(), |sum, share| sum + *share)
}

fn two(cohort: Share, other: Share) -> TwoByTwo {
    let rest = |share: Share| (share.denominator - share.numerator).w as f64;
    TwoByTwo { a: cohort.numerator.w as f64, b: rest(cohort), c: other.numerator.w as f64, d: rest(other) }
}

/// Strata in which both cohorts have rows.
fn informative(all: &[Weighted]) -> impl Iterator<Item = &Weighted> {
    all.iter().filter(|(table, _)| table.cohort() > 0.0 && table.other() > 0.0)
}

fn tables(all: &[Weighted]) -> Vec<TwoByTwo> {
    informative(all).map(|(table, _)| *table).collect()
}

/// A figure of every stratum, averaged by weight.
fn standardised(all: &[Weighted], of: impl Fn(&TwoByTwo) -> f64) -> Option<f64> {
    let weight: f64 = informative(all).map(|(_, weight)| weight).sum();
    (weight > 0.0).then(|| informative(all).map(|(table, w)| w * of(table)).sum::<f64>() / weight)
}

fn own(table: &TwoByTwo) -> f64 {
    table.a / table.cohort()
}

fn others(table: &TwoByTwo) -> f64 {
    table.c / table.other()
}

impl Pool {
    fn weighted(&self) -> Vec<Weighted> {
        let line = |line: &Line| {
            let weight: Cell = line.everyone.values().copied().sum();
            (two(sum(&line.cohort), sum(&line.other)), weight.w as f64)
        };
        self.lines.iter().map(line).collect()
    }

    /// Strata in which one of the two has no row, and the rows of the other there.
    pub fn left_out(&self) -> (u32, i64) {
        let rows = |line: &Line| (sum(&line.cohort).denominator.n, sum(&line.other).denominator.n);
        let out: Vec<(i64, i64)> = self.lines.iter().map(rows).filter(|(a, b)| *a == 0 || *b == 0).collect();
        (out.len() as u32, out.iter().map(|(a, b)| a + b).sum())
    }

    /// Rows of the smaller of the two in the strata in which both have some.
    fn support(&self) -> Support {
        let rows = |line: &Line| (sum(&line.cohort).denominator.n, sum(&line.other).denominator.n);
        let used = self.lines.iter().map(rows).filter(|(a, b)| *a > 0 && *b > 0);
        let (a, b) = used.fold((0, 0), |(x, y), (a, b)| (x + a, y + b));
        Support { n: a.min(b), n_effective: a.min(b) as f64 }
    }

    /// A figure by the jackknife over buckets.
    fn jackknife(&self, of: impl Fn(&[Weighted]) -> Option<f64>) -> Sample {
        let all = self.weighted();
        let mut filled = 0;
        let left_out = (0..BUCKETS).map(|bucket| {
            let mut some = false;
            let part = |shares: &BTreeMap<u32, Share>| shares.get(&bucket).copied().unwrap_or_default();
            let less: Vec<Weighted> = self
                .lines
                .iter()
                .zip(&all)
                .map(|(line, (table, weight))| {
                    let (own, other) = (part(&line.cohort), part(&line.other));
                    some |= own.denominator.n + other.denominator.n > 0;
                    let out = two(own, other);
                    let w = line.everyone.get(&bucket).map_or(0.0, |cell| cell.w as f64);
                    let table =
                        TwoByTwo { a: table.a - out.a, b: table.b - out.b, c: table.c - out.c, d: table.d - out.d };
                    (table, weight - w)
                })
                .collect();
            filled += usize::from(some);
            of(&less)
        });
        let left_out: Vec<Option<f64>> = left_out.collect();
        match of(&all) {
            None => Sample::None(self.why()),
            point => Sample::buckets(point, left_out, filled, self.support().n),
        }
    }

    /// Why nothing can be compared.
    fn why(&self) -> Why {
        match self.lines.iter().all(|line| sum(&line.cohort).denominator.n == 0) {
            true => Why::EmptyDenominator,
            false => Why::EmptyComparison,
        }
    }

    /// Shares with weights: everyone's part of the stratum, with these signs for the cohort and the other.
    fn terms(&self, (cohort, other): (f64, f64)) -> Vec<Term> {
        let all = self.weighted();
        let weight: f64 = informative(&all).map(|(_, weight)| weight).sum();
        let terms = informative(&all).flat_map(|(table, w)| {
            let own = Term { weight: cohort * w / weight, p: own(table), n: table.cohort() };
            [own, Term { weight: other * w / weight, p: others(table), n: table.other() }]
        });
        terms.filter(|term| term.weight != 0.0).collect()
    }

    fn combined(&self, signs: (f64, f64), ends: (f64, f64), confidence: f64) -> Measured {
        match self.terms(signs) {
            terms if terms.is_empty() => Measured::Undefined { why: self.why() },
            terms => Measured::Estimated(Estimate::combination(terms, ends, self.support(), confidence)),
        }
    }

    /// The standardised difference: by everyone's strata, cohort minus other.
    pub fn difference(&self, confidence: f64) -> Measured {
        match self.dependent {
            true => self.jackknife(|all| standardised(all, |table| own(table) - others(table))).measure(confidence),
            false => self.combined((1.0, -1.0), (-1.0, 1.0), confidence),
        }
    }

    fn rates(&self, confidence: f64) -> [Figure; 2] {
        let measured = match self.dependent {
            true => [own as fn(&TwoByTwo) -> f64, others]
                .map(|of| self.jackknife(|all| standardised(all, of)).measure(confidence)),
            false => [(1.0, 0.0), (0.0, 1.0)].map(|signs| self.combined(signs, (0.0, 1.0), confidence)),
        };
        measured.map(|measured| Figure::of(&measured))
    }

    fn ratio(&self, of: fn(&[TwoByTwo]) -> Option<PooledRatio>, confidence: f64) -> Figure {
        if self.dependent {
            let log = |all: &[Weighted]| of(&tables(all)).map(|found| found.ratio.ln());
            return exponential(&self.jackknife(log).measure(confidence));
        }
        match of(&tables(&self.weighted())) {
            Some(found) => Figure::new(found.ratio, found.interval(confidence), self.support().n),
            None => Figure::Undefined { reason: "one of its sums over the strata is zero".into() },
        }
    }

    fn rate_difference(&self, confidence: f64) -> Figure {
        if self.dependent {
            let of = |all: &[Weighted]| risk_difference(&tables(all)).map(|(point, _)| point);
            return Figure::of(&self.jackknife(of).measure(confidence));
        }
        match risk_difference(&tables(&self.weighted())) {
            Some((point, se)) => {
                let half = normal(confidence) * se;
                Figure::new(point, Interval::new((point - half).max(-1.0), (point + half).min(1.0)), self.support().n)
            }
            None => Figure::Undefined { reason: self.why().describe().into() },
        }
    }

    /// Tests of independent rows, or why there are none.
    fn tests(&self) -> Result<PooledTests, String> {
        if self.dependent {
            return Err("rows share units or have weights, and the tests take rows for independent".into());
        }
        let tables = tables(&self.weighted());
        let (Some(plain), Some(corrected)) =
            (cochran_mantel_haenszel(&tables, false), cochran_mantel_haenszel(&tables, true))
        else {
            return Err("no stratum has rows of both cohorts and both outcomes".into());
        };
        let homogeneity = breslow_day(&tables).map(|(plain, tarone)| Homogeneity {
            chi2: plain.chi2,
            p: plain.p,
            chi2_tarone: tarone.chi2,
            p_tarone: tarone.p,
            df: plain.df as u32,
        });
        Ok(PooledTests {
            chi2: plain.chi2,
            p: plain.p,
            chi2_corrected: corrected.chi2,
            p_corrected: corrected.p,
            homogeneity,
        })
    }

    fn sample(&self, shares: &BTreeMap<u32, Share>) -> Sample {
        let bucket = |bucket: u32| shares.get(&bucket).copied().unwrap_or_default();
        match self.dependent {
            true => Sample::bucketed_share(&(0..BUCKETS).map(bucket).collect::<Vec<_>>()),
            false => Sample::share(&sum(shares)),
        }
    }

    fn by_stratum(&self, confidence: f64) -> Vec<ByStratum> {
        let line = |(at, line): (usize, &Line)| {
            let (cohort, other) = (self.sample(&line.cohort), self.sample(&line.other));
            ByStratum {
                stratum: at as u32,
                value: Figure::of(&cohort.measure(confidence)),
                other: Figure::of(&other.measure(confidence)),
                difference: Figure::of(&difference(&cohort, &other, confidence)),
            }
        };
        self.lines.iter().enumerate().map(line).collect()
    }

    fn crude(&self, confidence: f64) -> Measured {
        let together = |of: fn(&Line) -> &BTreeMap<u32, Share>| {
            let mut all: BTreeMap<u32, Share> = BTreeMap::new();
            for (&bucket, &share) in self.lines.iter().flat_map(of) {
                let slot = all.entry(bucket).or_default();
                *slot = *slot + share;
            }
            self.sample(&all)
        };
        difference(&together(|line| &line.cohort), &together(|line| &line.other), confidence)
    }

    /// Everything that is said of the two cohorts.
    pub fn adjusted(&self, cohort: String, with: Option<String>, confidence: f64) -> Adjusted {
        let (strata_left_out, rows_left_out) = self.left_out();
        let [value, other] = self.rates(confidence);
        let (tests, no_tests) = match self.tests() {
            Ok(tests) => (Some(tests), None),
            Err(reason) => (None, Some(reason)),
        };
        Adjusted {
            cohort,
            with,
            strata_used: (self.lines.len() as u32).saturating_sub(strata_left_out),
            strata_left_out,
            rows_left_out,
            crude: Figure::of(&self.crude(confidence)),
            value,
            other,
            difference: Figure::of(&self.difference(confidence)),
            odds_ratio: self.ratio(odds_ratio, confidence),
            rate_ratio: self.ratio(risk_ratio, confidence),
            rate_difference: self.rate_difference(confidence),
            tests,
            no_tests,
            by_stratum: self.by_stratum(confidence),
        }
    }
}

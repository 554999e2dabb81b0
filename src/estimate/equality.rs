//! Tests of the hypothesis that two or more shares are equal, and what goes with them: adjusted p-values and screening rules.
//!
//! | what | formula | source |
//! |---|---|---|
//! | pooled z | (p1 - p2) / sqrt(P (1 - P) (1/n1 + 1/n2)), P the share of both together | Hazelwood School District v. United States 1977; two-SD rule: more than 2 |
//! | chi-squared | sum (observed - expected)^2 / expected, k - 1 degrees of freedom | Pearson 1900; Yates 1934 for the correction |
//! | Fisher's exact test | sum of the probabilities of all tables with the same margins that are no more probable | Fisher 1934 |
//! | adjusted p, family-wise | the greatest (m - i + 1) p up to the i-th smallest | Holm 1979 |
//! | adjusted p, false discoveries | the least m p / i from the i-th smallest on | Benjamini and Hochberg 1995 |
//! | shortfall | P n1 - x1 | Uniform Guidelines questions and answers, practice of the OFCCP |
//! | flip of one | whether one more selection in the cohort and one fewer in the reference turn the order | Uniform Guidelines, question 21 |
//!
//! A share is given as (successes, rows).

use super::probability::ln_hypergeometric;

/// Successes and rows.
pub type Counts = (i64, i64);

fn share((x, n): Counts) -> Option<f64> {
    (n > 0 && (0..=n).contains(&x)).then(|| x as f64 / n as f64)
}

/// The share of both together.
fn pooled((x1, n1): Counts, (x2, n2): Counts) -> Option<f64> {
    share((x1, n1)).and(share((x2, n2))).map(|_| (x1 as f64 + x2 as f64) / (n1 as f64 + n2 as f64))
}

/// Two-sample z with the pooled share, signed as first minus second. None for an empty cohort, or when all or none of both are successes.
pub fn pooled_z(a: Counts, b: Counts) -> Option<f64> {
    let (p1, p2, p) = (share(a)?, share(b)?, pooled(a, b)?);
    let variance = p * (1.0 - p) * (1.0 / a.1 as f64 + 1.0 / b.1 as f64);
    (variance > 0.0).then(|| (p1 - p2) / variance.sqrt())
}

/// P(|Z| >= |z|) of a standard normal.
pub fn normal_p_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// True when the pooled z is beyond two standard deviations.
pub fn two_sd(a: Counts, b: Counts) -> Option<bool> {
    pooled_z(a, b).map(|z| z.abs() > 2.0)
}

/// Successes the first cohort lacks to have the share of both together; negative for a surplus.
pub fn shortfall(a: Counts, b: Counts) -> Option<f64> {
    pooled(a, b).map(|p| p * a.1 as f64 - a.0 as f64)
}

/// True when one success moved from the second cohort (the reference) to the first puts the first ahead: (x1 + 1)/n1 > (x2 - 1)/n2. For a
/// cohort that is behind; of one that is ahead it is true always.
pub fn flip_one_reverses(a: Counts, b: Counts) -> Option<bool> {
    share(a).and(share(b))?;
    let wide = |x: i64, n: i64| i128::from(x) * i128::from(n);
    Some(wide(a.0.saturating_add(1), b.1) > wide(b.0.saturating_sub(1), a.1))
}

/// A chi-squared statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquared {
    pub statistic: f64,
    pub df: u32,
    pub p: f64,
}

/// Pearson's chi-squared of k rows of (successes, failures). Rows without counts are left out. None for fewer than two rows, a negative
/// count, or when all or none are successes.
pub fn chi_squared(table: &[[i64; 2]]) -> Option<ChiSquared> {
    statistic(table, |gap, _| gap)
}

/// The same of two rows with the correction of Yates: every gap is made smaller by a half, or by itself if it is smaller.
pub fn chi_squared_yates(table: [[i64; 2]; 2]) -> Option<ChiSquared> {
    statistic(&table, |gap, _| (gap.abs() - 0.5).max(0.0))
}

fn statistic(table: &[[i64; 2]], gap: impl Fn(f64, f64) -> f64) -> Option<ChiSquared> {
    if table.iter().flatten().any(|&n| n < 0) {
        return None;
    }
    let rows: Vec<[f64; 2]> =
        table.iter().map(|row| row.map(|n| n as f64)).filter(|row| row.iter().sum::<f64>() > 0.0).collect();
    let columns = rows.iter().fold([0.0, 0.0], |sum, row| [sum[0] + row[0], sum[1] + row[1]]);
    let total: f64 = columns.iter().sum();
    if rows.len() < 2 || columns.contains(&0.0) {
        return None;
    }
    let mut statistic = 0.0;
    for row in &rows {
        let n = row[0] + row[1];
        for (observed, column) in row.iter().zip(columns) {
            let expected = n * column / total;
            statistic += gap(observed - expected, expected).powi(2) / expected;
        }
    }
    let df = (rows.len() - 1) as u32;
    Some(ChiSquared { statistic, df, p: chi_squared_p(statistic, df) })
}

/// P(chi-squared with df degrees of freedom >= x). For whole halves the upper incomplete gamma function is a finite sum of positive terms:
/// e^-y y^j / Gamma(j + 1) over j = df/2 - 1, df/2 - 2, ..., down to 0, or down to 1/2 and the normal tail.
pub fn chi_squared_p(x: f64, df: u32) -> f64 {
    if df == 0 || x.is_nan() {
        return f64::NAN;
    }
    let y = 0.5 * x.max(0.0);
    let (mut sum, mut j) = if df.is_multiple_of(2) { (0.0, 0.0) } else { (libm::erfc(y.sqrt()), 0.5) };
    if y == 0.0 {
        return 1.0;
    }
    let last = f64::from(df) / 2.0 - 1.0;
    while j <= last {
        sum += (j * y.ln() - y - libm::lgamma(j + 1.0)).exp();
        j += 1.0;
    }
    sum.min(1.0)
}

/// Tables within this relative distance of the observed probability count as no more probable: equal probabilities differ by rounding.
const TIES: f64 = 1e-7;

/// Fisher's exact test, two-sided, of [[successes, failures] of one, of the other]. None for a negative count.
///
/// Exact to about 1e-11 relative for 10^7 rows; only the tails are summed, not the whole range.
pub fn fisher_two_sided(table: [[i64; 2]; 2]) -> Option<f64> {
    if table.iter().flatten().any(|&n| n < 0) {
        return None;
    }
    let [[a, b], [c, d]] = table.map(|row| row.map(|n| n as f64));
    let (marked, drawn, total) = (a + c, a + b, a + b + c + d);
    let (least, most) = ((marked + drawn - total).max(0.0), marked.min(drawn));
    if least == most || total == 0.0 {
        return Some(1.0);
    }
    let margins = Margins { marked, drawn, total, least, most };
    let observed = margins.ln(a);
    let mode = (((marked + 1.0) * (drawn + 1.0)) / (total + 2.0)).floor().clamp(least, most);
    let limit = observed + TIES;
    if margins.ln(mode) <= limit {
        return Some(1.0);
    }
    let side = if a < mode { 1.0 } else { -1.0 };
    let own = margins.tail(a, -side);
    let other = margins.first_within(limit, mode, side).map_or(0.0, |x| margins.tail(x, side));
    Some((own + other).min(1.0))
}

/// The hypergeometric distribution of the margins of a table of two by two.
struct Margins {
    marked: f64,
    drawn: f64,
    total: f64,
    least: f64,
    most: f64,
}

impl Margins {
    fn ln(&self, x: f64) -> f64 {
        ln_hypergeometric(x, self.marked, self.drawn, self.total)
    }

    /// The value nearest the mode on this side whose logarithm does not exceed the limit; found by halving, as they fall from the mode on.
    fn first_within(&self, limit: f64, mode: f64, side: f64) -> Option<f64> {
        let end = if side > 0.0 { self.most } else { self.least };
        if self.ln(end) > limit {
            return None;
        }
        let (mut above, mut within) = (0.0, (end - mode).abs());
        while within - above > 1.0 {
            let middle = (0.5 * (above + within)).floor();
            if self.ln(mode + side * middle) > limit { above = middle } else { within = middle }
        }
        Some(mode + side * within)
    }

    /// Sum of the probabilities from x to the end on this side, by the ratios of neighbours.
    fn tail(&self, x: f64, side: f64) -> f64 {
        let below = self.total - self.marked - self.drawn;
        let up = |x: f64| (self.marked - x) * (self.drawn - x) / ((x + 1.0) * (below + x + 1.0));
        let (mut at, mut term, mut sum) = (x, 1.0, 1.0);
        loop {
            term *= if side > 0.0 { up(at) } else { 1.0 / up(at - 1.0) };
            at += side;
            let inside = (self.least..=self.most).contains(&at);
            if !inside || term < 1e-18 * sum {
                return sum * self.ln(x).exp();
            }
            sum += term;
        }
    }
}

/// Positions of the p-values from the smallest.
fn order(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    order
}

/// Holm's adjusted p-values, in the order given: a family of them errs with at most the level it is cut at.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let (mut adjusted, mut greatest) = (vec![1.0; p.len()], 0.0f64);
    for (rank, at) in order(p).into_iter().enumerate() {
        greatest = greatest.max((p.len() - rank) as f64 * p[at]);
        adjusted[at] = greatest.min(1.0);
    }
    adjusted
}

/// Adjusted p-values of Benjamini and Hochberg, in the order given: of those cut at a level, the expected share of false ones is at most it.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let (mut adjusted, mut least) = (vec![1.0; p.len()], 1.0f64);
    for (rank, at) in order(p).into_iter().enumerate().rev() {
        least = least.min(p.len() as f64 / (rank + 1) as f64 * p[at]);
        adjusted[at] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests;

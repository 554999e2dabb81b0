//! The Cholesky factor of A = X'WX + P: what is needed of the normal equations, and no more.

use super::{MembershipError, dot};

/// Share of a column's sum of squares below which it is a combination of the columns before it.
const DEPENDENT: f64 = 1e-12;

/// L of A = LL', by rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    rows: Vec<Vec<f64>>,
}

impl Factor {
    /// The factor of a symmetric matrix, given by rows; only the lower triangle is read.
    pub fn of(matrix: &[Vec<f64>]) -> Result<Factor, MembershipError> {
        let size = matrix.len();
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(size);
        for (i, values) in matrix.iter().enumerate() {
            if values.len() <= i {
                return Err(MembershipError::Length {
                    what: "a row of the matrix",
                    found: values.len(),
                    expected: size,
                });
            }
            let mut row: Vec<f64> = Vec::with_capacity(i + 1);
            for (j, value) in values.iter().enumerate().take(i) {
                let known = dot(&row[..j], &rows[j][..j]);
                row.push((value - known) / rows[j][j]);
            }
            let left = values[i] - dot(&row, &row);
            // Not a number either.
            if left.is_nan() || left <= DEPENDENT * values[i] {
                return Err(MembershipError::Dependent(i));
            }
            row.push(left.sqrt());
            rows.push(row);
        }
        Ok(Factor { rows })
    }

    /// The factor of X'WX + P.
    pub(super) fn of_rows(features: &[Vec<f64>], weights: &[f64], penalty: &[f64]) -> Result<Factor, MembershipError> {
        let mut matrix: Vec<Vec<f64>> = (0..penalty.len()).map(|i| vec![0.0; i + 1]).collect();
        for (x, w) in features.iter().zip(weights) {
            for (i, sums) in matrix.iter_mut().enumerate() {
                let scaled = w * x[i];
                sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += scaled * x);
            }
        }
        matrix.iter_mut().zip(penalty).enumerate().for_each(|(i, (sums, penalty))| sums[i] += penalty);
        Factor::of(&matrix)
    }

    pub(super) fn check(&self, columns: usize) -> Result<(), MembershipError> {
        match self.rows.len() == columns {
            true => Ok(()),
            false => Err(MembershipError::Length { what: "the factor", found: self.rows.len(), expected: columns }),
        }
    }

    /// z with Lz = x.
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        let mut z: Vec<f64> = Vec::with_capacity(x.len());
        for (row, x) in self.rows.iter().zip(x) {
            let known = dot(row, &z);
            z.push((x - known) / row[z.len()]);
        }
        z
    }

    /// x'A^-1 x.
    pub(super) fn length(&self, x: &[f64]) -> f64 {
        let z = self.forward(x);
        dot(&z, &z)
    }

    /// b with Ab = right.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut b = self.forward(right);
        for i in (0..b.len()).rev() {
            let known: f64 = (i + 1..b.len()).map(|j| self.rows[j][i] * b[j]).sum();
            b[i] = (b[i] - known) / self.rows[i][i];
        }
        b
    }
}

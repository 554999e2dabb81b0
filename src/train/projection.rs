//! Symmetric matrices with noise in them: eigenvalues, the nearest matrix that is a sum of squares, and the floor under its eigenvalues.
//!
//! Eigenvalues by Jacobi's rotations (Golub and Van Loan, Matrix Computations, 8.5): each rotation makes one element off the diagonal zero
//! and the sum of their squares smaller, until they are below rounding.
//!
//! Noise with variance sigma^2 in every entry of the upper triangle and copied below it is a matrix E of which the spectral norm exceeds
//!
//! sigma (2 sqrt(d) + 2 sqrt(ln(2 / beta)))
//!
//! with probability at most beta when the noise is Gaussian: the mean of the greatest eigenvalue is at most 2 sigma sqrt(d) (Davidson and
//! Szarek 2001, Handbook of the Geometry of Banach Spaces I, theorem 2.11; a smaller diagonal only lowers it), and as a function of the
//! standard normal entries it moves at most sqrt(2) sigma times as far as they do, which gives the second term for both ends.

use super::factor::Symmetric;

/// Probability that the noise is larger than its bound.
const BEYOND: f64 = 0.05;
/// Sweeps over all elements; convergence is quadratic and takes about ten.
const SWEEPS_MAX: usize = 60;

/// Eigenvalues, in no order, with their vectors by columns.
pub struct Eigen {
    pub values: Vec<f64>,
    size: usize,
    vectors: Vec<f64>,
}

impl Eigen {
    pub fn of(matrix: &Symmetric) -> Eigen {
        let n = matrix.size;
        let mut a: Vec<f64> = (0..n).flat_map(|i| matrix.row(i).to_vec()).collect();
        let mut v: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from(at / n == at % n))).collect();
        let all: f64 = a.iter().map(|x| x * x).sum();
        for _ in 0..SWEEPS_MAX {
            let off: f64 = (0..n * n).filter(|at| at / n != at % n).map(|at| a[at] * a[at]).sum();
            if off.is_nan() || off <= 1e-32 * all {
                break;
            }
            for p in 0..n {
                for q in p + 1..n {
                    if a[p * n + q] != 0.0 {
                        rotate(&mut a, &mut v, n, p, q);
                    }
                }
            }
        }
        Eigen { values: (0..n).map(|i| a[i * n + i]).collect(), size: n, vectors: v }
    }

    /// The least eigenvalue; none of an empty matrix.
    pub fn least(&self) -> Option<f64> {
        self.values.iter().copied().reduce(f64::min)
    }

    /// The matrix with these eigenvalues in place of its own.
    fn with(&self, values: &[f64]) -> Symmetric {
        let n = self.size;
        let element = |i: usize, j: usize| {
            (0..n).map(|k| values[k] * self.vectors[i * n + k] * self.vectors[j * n + k]).sum::<f64>()
        };
        Symmetric::of(n, element)
    }
}

/// Turns columns p and q so that the element (p, q) becomes zero.
fn rotate(a: &mut [f64], v: &mut [f64], n: usize, p: usize, q: usize) {
    let half = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
    let tangent = half.signum() / (half.abs() + (half * half + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    let turn = |x: &mut [f64], at: usize, to: usize| {
        let (first, second) = (x[at], x[to]);
        x[at] = cosine * first - sine * second;
        x[to] = sine * first + cosine * second;
    };
    for k in 0..n {
        turn(a, k * n + p, k * n + q);
    }
    for k in 0..n {
        turn(a, p * n + k, q * n + k);
        turn(v, k * n + p, k * n + q);
    }
    a[p * n + q] = 0.0;
    a[q * n + p] = 0.0;
}

/// The nearest matrix without negative eigenvalues (least sum of squared differences; Higham 1988, Linear Algebra and its Applications 103).
pub fn positive(matrix: &Symmetric) -> Symmetric {
    let eigen = Eigen::of(matrix);
    match eigen.least() {
        Some(least) if least < 0.0 => eigen.with(&eigen.values.iter().map(|value| value.max(0.0)).collect::<Vec<_>>()),
        _ => matrix.clone(),
    }
}

/// Bound on the spectral norm of the noise; see the heading.
pub fn noise_norm(size: usize, sigma: f64) -> f64 {
    sigma * (2.0 * (size as f64).sqrt() + 2.0 * libm::log(2.0 / BEYOND).sqrt())
}

/// What must be added to the diagonal for the least eigenvalue to be at least this.
pub fn ridge(matrix: &Symmetric, least: f64) -> f64 {
    Eigen::of(matrix).least().map_or(0.0, |found| (least - found).max(0.0))
}

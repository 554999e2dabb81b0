//! Symmetric matrices and their pivoted Cholesky factor A = R'R.
//!
//! The pivot is the variable with the largest share of its own diagonal left: 1 - R2 of a regression on the variables before it, whatever
//! the units. Below [`DEPENDENT`] the variable counts as a linear combination of them (Golub and Van Loan, Matrix Computations, 4.2.8).

/// Share of a variable's sum of squares below which it is a linear combination of the others.
pub const DEPENDENT: f64 = 1e-12;

/// A symmetric matrix, by rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Symmetric {
    pub size: usize,
    values: Vec<f64>,
}

impl Symmetric {
    pub fn of(size: usize, value: impl Fn(usize, usize) -> f64) -> Symmetric {
        let mut values = vec![0.0; size * size];
        for i in 0..size {
            for j in i..size {
                let value = value(i, j);
                values[i * size + j] = value;
                values[j * size + i] = value;
            }
        }
        Symmetric { size, values }
    }

    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.size + j]
    }

    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.size..(i + 1) * self.size]
    }

    /// The matrix times a vector.
    pub fn times(&self, vector: &[f64]) -> Vec<f64> {
        (0..self.size).map(|i| dot(self.row(i), vector)).collect()
    }

    /// The rows and columns at these positions.
    pub fn part(&self, at: &[usize]) -> Symmetric {
        Symmetric::of(at.len(), |i, j| self.get(at[i], at[j]))
    }

    /// Adds a number to the diagonal.
    pub fn plus_diagonal(&self, value: f64) -> Symmetric {
        Symmetric::of(self.size, |i, j| self.get(i, j) + if i == j { value } else { 0.0 })
    }

    pub fn factor(&self) -> Factor {
        let n = self.size;
        let mut left: Vec<f64> = (0..n).map(|i| self.get(i, i)).collect();
        let mut factor = Factor { size: n, order: Vec::new(), rows: Vec::new() };
        let mut waiting: Vec<usize> = (0..n).collect();
        loop {
            let share = |i: usize| if self.get(i, i) > 0.0 { left[i] / self.get(i, i) } else { 0.0 };
            let Some(at) = (0..waiting.len()).reduce(|a, b| if share(waiting[b]) > share(waiting[a]) { b } else { a })
            else {
                break;
            };
            let pivot = waiting[at];
            if share(pivot).is_nan() || share(pivot) <= DEPENDENT {
                break;
            }
            let root = left[pivot].sqrt();
            let mut row = vec![0.0; n];
            for &i in &waiting {
                let known: f64 = factor.rows.iter().map(|earlier: &Vec<f64>| earlier[pivot] * earlier[i]).sum();
                row[i] = if i == pivot { root } else { (self.get(pivot, i) - known) / root };
                left[i] -= row[i] * row[i];
            }
            waiting.remove(at);
            factor.order.push(pivot);
            factor.rows.push(row);
        }
        factor
    }
}

/// Rows of R, columns in the order of the matrix.
pub struct Factor {
    size: usize,
    /// Variables in the order they were taken; the others depend on them.
    pub order: Vec<usize>,
    pub rows: Vec<Vec<f64>>,
}

impl Factor {
    pub fn is_full(&self) -> bool {
        self.order.len() == self.size
    }

    /// z with R'z = right, over the variables taken.
    pub fn forward(&self, right: &[f64]) -> Vec<f64> {
        let mut z: Vec<f64> = Vec::with_capacity(self.order.len());
        for (k, &pivot) in self.order.iter().enumerate() {
            let known: f64 = (0..k).map(|l| self.rows[l][pivot] * z[l]).sum();
            z.push((right[pivot] - known) / self.rows[k][pivot]);
        }
        z
    }

    /// x with Rx = z; zero for variables not taken.
    fn backward(&self, z: &[f64]) -> Vec<f64> {
        let mut x = vec![0.0; self.size];
        for (k, &pivot) in self.order.iter().enumerate().rev() {
            let known: f64 = self.order[k + 1..].iter().map(|&later| self.rows[k][later] * x[later]).sum();
            x[pivot] = (z[k] - known) / self.rows[k][pivot];
        }
        x
    }

    /// x with Ax = right, of a full factor.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        self.backward(&self.forward(right))
    }

    /// The inverse of A, of a full factor.
    pub fn inverse(&self) -> Symmetric {
        let unit = |j: usize| (0..self.size).map(|i| f64::from(u8::from(i == j))).collect::<Vec<_>>();
        let columns: Vec<Vec<f64>> = (0..self.size).map(|j| self.solve(&unit(j))).collect();
        Symmetric::of(self.size, |i, j| columns[j][i])
    }

    /// Variables that were not taken, each with the weights of the others that make it up.
    pub fn dependent(&self) -> Vec<(usize, Vec<f64>)> {
        let left = (0..self.size).filter(|i| !self.order.contains(i));
        left.map(|i| (i, self.backward(&self.rows.iter().map(|row| row[i]).collect::<Vec<_>>()))).collect()
    }
}

pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

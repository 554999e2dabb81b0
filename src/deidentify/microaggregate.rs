//! Microaggregation by MDAV: groups of at least k similar rows, each written as the mean of its group.
//!
//! Domingo-Ferrer, Torra 2005. While 3k rows remain: the row farthest from their mean with its k - 1 nearest is a group, and so is the row farthest
//! from that one with its k - 1 nearest. Of 2k to 3k - 1 remaining rows, one more group of k around the farthest from the mean; the others
//! are the last group. Distances are Euclidean over standardised columns. Ties go to the row that is first when rows are sorted by
//! value, so the order of the rows does not show. Time grows with the square of the number of rows.

use crate::deidentify::classes::ModelError;

/// Rows in groups, and what they are written as.
#[derive(Debug, Clone, PartialEq)]
pub struct Microaggregation {
    /// Group of every row.
    pub groups: Vec<u32>,
    /// Rows in every group.
    pub sizes: Vec<usize>,
    /// For every column, the group's mean in every row.
    pub columns: Vec<Vec<f64>>,
    /// Within-group sum of squares over total sum of squares, over standardised columns; none when all rows are equal.
    pub information_loss: Option<f64>,
}

/// Values of greater magnitude are refused: their squares would overflow.
const MAGNITUDE_MAX: f64 = 1e100;

/// Groups rows of numeric columns, all of the same length.
pub fn microaggregate(columns: &[Vec<f64>], k: usize) -> Result<Microaggregation, ModelError> {
    let rows = columns.first().map_or(0, Vec::len);
    if k == 0 || rows < k || columns.iter().any(|column| column.len() != rows) {
        return Err(ModelError::Groups);
    }
    for (at, column) in columns.iter().enumerate() {
        if let Some(row) = column.iter().position(|value| value.is_nan() || value.abs() > MAGNITUDE_MAX) {
            return Err(ModelError::Value { column: at, row });
        }
    }
    let mut order: Vec<usize> = (0..rows).collect();
    let by_value = |&a: &usize, &b: &usize| {
        columns.iter().map(|column| column[a].total_cmp(&column[b])).find(|o| o.is_ne()).unwrap_or(a.cmp(&b))
    };
    order.sort_unstable_by(by_value);
    let points = standardised(columns, &order);
    let members = mdav(&points, k);
    let mut result = Microaggregation {
        groups: vec![0; rows],
        sizes: members.iter().map(Vec::len).collect(),
        columns: vec![vec![0.0; rows]; columns.len()],
        information_loss: None,
    };
    for (group, members) in members.iter().enumerate() {
        members.iter().for_each(|&point| result.groups[order[point]] = group as u32);
        for (from, to) in columns.iter().zip(&mut result.columns) {
            let mean = members.iter().map(|&point| from[order[point]]).sum::<f64>() / members.len() as f64;
            members.iter().for_each(|&point| to[order[point]] = mean);
        }
    }
    let all: Vec<usize> = (0..rows).collect();
    let total = scatter(&points, &all);
    let within: f64 = members.iter().map(|members| scatter(&points, members)).sum();
    result.information_loss = (total > 0.0).then(|| within / total);
    Ok(result)
}

/// Rows in the order given, every column with mean 0 and variance 1; a column of one value becomes 0.
fn standardised(columns: &[Vec<f64>], order: &[usize]) -> Vec<Vec<f64>> {
    let rows = order.len() as f64;
    let mut points = vec![Vec::with_capacity(columns.len()); order.len()];
    for column in columns {
        let mean = order.iter().map(|&row| column[row]).sum::<f64>() / rows;
        let variance = order.iter().map(|&row| (column[row] - mean).powi(2)).sum::<f64>() / rows;
        // One value throughout, whose mean may be rounded.
        let constant = order.iter().all(|&row| column[row] == column[order[0]]);
        let scale = if constant || variance == 0.0 { 0.0 } else { 1.0 / variance.sqrt() };
        for (point, &row) in points.iter_mut().zip(order) {
            point.push((column[row] - mean) * scale);
        }
    }
    points
}

/// The members of every group, ascending.
fn mdav(points: &[Vec<f64>], k: usize) -> Vec<Vec<usize>> {
    let mut rest: Vec<usize> = (0..points.len()).collect();
    let mut groups = Vec::new();
    while rest.len() >= 3 * k {
        let first = farthest(points, &rest, &mean(points, &rest));
        let opposite = farthest(points, &rest, &points[first]);
        groups.push(nearest(points, &mut rest, &points[first], k));
        // The opposite row may have been among the nearest when many rows are equal.
        let opposite = if rest.contains(&opposite) { opposite } else { farthest(points, &rest, &points[first]) };
        groups.push(nearest(points, &mut rest, &points[opposite], k));
    }
    if rest.len() >= 2 * k {
        let first = farthest(points, &rest, &mean(points, &rest));
        groups.push(nearest(points, &mut rest, &points[first], k));
    }
    groups.push(rest);
    groups
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

fn mean(points: &[Vec<f64>], members: &[usize]) -> Vec<f64> {
    let width = points.first().map_or(0, Vec::len);
    (0..width).map(|at| members.iter().map(|&point| points[point][at]).sum::<f64>() / members.len() as f64).collect()
}

/// The member farthest from a place, the first of equals. There is at least one member.
fn farthest(points: &[Vec<f64>], members: &[usize], from: &[f64]) -> usize {
    let mut found = (members[0], -1.0);
    for &point in members {
        let far = distance(&points[point], from);
        if far > found.1 {
            found = (point, far);
        }
    }
    found.0
}

/// Takes the k members nearest to a place, the first of equals, out of the list.
fn nearest(points: &[Vec<f64>], members: &mut Vec<usize>, to: &[f64], k: usize) -> Vec<usize> {
    let mut near: Vec<(f64, usize)> = members.iter().map(|&point| (distance(&points[point], to), point)).collect();
    let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if k < near.len() {
        near.select_nth_unstable_by(k, order);
        near.truncate(k);
    }
    let mut group: Vec<usize> = near.into_iter().map(|(_, point)| point).collect();
    group.sort_unstable();
    members.retain(|point| group.binary_search(point).is_err());
    group
}

/// Sum of squared distances to the members' mean.
fn scatter(points: &[Vec<f64>], members: &[usize]) -> f64 {
    let mean = mean(points, members);
    members.iter().map(|&point| distance(&points[point], &mean)).sum()
}

#[cfg(test)]
mod tests;

//! p-values of several tests together: Holm 1979 (family-wise), Benjamini and Hochberg 1995 (false discoveries).

/// p times the number of tests that are not yet decided, in ascending order and never falling.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut most: f64 = 0.0;
    for (rank, &i) in order.iter().enumerate() {
        most = most.max((p[i] * (p.len() - rank) as f64).min(1.0));
        adjusted[i] = most;
    }
    adjusted
}

/// p times tests / rank, in descending order and never rising.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least: f64 = 1.0;
    for (from_last, &i) in order.iter().enumerate() {
        least = least.min(p[i] * p.len() as f64 / (p.len() - from_last) as f64);
        adjusted[i] = least;
    }
    adjusted
}

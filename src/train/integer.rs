//! From coefficients in floating point to the integer predictor, with the greatest difference between the two.
//!
//! eta = b0 + sum b_j z_j with z_j in [-1, 1] on the declared bounds. In integers: round(b_j 2^(bits - 20)) times q_j at 2^-20, plus
//! round(b0 2^bits). bits is the greatest for which the absolute coefficients sum to at most 2^32 and |eta| stays below 2^53.

use super::TrainError;
use crate::demand::Fixed;
use crate::plan::spec::ModelKind;
use crate::scalar::{Link, Predictor, link};

/// Bits of an input.
const INPUT_BITS: i32 = 20;
const COEFFICIENTS_MAX: f64 = (1u64 << 32) as f64;
const ETA_MAX: f64 = (1u64 << 53) as f64;

/// The predictor, and the greatest difference to b0 + sum b_j z_j over the declared bounds.
pub fn rounded(kind: ModelKind, columns: &[Fixed], b: &[f64], b0: f64) -> Result<(Predictor, f64), TrainError> {
    // The link's table has a step of 2^-10 and takes arguments of at most 52 bits; without a link a unit of 2^-100 is the finest.
    let (least, most) = match kind {
        ModelKind::Logistic => (10, 52),
        ModelKind::Linear => (0, 100),
    };
    let size = b.iter().map(|b| b.abs()).sum::<f64>();
    let fits = |bits: i32| {
        let half = 0.5 * b.len() as f64;
        let eta = (size + b0.abs()) * 2f64.powi(bits) + (half + 1.0) * 2f64.powi(INPUT_BITS);
        size * 2f64.powi(bits - INPUT_BITS) + half <= COEFFICIENTS_MAX && eta < ETA_MAX
    };
    let Some(bits) = (least..=most).rev().find(|&bits| fits(bits)) else {
        return Err(TrainError::Failed(format!(
            "the predictor reaches {:.1e}, which is too large to be computed exactly: rescale the target, narrow the declared bounds, or raise the penalty",
            size + b0.abs()
        )));
    };
    let unit = 2f64.powi(bits);
    let coefficients: Vec<i64> = b.iter().map(|b| libm::round(b * 2f64.powi(bits - INPUT_BITS)) as i64).collect();
    let predictor = Predictor {
        bounds: columns.iter().map(|column| (column.lower, column.upper)).collect(),
        coefficients,
        intercept: libm::round(b0 * unit) as i64,
        bits: bits as u32,
    };
    let (kept, kept0) = floats(&predictor);
    let rounding: f64 =
        b.iter().zip(&kept).map(|(b, kept)| (b - kept).abs() + kept.abs() * 2f64.powi(-INPUT_BITS - 1)).sum();
    // The last term: rounding of the comparison itself.
    let gap = (b0 - kept0).abs() + rounding + (size + b0.abs()) * 2f64.powi(-50);
    Ok((predictor, gap))
}

/// The coefficients of z and the intercept that a predictor stands for.
pub fn floats(predictor: &Predictor) -> (Vec<f64>, f64) {
    predictor.floats()
}

/// The least predictor whose published probability is at least the threshold.
pub fn threshold(probability: f64, bits: u32) -> i64 {
    let one = (1u64 << link::VALUE_BITS) as f64;
    let reaches = |eta: i64| Link::Sigmoid.units(eta, bits) as f64 / one >= probability;
    let (mut below, mut above) = (-(1i64 << 53), 1i64 << 53);
    if reaches(below) {
        return below;
    }
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if reaches(middle) { above = middle } else { below = middle }
    }
    above
}

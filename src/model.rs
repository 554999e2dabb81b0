//! A trained model in integers: what every engine can score without a float deciding a bit.
//!
//! The predictor is an exact integer; the score is one published table of it (`scalar::link`), a decision one integer comparison.

use std::sync::Arc;

use crate::audit::ModelCard;
use crate::plan::spec::ModelKind;
use crate::scalar::{Arithmetic, Expr, Link, Order, Predictor, Scalar};

mod candidate;

pub use candidate::{Candidate, NotTried, Rule};

/// A linear or logistic model over the columns of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub kind: ModelKind,
    pub predictor: Arc<Predictor>,
    /// One expression per coefficient of the predictor.
    pub inputs: Vec<Scalar>,
    /// A logistic model decides 1 when the predictor is at least this, in units of 2^-bits.
    pub threshold: i64,
    pub card: ModelCard,
}

impl Model {
    /// The linear predictor in units of 2^-bits.
    pub fn eta(&self) -> Scalar {
        Expr::Predictor(self.predictor.clone(), self.inputs.clone())
    }

    /// The probability of label 1 under a logistic model.
    pub fn score(&self) -> Scalar {
        probability(&self.predictor, self.inputs.clone())
    }

    /// The decision of a logistic model.
    pub fn decision(&self) -> Scalar {
        Expr::Compare(Order::GreaterEqual, Box::new(self.eta()), Box::new(Scalar::number(self.threshold as f64)))
    }

    /// -ln of the probability given to the true label.
    pub fn log_loss(&self, label: &Scalar) -> Scalar {
        let softplus = |eta: Scalar| Expr::Link(Link::Softplus, self.predictor.bits, Box::new(eta));
        let negative = softplus(Expr::Negate(Box::new(self.eta())));
        Expr::Case(vec![(label.clone(), negative), (Expr::Not(Box::new(label.clone())), softplus(self.eta()))], None)
    }

    /// The prediction of a linear model in the target's unit.
    pub fn prediction(&self) -> Scalar {
        let unit = Scalar::number((2.0f64).powi(-(self.predictor.bits as i32)));
        Expr::Arithmetic(Arithmetic::Multiply, Box::new(self.eta()), Box::new(unit))
    }
}

/// The probability of label 1 by the published table of an integer predictor.
pub fn probability(predictor: &Arc<Predictor>, inputs: Vec<Scalar>) -> Scalar {
    Expr::Link(Link::Sigmoid, predictor.bits, Box::new(Expr::Predictor(predictor.clone(), inputs)))
}

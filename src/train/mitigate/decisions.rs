//! Rules that decide by cohort from a score, chosen on rows that effects are not measured on.

use super::curve::{Curve, Cut, NOBODY, alike, reject_option};
use super::odds::equalized;
use crate::model::{Candidate, NotTried, Rule};
use crate::plan::mitigated::Mitigated;
use crate::plan::spec::Remedy;
use crate::scalar::{Expr, Order, Scalar};

/// What rules are chosen on.
pub struct Scores<'a> {
    pub mitigated: &'a Mitigated,
    /// One for each cohort.
    pub curves: Vec<Curve>,
    pub score: Scalar,
    /// The decision of rows of no cohort, and of cohorts that have too few rows for a rule.
    pub before: Scalar,
    /// The score from which a decision is 1 where it does not look at the cohort.
    pub threshold: f64,
    pub support_min: u64,
}

impl Scores<'_> {
    /// Positions of the cohorts that have enough rows for a rule.
    fn supported(&self, remedy: Remedy) -> Vec<usize> {
        let least = self.support_min.max(1);
        let enough = |curve: &Curve| match remedy {
            Remedy::EqualOpportunityThresholds => curve.positives >= least,
            Remedy::EqualizedOdds => curve.positives >= least && curve.negatives() >= least,
            _ => curve.rows >= least,
        };
        (0..self.curves.len()).filter(|&at| enough(&self.curves[at])).collect()
    }

    /// The rule of a remedy.
    pub fn candidate(&self, remedy: Remedy) -> Result<Candidate, NotTried> {
        let chosen = self.supported(remedy);
        if chosen.len() < 2 {
            let why =
                format!("fewer than two cohorts have the {} rows that a rule is chosen on", self.support_min.max(1));
            return Err(NotTried { remedy, why });
        }
        let curves: Vec<Curve> = chosen.iter().map(|&at| self.curves[at].clone()).collect();
        let mut made = Vec::new();
        let left = self.curves.len() - chosen.len();
        if left > 0 {
            made.push(format!("{left} cohorts have fewer rows than a rule needs; they are decided as before."));
        }
        match remedy {
            Remedy::EqualizedOdds => self.drawn(&chosen, &curves, made),
            Remedy::RejectOption => {
                let (margin, cuts) = reject_option(&curves, self.threshold);
                made.push(format!("Scores less than {margin:.3} from the threshold {:.3} are decided 1 in cohorts of which fewer than overall were selected and 0 in the others (Kamiran, Karim and Zhang 2012, ICDM); of 101 margins the least that leaves the smallest difference in selection rates.", self.threshold));
                Ok(self.cut(remedy, &chosen, &curves, cuts, made))
            }
            _ => {
                let (what, cuts) = match remedy {
                    Remedy::EqualOpportunityThresholds => {
                        ("true positive rates", alike(&curves, &Curve::true_positive, self.threshold))
                    }
                    _ => ("selection rates", alike(&curves, &Curve::selection, self.threshold)),
                };
                made.push(format!("One threshold for each cohort, with {what} as nearly alike as the scores allow; of all such, those of least cost of errors, where a false positive costs {:.3} and a false negative {:.3} (Hardt, Price and Srebro 2016, NeurIPS).", self.threshold, 1.0 - self.threshold));
                Ok(self.cut(remedy, &chosen, &curves, cuts, made))
            }
        }
    }

    fn reaches(&self, at: f64) -> Scalar {
        Expr::Compare(Order::GreaterEqual, Box::new(self.score.clone()), Box::new(Scalar::number(at)))
    }

    fn cut(&self, remedy: Remedy, chosen: &[usize], curves: &[Curve], cuts: Vec<Cut>, made: Vec<String>) -> Candidate {
        let rule = |(&at, cut): (&usize, &Cut)| (self.mitigated.conditions[at].clone(), self.reaches(cut.at));
        let rules = chosen.iter().zip(&cuts).map(rule).collect();
        let said = |((&at, curve), cut): ((&usize, &Curve), &Cut)| {
            let from = match cut.at >= NOBODY {
                true => "nobody is decided 1".into(),
                false => format!("1 from a score of {:.4}", cut.at),
            };
            let rates = format!(
                "of {} rows it was chosen on {:.3} are decided 1, of those of label 1 {:.3}",
                curve.rows,
                curve.selection(cut),
                curve.true_positive(cut)
            );
            (self.mitigated.cohorts[at].levels(), format!("{from}; {rates}"))
        };
        let settings = chosen.iter().zip(curves).zip(&cuts).map(said).collect();
        let rule = Rule::Decision(Candidate::by_cohort(rules, self.before.clone()));
        Candidate { id: remedy.id().into(), remedy, rule, model: None, made, settings }
    }

    fn drawn(&self, chosen: &[usize], curves: &[Curve], mut made: Vec<String>) -> Result<Candidate, NotTried> {
        let remedy = Remedy::EqualizedOdds;
        let odds =
            equalized(curves, self.threshold).ok_or(NotTried { remedy, why: "a cohort has one label only".into() })?;
        let (mut chances, mut rules, mut settings) = (Vec::new(), Vec::new(), Vec::new());
        for (&at, draw) in chosen.iter().zip(&odds.draws) {
            let first = chances.len() as f64;
            let plateau = |k: f64| Scalar::number(first + k);
            let below = Expr::Not(Box::new(self.reaches(draw.lower)));
            let rule = vec![
                (self.reaches(draw.upper), plateau(2.0)),
                (self.reaches(draw.lower), plateau(1.0)),
                (below, plateau(0.0)),
            ];
            rules.push((self.mitigated.conditions[at].clone(), Expr::Case(rule, None)));
            chances.extend(draw.chances);
            let [low, middle, high] = draw.chances;
            let ends = |x: f64| if x >= NOBODY { "no score".to_string() } else { format!("{x:.4}") };
            settings.push((
                self.mitigated.cohorts[at].levels(),
                format!(
                    "1 with chance {low:.3} below {}, {middle:.3} from there, {high:.3} from {}",
                    ends(draw.lower),
                    ends(draw.upper)
                ),
            ));
        }
        let first = chances.len() as f64;
        let before = vec![
            (self.before.clone(), Scalar::number(first + 1.0)),
            (Expr::Not(Box::new(self.before.clone())), Scalar::number(first)),
        ];
        chances.extend([0.0, 1.0]);
        made.push(format!("A draw between two thresholds for each cohort, for a false positive rate of {:.3} and a true positive rate of {:.3} in all (Hardt, Price and Srebro 2016, NeurIPS). The draw is a public hash of the row's key: the same row is always decided alike, and who knows the key can know the decision.", odds.false_positive, odds.true_positive));
        let plateau = Candidate::by_cohort(rules, Expr::Case(before, None));
        let rule = Rule::Lottery { plateau, chances };
        Ok(Candidate { id: remedy.id().into(), remedy, rule, model: None, made, settings })
    }
}

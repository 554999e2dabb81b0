//! Distances between the scores, predictions and residuals of cohorts, and the values of cohorts that belong to them.
//!
//! Of the worst pair all pairs are held at once; against everyone a cohort is compared with everyone else, not with a whole it is part of.
//! Of two cohorts the sign is kept; of the worst pair it is the size.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::Context;
use crate::audit::Reading;
use crate::demand::{Axis, Demand, Shape, hash};
use crate::estimate::{BUCKETS, BUCKETS_MIN, Estimate, Family, Measured, Method, Support, Why};
use crate::evidence::Missing;
use crate::measure::suppression::{Layer, Protection};
use crate::measure::{Cohorts, Group, Subject, noise};
use crate::metric::Needs;
use crate::plan::Plan;
use crate::scalar::Scalar;
use crate::schema::{Domain, Role};
use crate::statistic::Bins;

pub mod curve;
mod deviations;
pub mod means;
mod pairs;
mod regression;
pub mod samples;
pub mod scores;

use curve::{Body, Curves, Spreads};
use deviations::{Deviations, Norm, Of, scale};
use means::Signed;
use pairs::{Other, Pairwise, Worst};

/// Bins of predictions where there are too many distinct ones.
const BINS: u32 = 4000;

/// A histogram of predictions where a metric needs one. Scores have theirs already.
pub fn demands(plan: &Plan, subject: &Subject) -> Vec<Demand> {
    let wanted = crate::measure::measured(plan, subject);
    let needed = wanted.iter().any(|card| card.needs == Needs::Prediction);
    let Some(of) = subject.prediction.clone().filter(|_| needed && plan.spec.privacy.is_none()) else {
        return Vec::new();
    };
    let levels = |attribute: &crate::cohort::Attribute| Axis::Levels {
        of: Scalar::column(&attribute.name),
        levels: attribute.levels.clone(),
    };
    let mut by: Vec<Axis> = plan.attributes.iter().map(levels).collect();
    by.extend(noise::buckets(plan).then(|| Axis::buckets(plan.key.clone(), plan.salt("bucket"), BUCKETS)));
    let shape = Shape::Histogram { by, of, bins: bins(plan, subject) };
    vec![Demand { name: "measure/prediction".into(), rows: plan.part(Plan::TEST), shape }]
}

/// Equal bins over twice the interval of the target, whose middle half it is; of the prediction's where there is no target.
fn bins(plan: &Plan, subject: &Subject) -> Option<Bins> {
    let of_target = subject.target.as_ref().map(|target| (target.lower, target.upper));
    let declared = || {
        plan.schema.with(Role::Prediction).find_map(|column| match column.domain {
            Domain::Bounds { lower, upper } => Some((lower, upper)),
            Domain::Levels(_) | Domain::Open => None,
        })
    };
    let (lower, upper) = of_target.or_else(declared)?;
    let half = (upper - lower) / 2.0;
    (half > 0.0 && half.is_finite()).then_some(Bins { lower: lower - half, upper: upper + half, count: BINS })
}

/// Computes every distance that is measured.
pub fn measure(context: &Context, readings: &mut Vec<Reading>, notes: &mut Vec<String>) -> Result<(), Missing> {
    if context.plan.spec.privacy.is_some() {
        return Ok(());
    }
    scores::measure(context, readings, notes)?;
    regression::measure(context, readings, notes)
}

/// Values of every cohort, made once.
struct Bodies {
    everyone: Body,
    of: BTreeMap<(Vec<usize>, Vec<u32>), Body>,
    none: Body,
}

impl Bodies {
    fn of(cohorts: &Cohorts, spreads: &Spreads) -> Bodies {
        let groups = cohorts.sets.iter().flat_map(|set| &set.groups);
        let of = groups.map(|group| ((group.attributes.clone(), group.codes.clone()), spreads.body(group))).collect();
        Bodies { everyone: spreads.body(&cohorts.everyone), of, none: Body::default() }
    }

    fn get(&self, group: &Group) -> &Body {
        match group.attributes.is_empty() {
            true => &self.everyone,
            false => self.of.get(&(group.attributes.clone(), group.codes.clone())).unwrap_or(&self.none),
        }
    }

    fn set<'b>(&'b self, context: &'b Context, set: usize) -> Vec<&'b Body> {
        context.cohorts.sets.get(set).map_or(Vec::new(), |set| set.groups.iter().map(|group| self.get(group)).collect())
    }
}

/// What a metric is written with.
struct Place<'a> {
    context: &'a Context<'a>,
    protection: &'a Protection,
    layer: Layer,
    set: usize,
    id: &'static str,
}

/// A distance of two cohorts.
#[derive(Clone, Copy)]
struct Distance {
    of: Of,
    norm: Norm,
    /// Greatest possible value.
    upper: f64,
}

fn support(m: f64, n: f64) -> Support {
    let n = m.min(n);
    Support { n: n as i64, n_effective: n }
}

impl Distance {
    fn between(&self, a: &Curves, b: &Curves) -> Option<f64> {
        let label = |label: usize| (&a.label[label], &b.label[label]);
        let (x, y) = match self.of {
            Of::All => (&a.all, &b.all),
            Of::Label(at) => label(at.min(1)),
            Of::Roc => return curve::abroca(&a.label, &b.label),
        };
        match self.norm {
            Norm::Greatest => curve::kolmogorov_smirnov(x, y),
            Norm::Area => curve::wasserstein(x, y),
        }
    }

    /// Why there is no distance of a cohort.
    fn lacks(&self, body: &Body, other: bool) -> Option<Why> {
        let rows = self.of.rows(&body.whole);
        let filled = || body.parts.iter().filter(|part| self.of.rows(part) > 0.0).count();
        match rows {
            _ if rows <= 0.0 && self.of == Of::Roc && curve::total(&body.whole.all) > 0.0 => Some(Why::OneClass),
            _ if rows <= 0.0 && other => Some(Why::EmptyComparison),
            _ if rows <= 0.0 => Some(Why::EmptyDenominator),
            _ if rows < 2.0 => Some(Why::TooFewRows),
            _ if !body.parts.is_empty() && filled() < BUCKETS_MIN => Some(Why::TooFewBuckets),
            _ => None,
        }
    }

    fn one(&self, place: &Place, seed: &str, a: &Body, b: &Body) -> Measured {
        if let Some(why) = self.lacks(a, false).or_else(|| self.lacks(b, true)) {
            return Measured::Undefined { why };
        }
        let Some(point) = self.between(&a.whole, &b.whole) else {
            return Measured::Undefined { why: Why::EmptyDenominator };
        };
        let (m, n) = (self.of.rows(&a.whole), self.of.rows(&b.whole));
        let deviations = self.deviations(place, seed, &[a, b]);
        let pairs = [(point, scale(m, n))];
        let confidence = place.context.plan.spec.measure.confidence;
        Measured::Estimated(Estimate::distances(&pairs, deviations, self.upper, support(m, n), confidence))
    }

    fn deviations(&self, place: &Place, seed: &str, bodies: &[&Body]) -> Vec<f64> {
        let plan = place.context.plan;
        let seed = hash(&plan.salt("bootstrap"), format!("{}|{seed}", place.id).as_bytes());
        let of: Vec<(&Curves, &[Curves])> = bodies.iter().map(|body| (&body.whole, body.parts.as_slice())).collect();
        Deviations::of(&of, self.of, self.norm).draw(&mut StdRng::seed_from_u64(seed), plan.spec.measure.replicates)
    }

    fn worst(&self, place: &Place, seed: &str, bodies: &[&Body], compared: &[usize]) -> Option<Worst> {
        let lacks = compared.iter().find_map(|&i| self.lacks(bodies[i], false));
        let (mut pairs, mut greatest) = (Vec::new(), (-1.0, 0, 0));
        for (at, &i) in compared.iter().enumerate() {
            for &j in &compared[at + 1..] {
                let (a, b) = (&bodies[i].whole, &bodies[j].whole);
                let Some(d) = self.between(a, b) else { continue };
                pairs.push((d, scale(self.of.rows(a), self.of.rows(b))));
                if d > greatest.0 {
                    greatest = (d, i, j);
                }
            }
        }
        let (_, cohort, with) = greatest;
        if let Some(why) = lacks {
            return Some(Worst { cohort, with, measured: Measured::Undefined { why } });
        }
        let rows = |i: usize| self.of.rows(&bodies[i].whole);
        let chosen: Vec<&Body> = compared.iter().map(|&i| bodies[i]).collect();
        let deviations = self.deviations(place, seed, &chosen);
        let confidence = place.context.plan.spec.measure.confidence;
        let support = support(rows(cohort), rows(with));
        let estimate = Estimate::distances(&pairs, deviations, self.upper, support, confidence);
        Some(Worst { cohort, with, measured: Measured::Estimated(estimate) })
    }

    /// Adds the readings of a set.
    fn write(&self, place: &Place, bodies: &Bodies, readings: &mut Vec<Reading>) {
        let of = bodies.set(place.context, place.set);
        let rows = |i: usize| self.of.rows(&of[i].whole);
        let seed = |what: String| format!("{}|{what}", place.set);
        let one = |i: usize, other: Other| match other {
            Other::Group(j) => self.one(place, &seed(format!("{i}|{j}")), of[i], of[j]),
            Other::Rest => self.one(place, &seed(format!("{i}")), of[i], &bodies.everyone.without(of[i])),
        };
        let worst = |compared: &[usize]| self.worst(place, &seed("worst".into()), &of, compared);
        let metric = Pairwise { id: place.id, layer: place.layer, rows: &rows, one: &one, worst: &worst };
        pairs::write(place.context, place.protection, place.set, &metric, readings);
    }
}

/// A signed figure of two cohorts.
struct Figures<'f> {
    rows: &'f dyn Fn(usize) -> f64,
    rest: &'f dyn Fn(usize) -> f64,
    of: &'f dyn Fn(usize, Other) -> Result<Signed, Why>,
    /// Greatest possible size.
    upper: f64,
    method: Method,
}

impl Figures<'_> {
    fn one(&self, place: &Place, i: usize, other: Other) -> Measured {
        let n = match other {
            Other::Group(j) => (self.rows)(j),
            Other::Rest => (self.rest)(i),
        };
        let confidence = place.context.plan.spec.measure.confidence;
        signed((self.of)(i, other), self.upper, ((self.rows)(i), n), self.method, confidence)
    }

    fn worst(&self, place: &Place, compared: &[usize]) -> Option<Worst> {
        let (mut figures, mut greatest, mut least): (Vec<(f64, f64)>, _, Option<f64>) =
            (Vec::new(), (-1.0, 0, 0), None);
        for (at, &i) in compared.iter().enumerate() {
            for &j in &compared[at + 1..] {
                let Signed { point, se, df } = match (self.of)(i, Other::Group(j)) {
                    Ok(signed) => signed,
                    Err(why) => return Some(Worst { cohort: i, with: j, measured: Measured::Undefined { why } }),
                };
                figures.push((point.abs(), se));
                least = match (least, df) {
                    (Some(least), Some(df)) => Some(least.min(df)),
                    (least, df) => least.or(df),
                };
                if point.abs() > greatest.0 {
                    greatest = if point < 0.0 { (point.abs(), i, j) } else { (point.abs(), j, i) };
                }
            }
        }
        let (_, cohort, with) = greatest;
        let confidence = place.context.plan.spec.measure.confidence;
        // Not all of these are differences of independent figures, so the studentized range does not hold: every pair is one of a family.
        let (joint, support) = (Family(figures.len()), support((self.rows)(cohort), (self.rows)(with)));
        let estimate = Estimate::greatest(&figures, joint, least, self.upper, support, confidence);
        Some(Worst { cohort, with, measured: Measured::Estimated(estimate) })
    }

    fn write(&self, place: &Place, readings: &mut Vec<Reading>) {
        let one = |i: usize, other: Other| self.one(place, i, other);
        let worst = |compared: &[usize]| self.worst(place, compared);
        let metric = Pairwise { id: place.id, layer: place.layer, rows: self.rows, one: &one, worst: &worst };
        pairs::write(place.context, place.protection, place.set, &metric, readings);
    }
}

/// A signed figure with its interval; the rows are those of both cohorts.
fn signed(of: Result<Signed, Why>, upper: f64, (n, m): (f64, f64), method: Method, confidence: f64) -> Measured {
    match of {
        Err(why) => Measured::Undefined { why },
        Ok(Signed { point, se, df }) => {
            let (bounds, support) = ((-upper, upper), support(n, m));
            Measured::Estimated(Estimate::with_error(point, (se, df), bounds, support, method, confidence))
        }
    }
}

/// How an error of a signed figure was made.
fn method(dependent: bool, plain: Method) -> Method {
    if dependent { Method::Jackknife } else { plain }
}

#[cfg(test)]
mod tests;

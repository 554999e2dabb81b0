//! The parity family: figures of more than one rate, of sizes and of distributions, from the table and the histogram of scores.
//!
//! A figure of two cohorts is written where its parts can be compared: of a worst pair over the cohorts for which every part has a value and
//! rows enough, so that one cohort without a denominator neither decides it nor makes it zero.

use super::Context;
use crate::audit::{Contrast, Reading};
use crate::cohort::Cohort;
use crate::estimate::{
    Combination, Compared, Estimate, Join, Measured, Method, Sample, Share, Support, Why, contrast, join,
};
use crate::evidence::Missing;
use crate::measure::scores::Scores;
use crate::measure::suppression::{Layer, Protection};
use crate::measure::{Group, Writer, emit, rates};
use crate::metric::parity::{
    BALANCE, CLASS_IMBALANCE, CONDITIONAL_DISPARITY, DEMOGRAPHIC_DISPARITY, DIVERGENCES, FIGURES, JOINED,
    SHARE_OF_SELECTED,
};
use crate::metric::{Against, Card, Comparison, Confusion, Needs, PARITY, RATES, forms};
use crate::statistic::Cell;

/// Writes the readings of every metric of the family that is wanted.
pub fn measure(context: &Context, readings: &mut Vec<Reading>, notes: &mut Vec<String>) -> Result<(), Missing> {
    let wanted = context.metrics.iter().filter(|card| PARITY.iter().any(|other| other.id == card.id));
    let cards: Vec<&Card> = wanted.collect();
    let of_scores = cards.iter().any(|card| card.needs == Needs::LabelAndScore);
    let scores = of_scores.then(|| Scores::of(context.plan, context.released)).transpose()?;
    let none = context.protection.without_all();
    let few = scores.as_ref().is_some_and(|scores| {
        let known = |group: &Group| {
            let total = group.total();
            (total.label(0) + total.label(1)).n
        };
        context.protection.discloses(context.cohorts, &|group| scores.rows(group), &known)
    });
    for card in cards {
        let protection = if few && card.needs == Needs::LabelAndScore { &none } else { context.protection };
        readings.extend(Family { context, card, protection, scores: scores.as_ref() }.readings());
    }
    if let Some(scores) = &scores {
        notes.extend(about(context, scores, if few { &none } else { context.protection }));
    }
    Ok(())
}

fn about(context: &Context, scores: &Scores, protection: &Protection) -> Vec<String> {
    let rounding =
        protection.shown(context.cohorts, Layer::Joint).filter_map(|group| scores.rounding(group)).reduce(f64::max);
    let text = |rounding| {
        format!(
            "More than 4,096 distinct scores: a printed mean score of a label is within {rounding:.2e} of the exact one."
        )
    };
    rounding.map(text).into_iter().collect()
}

/// One metric of the family.
struct Family<'a> {
    context: &'a Context<'a>,
    card: &'a Card,
    protection: &'a Protection,
    scores: Option<&'a Scores<'a>>,
}

/// One comparison of cohorts: how it is named, how its parts are compared, and what they are compared with.
#[derive(Clone, Copy)]
struct Way {
    compare: Comparison,
    by: Comparison,
    against: Against,
    join: Join,
}

/// The cohorts of a set that are compared.
struct Chosen {
    at: Vec<usize>,
    reference: Option<usize>,
    too_few: u32,
    shown: bool,
}

impl Family<'_> {
    fn readings(&self) -> Vec<Reading> {
        let (id, layer) = (self.card.id, Layer::of(self.card.needs));
        let plan = self.context.plan;
        let each = |sample: &dyn Fn(&Group) -> Sample| {
            emit(plan, self.card, self.context.cohorts, self.protection, layer, sample, None)
        };
        if let Some(figure) = FIGURES.iter().find(|figure| figure.card.id == id) {
            return each(&|group| self.combined(group, &|table: &Confusion, _: Option<usize>| (figure.of)(table)));
        }
        if let (Some(label), Some(scores)) = (BALANCE.iter().position(|card| card.id == id), self.scores) {
            return each(&|group| scores.mean(group, 1 - label, plan));
        }
        let writer = self.writer();
        let sets = 0..self.context.cohorts.sets.len();
        if let Some(joined) = JOINED.iter().find(|joined| joined.card.id == id) {
            let parts = |group: &Group| joined.of.map(|part| self.part(part, group)).to_vec();
            return sets.flat_map(|set| self.of_two(&writer, set, &parts, joined.joins)).collect();
        }
        if let Some(at) = DIVERGENCES.iter().position(|card| card.id == id) {
            let rate = ["prevalence", "selection-rate"][at.min(1)];
            return sets.flat_map(|set| self.divergence(&writer, set, rate)).collect();
        }
        sets.flat_map(|set| match id {
            _ if id == SHARE_OF_SELECTED.id => self.shares(&writer, set),
            _ if id == DEMOGRAPHIC_DISPARITY.id => self.disparities(&writer, set),
            _ if id == CONDITIONAL_DISPARITY.id => vec![self.conditional_disparity(&writer, set)],
            _ if id == CLASS_IMBALANCE.id => self.imbalance(&writer, set),
            _ => Vec::new(),
        })
        .collect()
    }

    fn writer(&self) -> Writer<'_> {
        Writer {
            plan: self.context.plan,
            metric: self.card.id.into(),
            cohorts: self.context.cohorts,
            protection: self.protection,
            layer: Layer::of(self.card.needs),
            everyone: Sample::None(Why::NotAMixture),
            width_max: None,
        }
    }

    /// A combination of shares of a cohort; by the jackknife where rows are dependent. The function is given the bucket that is left out.
    fn combined(&self, group: &Group, of: &dyn Fn(&Confusion, Option<usize>) -> Combination) -> Sample {
        let total = group.total();
        let whole = of(&total, None);
        if !self.context.plan.dependent {
            return Sample::combined(whole);
        }
        let point = match whole.value() {
            Ok(point) => point,
            Err(why) => return Sample::None(why),
        };
        let left_out = group.tables.iter().enumerate();
        let left_out = left_out.map(|(at, table)| of(&total.without(table), Some(at)).value().ok()).collect();
        let filled = group.tables.iter().filter(|table| table.rows().n != 0).count();
        Sample::buckets(Some(point), left_out, filled, whole.n())
    }

    /// A rate, or a mean score, of a cohort.
    fn part(&self, id: &str, group: &Group) -> Sample {
        let rate = RATES.iter().find(|rate| rate.card.id == id);
        let label = BALANCE.iter().position(|card| card.id == id);
        match (rate, label, self.scores) {
            (Some(rate), ..) => rates::share(rate, group, self.context.plan.dependent, None),
            (None, Some(label), Some(scores)) => scores.mean(group, 1 - label, self.context.plan),
            _ => Sample::None(Why::EmptyDenominator),
        }
    }

    /// The cohorts that are compared: of a worst pair, and with the highest, those for which every part has a value and rows enough.
    fn chosen(&self, writer: &Writer, set: usize, parts: &[Vec<Sample>], against: Against) -> Chosen {
        let groups = &self.context.cohorts.sets[set];
        let picks = matches!(against, Against::WorstPair | Against::Highest);
        let valued = |i: usize| parts[i].iter().all(|part| part.point().is_some());
        let supported = |i: usize| parts[i].iter().all(|part| writer.supports(part));
        let compared: Vec<usize> = (0..groups.groups.len()).filter(|&i| groups.groups[i].compared).collect();
        let shown = compared
            .iter()
            .all(|&i| self.protection.shows(Some(set), &groups.groups[i].codes, Layer::of(self.card.needs)))
            && (against != Against::Overall || self.protection.shows(None, &[], Layer::of(self.card.needs)));
        let few = compared.iter().filter(|&&i| picks && valued(i) && !supported(i)).count();
        let at: Vec<usize> = compared.into_iter().filter(|&i| !picks || (valued(i) && supported(i))).collect();
        let reference = groups.reference.and_then(|reference| at.iter().position(|&i| i == reference));
        Chosen { at, reference, too_few: if shown { few as u32 } else { 0 }, shown }
    }

    fn write(
        &self,
        writer: &Writer,
        set: usize,
        way: Way,
        chosen: &Chosen,
        pair: (Option<usize>, Option<usize>),
        measured: Measured,
    ) -> Reading {
        let named = chosen.shown || matches!(way.against, Against::Overall | Against::Reference);
        let groups = &self.context.cohorts.sets[set].groups;
        let cohort =
            |i: Option<usize>| i.filter(|_| named).and_then(|i| chosen.at.get(i)).map(|&i| groups[i].cohort.clone());
        let contrast =
            Contrast { compare: way.compare, against: way.against, with: cohort(pair.1), too_few: chosen.too_few };
        let measured = if chosen.shown { measured } else { Measured::Suppressed };
        writer.reading(Some(set), cohort(pair.0).unwrap_or_else(Cohort::everyone), Some(contrast), measured)
    }

    /// Comparisons of every part, joined.
    fn compared(
        &self,
        writer: &Writer,
        set: usize,
        parts: &[Vec<Sample>],
        everyone: &[Sample],
        way: Way,
    ) -> Vec<Reading> {
        let chosen = self.chosen(writer, set, parts, way.against);
        if way.against == Against::Reference && chosen.reference.is_none() {
            return Vec::new();
        }
        let confidence = self.context.plan.spec.measure.confidence;
        let results: Vec<Vec<Compared>> = everyone
            .iter()
            .enumerate()
            .map(|(part, everyone)| {
                let samples: Vec<Sample> = chosen.at.iter().map(|&i| parts[i][part].clone()).collect();
                contrast(way.by, way.against, &samples, everyone, chosen.reference, confidence)
            })
            .collect();
        let cohorts = match way.against {
            Against::WorstPair => 1,
            Against::Highest | Against::Overall | Against::Reference => chosen.at.len(),
        };
        let reading = |at: usize| {
            let (measured, pair) = joint(&results, way, at, confidence)?;
            let joined = join(&measured, way.join, confidence);
            Some(self.write(writer, set, way, &chosen, pair, joined))
        };
        (0..cohorts).filter_map(reading).collect()
    }

    fn samples(&self, set: usize, of: &dyn Fn(&Group) -> Vec<Sample>) -> Vec<Vec<Sample>> {
        self.context.cohorts.sets[set].groups.iter().map(of).collect()
    }

    /// A figure of two cohorts in each of its forms.
    fn of_two(
        &self,
        writer: &Writer,
        set: usize,
        of: &dyn Fn(&Group) -> Vec<Sample>,
        (difference, ratio): (Join, Join),
    ) -> Vec<Reading> {
        let (parts, everyone) = (self.samples(set, of), of(&self.context.cohorts.everyone));
        let ways = forms(self.card.id).unwrap_or_default().iter().flatten().map(|&(compare, against)| Way {
            compare,
            by: compare,
            against,
            join: if compare == Comparison::Difference { difference } else { ratio },
        });
        ways.flat_map(|way| self.compared(writer, set, &parts, &everyone, way)).collect()
    }

    /// A share of a total that is divided among all cohorts.
    fn part_of_all(&self, group: &Group, count: &dyn Fn(&Confusion) -> Cell) -> Sample {
        let everyone = &self.context.cohorts.everyone;
        let share = |own: &Confusion, all: &Confusion| Share { numerator: count(own), denominator: count(all) };
        match self.context.plan.dependent {
            true => {
                let buckets = group.tables.iter().zip(&everyone.tables);
                Sample::bucketed_share(&buckets.map(|(own, all)| share(own, all)).collect::<Vec<_>>())
            }
            false => Sample::combined(Combination::Part(share(&group.total(), &everyone.total()))),
        }
    }

    fn shares(&self, writer: &Writer, set: usize) -> Vec<Reading> {
        let groups = &self.context.cohorts.sets[set].groups;
        let selected = |table: &Confusion| table.decision(1);
        let samples: Vec<Sample> = groups.iter().map(|group| self.part_of_all(group, &selected)).collect();
        let values = groups.iter().zip(&samples).map(|(group, sample)| writer.value(Some(set), group, sample));
        let forms = forms(self.card.id).unwrap_or_default().iter().flatten();
        let compared = forms.flat_map(|&(compare, against)| writer.comparisons(set, &samples, compare, against));
        values.chain(compared).collect()
    }

    fn imbalance(&self, writer: &Writer, set: usize) -> Vec<Reading> {
        let labelled = |table: &Confusion| table.label(0) + table.label(1);
        let parts = self.samples(set, &|group| vec![self.part_of_all(group, &labelled)]);
        let everyone = [self.part_of_all(&self.context.cohorts.everyone, &labelled)];
        let ways = [(Against::WorstPair, Join::ImbalanceOfPair), (Against::Reference, Join::Imbalance)];
        let ways =
            ways.map(|(against, join)| Way { compare: Comparison::Difference, by: Comparison::Ratio, against, join });
        ways.into_iter().flat_map(|way| self.compared(writer, set, &parts, &everyone, way)).collect()
    }

    fn divergence(&self, writer: &Writer, set: usize, rate: &str) -> Vec<Reading> {
        let confidence = self.context.plan.spec.measure.confidence;
        let parts = self.samples(set, &|group| vec![self.part(rate, group)]);
        let way = |against, join| Way { compare: Comparison::Difference, by: Comparison::Difference, against, join };
        let measured = |chosen: &Chosen| -> Vec<Measured> {
            let samples = chosen.at.iter().filter_map(|&i| parts[i].first());
            samples.map(|sample| sample.measure(confidence)).collect()
        };
        let worst = way(Against::WorstPair, Join::GreatestDivergence);
        let chosen = self.chosen(writer, set, &parts, worst.against);
        let shares = measured(&chosen);
        let (pair, of_all) = match furthest(&shares) {
            Some((p, q)) => ((Some(p), Some(q)), join(&shares, worst.join, confidence)),
            None => ((None, None), Measured::Undefined { why: Why::FewerThanTwoCohorts }),
        };
        let mut readings = vec![self.write(writer, set, worst, &chosen, pair, of_all)];
        let each = way(Against::Reference, Join::Divergence);
        let chosen = self.chosen(writer, set, &parts, each.against);
        let shares = measured(&chosen);
        if let Some(reference) = chosen.reference {
            let others = (0..shares.len()).filter(|&i| i != reference);
            readings.extend(others.map(|i| {
                let measured = join(&[shares[reference].clone(), shares[i].clone()], each.join, confidence);
                self.write(writer, set, each, &chosen, (Some(i), Some(reference)), measured)
            }));
        }
        readings
    }

    /// The table of the cohorts that are compared together, of all buckets or of one.
    fn together(&self, set: usize, bucket: Option<usize>) -> Confusion {
        let groups = self.context.cohorts.sets[set].groups.iter().filter(|group| group.compared);
        groups.fold(Confusion::default(), |mut sum, group| {
            let table = bucket.map_or_else(|| group.total(), |at| group.tables.get(at).copied().unwrap_or_default());
            for (label, row) in table.cells.iter().enumerate() {
                for (decision, cell) in row.iter().enumerate() {
                    sum.add(label as u32, decision as u32, *cell);
                }
            }
            sum
        })
    }

    fn disparities(&self, writer: &Writer, set: usize) -> Vec<Reading> {
        let groups = self.context.cohorts.sets[set].groups.iter().filter(|group| group.compared);
        let whole = self.together(set, None);
        let buckets = 0..self.context.cohorts.everyone.tables.len();
        let without: Vec<Confusion> = match self.context.plan.dependent {
            true => buckets.map(|at| whole.without(&self.together(set, Some(at)))).collect(),
            false => Vec::new(),
        };
        let sample = |group: &Group| {
            self.combined(group, &|own, bucket| {
                let all = bucket.and_then(|at| without.get(at)).unwrap_or(&whole);
                let share = |decision| Share { numerator: own.decision(decision), denominator: all.decision(decision) };
                Combination::Difference(share(0), share(1))
            })
        };
        groups.map(|group| writer.value(Some(set), group, &sample(group))).collect()
    }

    fn conditional_disparity(&self, writer: &Writer, set: usize) -> Reading {
        let confidence = self.context.plan.spec.measure.confidence;
        let groups: Vec<&Group> = self.context.cohorts.sets[set].groups.iter().filter(|group| group.compared).collect();
        let totals: Vec<Confusion> = groups.iter().map(|group| group.total()).collect();
        let cells = |bucket: Option<usize>| -> Vec<[f64; 2]> {
            let of = |(group, total): (&&Group, &Confusion)| {
                let rest = bucket.and_then(|at| group.tables.get(at)).map_or(*total, |table| total.without(table));
                [0, 1].map(|decision| rest.decision(decision).w as f64)
            };
            groups.iter().zip(&totals).map(of).collect()
        };
        let all = self.together(set, None);
        let n = (all.decision(0) + all.decision(1)).n;
        let shown = groups.iter().all(|group| self.protection.shows(Some(set), &group.codes, writer.layer));
        let measured = match (shown, conditional_disparity(&cells(None))) {
            (false, _) => Measured::Suppressed,
            (true, None) => Measured::Undefined { why: Why::EmptyDenominator },
            (true, Some((point, _))) if self.context.plan.dependent => {
                let buckets = self.context.cohorts.everyone.tables.iter();
                let filled = buckets.clone().filter(|table| table.rows().n != 0).count();
                let left_out = (0..buckets.len()).map(|at| conditional_disparity(&cells(Some(at))).map(|of| of.0));
                Sample::buckets(Some(point), left_out.collect(), filled, n).measure(confidence)
            }
            (true, Some((point, se))) => {
                let support = Support { n, n_effective: n as f64 };
                let ends = (-1.0, 1.0);
                Measured::Estimated(Estimate::with_error(point, (se, None), ends, support, Method::Delta, confidence))
            }
        };
        writer.reading(Some(set), Cohort::everyone(), None, measured)
    }
}

/// Figures, and the positions of the cohorts of the least and the greatest value.
type Extremes = (Vec<Measured>, (Option<usize>, Option<usize>));

/// The comparisons of one cohort, or of the worst pairs, and the pair of the part that differs most. None of the cohort that the others are
/// compared with. A cohort that is the highest in one part only differs from itself by nothing there.
fn joint(results: &[Vec<Compared>], way: Way, at: usize, confidence: f64) -> Option<Extremes> {
    let worst = way.against == Against::WorstPair;
    let of = |of: &Vec<Compared>| of.iter().find(|compared| worst || compared.cohort == at).cloned();
    let found: Vec<Option<Compared>> = results.iter().map(of).collect();
    let supports = found.iter().flatten().filter_map(|of| of.measured.estimate()).map(|estimate| estimate.support);
    let same = if way.by == Comparison::Difference { 0.0 } else { 1.0 };
    let itself = supports
        .reduce(|a, b| if a.n <= b.n { a } else { b })
        .map(|support| Measured::Estimated(Estimate::known(same, support, confidence)));
    if found.iter().all(Option::is_none) {
        return None;
    }
    let undefined = Measured::Undefined { why: Why::EmptyComparison };
    let part = |of: &Option<Compared>| match of {
        Some(compared) => compared.measured.clone(),
        None => itself.clone().unwrap_or(undefined.clone()),
    };
    let apart = |of: &Compared| of.measured.estimate().map_or(0.0, |estimate| (estimate.point - same).abs());
    let most = found.iter().flatten().rev().max_by(|a, b| apart(a).total_cmp(&apart(b)))?;
    let pair = match (worst, most.with) {
        (true, None) => (None, None),
        (_, with) => (Some(most.cohort), with),
    };
    Some((found.iter().map(part).collect(), pair))
}

/// The two shares of greatest divergence, the first from the second; none of fewer than two.
fn furthest(shares: &[Measured]) -> Option<(usize, usize)> {
    let of = |i: usize, j: usize| {
        let pair = [shares.get(i)?.clone(), shares.get(j)?.clone()];
        join(&pair, Join::Divergence, 0.5).estimate().map(|estimate| estimate.point)
    };
    let by_value = |a: &&usize, b: &&usize| {
        let at = |i: &usize| shares.get(*i).and_then(Measured::estimate).map_or(0.0, |estimate| estimate.point);
        at(a).total_cmp(&at(b))
    };
    // The divergence grows with the distance: the furthest are the least and the greatest.
    let at: Vec<usize> = (0..shares.len()).collect();
    let (least, greatest) = (*at.iter().min_by(by_value)?, *at.iter().rev().max_by(by_value)?);
    let (least, greatest) = match least == greatest {
        true => (least, *at.iter().find(|&&i| i != least)?),
        false => (least, greatest),
    };
    let forward = of(least, greatest).unwrap_or(f64::INFINITY) >= of(greatest, least).unwrap_or(f64::INFINITY);
    Some(if forward { (least, greatest) } else { (greatest, least) })
}

/// Sum of (n(i) / n) (r(i) / R - a(i) / A) over cohorts with r(i) rows of decision 0 and a(i) of decision 1, and its standard error by the
/// delta method on the multinomial counts. None when one of the decisions does not occur.
fn conditional_disparity(cells: &[[f64; 2]]) -> Option<(f64, f64)> {
    let rejected: f64 = cells.iter().map(|cell| cell[0]).sum();
    let accepted: f64 = cells.iter().map(|cell| cell[1]).sum();
    if rejected <= 0.0 || accepted <= 0.0 {
        return None;
    }
    let n = rejected + accepted;
    let share = |cell: &[f64; 2]| (cell[0] + cell[1]) / n;
    let disparity = |cell: &[f64; 2]| cell[0] / rejected - cell[1] / accepted;
    let point: f64 = cells.iter().map(|cell| share(cell) * disparity(cell)).sum();
    let of_rejected: f64 = cells.iter().map(|cell| share(cell) * cell[0] / rejected).sum();
    let of_accepted: f64 = cells.iter().map(|cell| share(cell) * cell[1] / accepted).sum();
    // The slope in each count; they sum to 0 over the rows, for the figure does not change with the number of rows.
    let variance: f64 = cells
        .iter()
        .map(|cell| {
            let common = (disparity(cell) - point) / n;
            let of_zero = common + (share(cell) - of_rejected) / rejected;
            let of_one = common - (share(cell) - of_accepted) / accepted;
            cell[0] * of_zero * of_zero + cell[1] * of_one * of_one
        })
        .sum();
    Some((point, variance.sqrt()))
}

#[cfg(test)]
mod tests;

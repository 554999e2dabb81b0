//! Which counts may be published when counts below a limit may not.
//!
//! Withholding only the small counts is not enough: a row total minus the shown cells gives them away. The rule here is whole layers: a layer
//! of a set of attributes (row counts, labels, decisions, or both together) is shown for all its cohorts or for none. Sets are taken in the
//! order of the pipeline file, layers from coarse to fine; a layer is shown only if it and everything already shown have no count between 0 and
//! the limit, and if the sets shown share no attribute with one another beyond their margins, so that the published tables are a chain of
//! margins. In a chain the possible range of a withheld cell is that of Frechet's bounds, at least the smallest published margin or its
//! complement, hence at least the limit.
//!
//! Metrics of scores and of numeric predictions publish how many rows they are of. Where that number, or what it leaves of the table's, is
//! small for any cohort that is shown, those metrics are withheld everywhere.

use super::tables::{Cohorts, Group};
use crate::metric::Needs;
use crate::plan::Plan;
use crate::statistic::Tally;

/// What a number is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Number of rows.
    Rows,
    Labels,
    Decisions,
    /// Labels by decisions.
    Joint,
}

impl Layer {
    pub fn of(needs: Needs) -> Layer {
        match needs {
            Needs::Label => Layer::Labels,
            Needs::Decision => Layer::Decisions,
            Needs::LabelAndDecision | Needs::LabelAndScore | Needs::Score => Layer::Joint,
            Needs::Cohorts | Needs::NumberAndPrediction | Needs::Prediction => Layer::Rows,
        }
    }

    const ALL: [Layer; 4] = [Layer::Rows, Layer::Labels, Layer::Decisions, Layer::Joint];
}

/// What may be shown.
#[derive(Debug, Clone)]
pub struct Protection {
    /// Per set of attributes (everyone first) and layer.
    shown: Vec<[bool; 4]>,
    notes: Vec<String>,
    limit: i64,
}

impl Protection {
    /// Decides from the released table.
    pub fn of(plan: &Plan, table: &Tally) -> Protection {
        let limit = plan.spec.measure.suppress_below as i64;
        let sets: Vec<Vec<usize>> =
            std::iter::once(Vec::new()).chain(plan.across.iter().map(|across| across.attributes.clone())).collect();
        if limit <= 1 {
            return Protection { shown: vec![[true; 4]; sets.len()], notes: Vec::new(), limit };
        }
        // Buckets of units are published nowhere.
        let table = &table.marginal(&(0..plan.attributes.len() + 2).collect::<Vec<_>>());
        let small = |set: &[usize], layer: Layer| sensitive(table, plan.attributes.len(), set, layer, limit);
        let clean: Vec<[bool; 4]> = sets.iter().map(|set| Layer::ALL.map(|layer| !small(set, layer))).collect();
        let shown = choose(&sets, &clean);
        let withheld = shown.iter().flatten().filter(|shown| !**shown).count();
        let notes = match withheld {
            0 => Vec::new(),
            _ => vec![format!(
                "Counts below {limit} are not published, nor tables from which one could be bounded to a range narrower than {limit}."
            )],
        };
        Protection { shown, notes, limit }
    }

    /// The same rules with nothing shown.
    pub fn without_all(&self) -> Protection {
        Protection { shown: vec![[false; 4]; self.shown.len()], ..self.clone() }
    }

    /// True when one of these rules shows less.
    pub fn withholds_more(&self, others: &[&Protection]) -> bool {
        others.iter().any(|other| other.shown != self.shown)
    }

    /// The cohorts of which a number of this layer may be shown, everyone first.
    pub fn shown<'c>(&'c self, cohorts: &'c Cohorts, layer: Layer) -> impl Iterator<Item = &'c Group> {
        let everyone = std::iter::once((None, &cohorts.everyone));
        let others = cohorts
            .sets
            .iter()
            .enumerate()
            .flat_map(|(set, groups)| groups.groups.iter().map(move |group| (Some(set), group)));
        everyone.chain(others).filter(move |(set, group)| self.shows(*set, &group.codes, layer)).map(|(_, group)| group)
    }

    /// True when the rows a metric is of, or the rows of the whole that it leaves out, are few for a cohort that is shown.
    pub fn discloses(&self, cohorts: &Cohorts, rows: &dyn Fn(&Group) -> i64, whole: &dyn Fn(&Group) -> i64) -> bool {
        let small = |n: i64| 0 < n && n < self.limit;
        self.limit > 1
            && self.shown(cohorts, Layer::Rows).any(|group| small(rows(group)) || small(whole(group) - rows(group)))
    }

    /// True when a number of this layer may be shown for a cohort of this set; no set is everyone.
    pub fn shows(&self, set: Option<usize>, _cohort: &[u32], layer: Layer) -> bool {
        self.shown[set.map_or(0, |set| set + 1)][layer as usize]
    }

    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// True when the table of a set at a layer has a count between 0 and the limit.
fn sensitive(table: &Tally, attributes: usize, set: &[usize], layer: Layer, limit: i64) -> bool {
    let mut axes = set.to_vec();
    match layer {
        Layer::Rows => {}
        Layer::Labels => axes.push(attributes),
        Layer::Decisions => axes.push(attributes + 1),
        Layer::Joint => axes.extend([attributes, attributes + 1]),
    }
    table.marginal(&axes).cells.values().any(|cell| 0 < cell.n && cell.n < limit)
}

/// All sets at all layers when nothing is small. Otherwise one chain: the published tables must all be margins of one table that is itself
/// shown, or be single variables, so that no combination of them narrows a withheld cell.
fn choose(sets: &[Vec<usize>], clean: &[[bool; 4]]) -> Vec<[bool; 4]> {
    if clean.iter().flatten().all(|clean| *clean) {
        return clean.to_vec();
    }
    let mut shown = vec![[false; 4]; sets.len()];
    // Everyone: its own chain, independent of any attribute.
    for (layer, show) in shown[0].iter_mut().enumerate() {
        *show = clean[0][layer];
    }
    // The finest clean joint table whose margins are all clean carries every table below it.
    let below = |fine: &[usize], coarse: &[usize]| coarse.iter().all(|attribute| fine.contains(attribute));
    let carrier = (1..sets.len()).filter(|&i| clean[i].iter().all(|c| *c)).max_by_key(|&i| sets[i].len());
    match carrier {
        Some(carrier) => {
            for i in 1..sets.len() {
                if below(&sets[carrier], &sets[i]) {
                    shown[i] = [true; 4];
                }
            }
        }
        // No joint table is clean: only row counts of single attributes, which are margins of one another in no way.
        None => {
            for i in 1..sets.len() {
                shown[i][0] = sets[i].len() == 1 && clean[i][0];
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests;

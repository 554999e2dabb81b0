//! The contingency table seen by cohort.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::suppression::{Layer, Protection};
use crate::audit::{CohortRow, CohortTable};
use crate::cohort::Cohort;
use crate::estimate::BUCKETS;
use crate::metric::Confusion;
use crate::plan::Plan;
use crate::statistic::Tally;

/// One cohort and its rows.
#[derive(Debug, Clone)]
pub struct Group {
    pub cohort: Cohort,
    /// Codes on the attributes of its set.
    pub codes: Vec<u32>,
    /// Positions of those attributes.
    pub attributes: Vec<usize>,
    /// Every level is a declared one.
    pub compared: bool,
    /// One table, or one per bucket of units.
    pub tables: Vec<Confusion>,
}

impl Group {
    /// The table over all buckets.
    pub fn total(&self) -> Confusion {
        let mut total = Confusion::default();
        for table in &self.tables {
            for (label, row) in table.cells.iter().enumerate() {
                for (decision, cell) in row.iter().enumerate() {
                    total.cells[label][decision] += *cell;
                }
            }
        }
        total
    }

    /// True for codes on all attributes that belong to this cohort.
    pub fn holds(&self, codes: &[u32]) -> bool {
        self.attributes.iter().zip(&self.codes).all(|(&attribute, &code)| codes[attribute] == code)
    }
}

/// The cohorts of one set of attributes.
#[derive(Debug, Clone)]
pub struct Groups {
    pub names: Vec<Arc<str>>,
    pub groups: Vec<Group>,
    /// Position of the cohort of reference levels.
    pub reference: Option<usize>,
}

/// All cohorts of a plan.
#[derive(Debug, Clone)]
pub struct Cohorts {
    pub everyone: Group,
    pub sets: Vec<Groups>,
}

impl Cohorts {
    /// Groups the cells of the table. Cohorts without rows are left out, except declared levels of a single attribute.
    pub fn of(plan: &Plan, table: &Tally) -> Cohorts {
        let everyone =
            gather(plan, table, &[]).into_iter().next().unwrap_or_else(|| group(plan, &[], &[], empty(plan)));
        let sets = plan
            .across
            .iter()
            .map(|across| {
                let groups = gather(plan, table, &across.attributes);
                let reference: Option<Vec<u32>> =
                    across.attributes.iter().map(|&attribute| plan.references[attribute]).collect();
                let reference = reference.and_then(|codes| groups.iter().position(|group| group.codes == codes));
                let names =
                    across.attributes.iter().map(|&attribute| plan.attributes[attribute].name.clone()).collect();
                Groups { names, groups, reference }
            })
            .collect();
        Cohorts { everyone, sets }
    }

    /// Counts per cohort, as far as they may be shown.
    pub fn tables(&self, plan: &Plan, protection: &Protection) -> Vec<CohortTable> {
        let row = |set: Option<usize>, group: &Group| {
            let total = group.total();
            let shows = |layer| protection.shows(set, &group.codes, layer);
            CohortRow {
                cohort: group.cohort.clone(),
                compared: group.compared,
                n: shows(Layer::Rows).then(|| total.rows().n),
                labels: shows(Layer::Labels).then(|| [0, 1, 2].map(|label| total.label(label).n)),
                decisions: shows(Layer::Decisions).then(|| [0, 1, 2].map(|decision| total.decision(decision).n)),
                joint: shows(Layer::Joint).then(|| total.cells.map(|row| row.map(|cell| cell.n))),
            }
        };
        let mut tables = vec![CohortTable { across: Vec::new(), rows: vec![row(None, &self.everyone)] }];
        debug_assert_eq!(plan.across.len(), self.sets.len());
        for (set, groups) in self.sets.iter().enumerate() {
            let rows = groups.groups.iter().map(|group| row(Some(set), group)).collect();
            tables.push(CohortTable { across: groups.names.clone(), rows });
        }
        tables
    }
}

fn empty(plan: &Plan) -> Vec<Confusion> {
    vec![Confusion::default(); if super::noise::buckets(plan) { BUCKETS as usize } else { 1 }]
}

fn gather(plan: &Plan, table: &Tally, attributes: &[usize]) -> Vec<Group> {
    let mut cohorts: BTreeMap<Vec<u32>, Vec<Confusion>> = BTreeMap::new();
    if let [attribute] = attributes {
        for code in 0..plan.attributes[*attribute].levels.len() as u32 {
            cohorts.insert(vec![code], empty(plan));
        }
    }
    let labels = plan.attributes.len();
    for (&code, &cell) in &table.cells {
        let codes = table.codes(code);
        let cohort: Vec<u32> = attributes.iter().map(|&attribute| codes[attribute]).collect();
        let bucket = codes.get(labels + 2).map_or(0, |&bucket| bucket as usize);
        let tables = cohorts.entry(cohort).or_insert_with(|| empty(plan));
        tables[bucket].add(codes[labels], codes[labels + 1], cell);
    }
    cohorts.into_iter().map(|(codes, tables)| group(plan, attributes, &codes, tables)).collect()
}

fn group(plan: &Plan, attributes: &[usize], codes: &[u32], tables: Vec<Confusion>) -> Group {
    let pairs = attributes.iter().zip(codes).map(|(&at, &code)| {
        let attribute = &plan.attributes[at];
        (attribute.name.clone(), attribute.level(code))
    });
    Group {
        cohort: Cohort { pairs: pairs.collect() },
        codes: codes.to_vec(),
        attributes: attributes.to_vec(),
        compared: attributes.iter().zip(codes).all(|(&at, &code)| plan.attributes[at].is_declared(code)),
        tables,
    }
}

//! Which groups of a statistic belong to which cohort, found once for all cohorts: with a thousand of them, looking through all groups for
//! each would take a million steps per metric.

use std::collections::BTreeMap;

use super::Group;
use crate::plan::Plan;
use crate::statistic::Tally;

/// Codes of a statistic's groups by set of attributes and cohort. The first axes of the statistic are the attributes.
pub struct Index {
    sets: BTreeMap<Vec<usize>, BTreeMap<Vec<u32>, Vec<u64>>>,
}

impl Index {
    pub fn of<'c>(plan: &Plan, sizes: &[u32], groups: impl Iterator<Item = &'c u64>) -> Index {
        let table = Tally::new(sizes.to_vec());
        let everyone = std::iter::once(Vec::new());
        let mut sets: BTreeMap<Vec<usize>, BTreeMap<Vec<u32>, Vec<u64>>> = everyone
            .chain(plan.across.iter().map(|across| across.attributes.clone()))
            .map(|set| (set, BTreeMap::new()))
            .collect();
        for &code in groups {
            let codes = table.codes(code);
            for (set, cohorts) in &mut sets {
                let cohort = set.iter().map(|&attribute| codes[attribute]).collect();
                cohorts.entry(cohort).or_default().push(code);
            }
        }
        Index { sets }
    }

    /// The groups of a cohort, in ascending order.
    pub fn groups(&self, group: &Group) -> &[u64] {
        self.sets.get(&group.attributes).and_then(|cohorts| cohorts.get(&group.codes)).map_or(&[], Vec::as_slice)
    }
}

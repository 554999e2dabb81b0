//! The rows of smallest hash.
//!
//! Rows are collected until there are half as many again as are kept; then those of the greatest hashes go, and from there on only rows below
//! the greatest that was left are collected. Few rows are sorted, and each seldom.

use super::program::{Program, Values};
use crate::demand::RowKey;
use crate::engine::EngineError;
use crate::scalar::Scalar;
use crate::scan::Scan;
use crate::statistic::{Panel, PanelValue};

/// A panel demand bound to a program.
pub struct PanelPlan {
    key: usize,
    of: Vec<usize>,
    limit: usize,
}

/// Rows while they come in: all that may be among the smallest.
#[derive(Default)]
pub struct Smallest {
    rows: Vec<(u64, Vec<Option<PanelValue>>)>,
    /// No row above this is among them, once so many were seen.
    greatest: Option<u64>,
}

impl PanelPlan {
    pub fn new(
        program: &mut Program,
        scan: &Scan,
        of: &[Scalar],
        (key, salt): (&RowKey, &str),
        limit: usize,
    ) -> Result<PanelPlan, EngineError> {
        let key = program.key(scan, key, salt)?;
        let of = of.iter().map(|scalar| program.column(scan, scalar)).collect::<Result<_, _>>()?;
        Ok(PanelPlan { key, of, limit })
    }

    pub fn add(&self, smallest: &mut Smallest, values: &Values, chosen: &[u32]) {
        let hashes = values.hashes(self.key);
        for &row in chosen {
            let hash = hashes[row as usize];
            if smallest.greatest.is_some_and(|greatest| hash > greatest) {
                continue;
            }
            let value = |&at: &usize| PanelValue::of(&values.columns[at].get(row as usize));
            smallest.rows.push((hash, self.of.iter().map(value).collect()));
            if smallest.rows.len() > self.limit + self.limit / 2 {
                self.drop_greatest(smallest);
            }
        }
    }

    fn drop_greatest(&self, Smallest { rows, greatest }: &mut Smallest) {
        if let (Some(last), true) = (self.limit.checked_sub(1), rows.len() > self.limit) {
            let (_, (hash, _), _) = rows.select_nth_unstable(last);
            *greatest = Some(*hash);
        }
        rows.truncate(self.limit);
    }

    pub fn finish(&self, mut smallest: Smallest) -> Panel {
        self.drop_greatest(&mut smallest);
        let mut panel = Panel::new(self.limit);
        for (hash, row) in smallest.rows {
            panel.add(hash, row, 1);
        }
        panel
    }
}

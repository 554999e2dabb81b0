//! The rows of smallest hash.
//!
//! Rows are collected until there are half as many again as are kept; then those of the greatest hashes go, and from there on only rows below
//! the greatest that was left are collected. Few rows are sorted, and each seldom.

use super::program::{Program, Values};
use crate::demand::RowKey;
use crate::engine::EngineError;
use crate::scalar::{NO_TEXT, Scalar, Vector};
use crate::scan::Scan;
use crate::statistic::{Panel, PanelValue};

/// A panel demand bound to a program.
pub struct PanelPlan {
    key: usize,
    of: Vec<usize>,
    limit: usize,
    /// Equal rows count once.
    distinct: bool,
    /// Rows of equal values have equal hashes.
    of_key: bool,
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
        (limit, distinct): (usize, bool),
    ) -> Result<PanelPlan, EngineError> {
        let of_key = matches!(key, RowKey::Of(hashed) if hashed == of);
        let key = program.key(scan, key, salt)?;
        let of = of.iter().map(|scalar| program.column(scan, scalar)).collect::<Result<_, _>>()?;
        Ok(PanelPlan { key, of, limit, distinct, of_key })
    }

    pub fn add(&self, smallest: &mut Smallest, values: &Values, chosen: &[u32]) {
        match &self.of[..] {
            [of] if self.distinct && self.of_key => {
                self.collect(smallest, values, &firsts(&values.columns[*of], chosen));
            }
            _ => self.collect(smallest, values, chosen),
        }
    }

    fn collect(&self, smallest: &mut Smallest, values: &Values, chosen: &[u32]) {
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
        if self.distinct {
            rows.sort_unstable();
            rows.dedup();
        }
        if let (Some(last), true) = (self.limit.checked_sub(1), rows.len() > self.limit) {
            let (_, (hash, _), _) = rows.select_nth_unstable(last);
            *greatest = Some(*hash);
        }
        rows.truncate(self.limit);
    }

    pub fn finish(&self, mut smallest: Smallest) -> Panel {
        self.drop_greatest(&mut smallest);
        let mut panel = if self.distinct { Panel::distinct(self.limit) } else { Panel::new(self.limit) };
        for (hash, row) in smallest.rows {
            panel.add(hash, row, 1);
        }
        panel
    }
}

/// Of the rows of one text the first. Where most texts differ, or the column holds no texts, all rows.
fn firsts(column: &Vector, chosen: &[u32]) -> Vec<u32> {
    let Vector::Text { codes, levels } = column else { return chosen.to_vec() };
    if levels.len() > chosen.len() / 2 {
        return chosen.to_vec();
    }
    let mut seen = vec![false; levels.len() + 1];
    let mut is_new = |row: &u32| {
        let code = codes[*row as usize];
        let at = if code == NO_TEXT { levels.len() } else { code as usize };
        !std::mem::replace(&mut seen[at], true)
    };
    chosen.iter().copied().filter(|row| is_new(row)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::demand::{Demand, Rows, Shape, hash};
    use crate::engine::Engine;
    use crate::engine::memory::Memory;
    use crate::plan::spec::Format;
    use crate::privatize::release;
    use crate::scan::{Read, Reading, Source};

    const SALT: &str = "3:texts";

    /// The different texts of smallest hash, whatever the batches and threads, as a panel that is told every row.
    fn agrees(texts: &[Option<u32>], limit: usize, threads: usize, by_row: bool) {
        let text = |i: &u32| Arc::<str>::from(format!("text {i}"));
        let mut levels: Vec<Arc<str>> = texts.iter().flatten().map(text).collect();
        levels.sort_unstable();
        levels.dedup();
        let code = |i: &u32| levels.binary_search(&text(i)).map_or(NO_TEXT, |at| at as u32);
        let codes = texts.iter().map(|i| i.as_ref().map_or(NO_TEXT, code)).collect();
        let columns = vec![("a".into(), Vector::Text { codes, levels: levels.clone().into() })];
        let engine = Memory { columns, rows: texts.len(), threads };
        let read = Read { name: "a".into(), column: "a".into(), by: Reading::Text };
        let (paths, null_values) = (Vec::new(), Vec::new());
        let source = Source { paths, format: Format::Csv, delimiter: b',', decimal: '.', null_values, hive: false };
        let scan = Scan { source, reads: vec![read], derive: Vec::new(), keep: None, cap: None };
        let of = vec![Scalar::column("a")];
        let key = if by_row { RowKey::Row } else { RowKey::Of(of.clone()) };
        let shape = Shape::Panel { of, key, salt: SALT.into(), limit, distinct: true };
        let demand = Demand { name: "a".into(), rows: Rows::Kept, shape };
        let released = release(engine.collect(&scan, &[demand], &|_| ()).unwrap().evidence);
        let mut expected = Panel::distinct(limit);
        for i in texts {
            let value = i.as_ref().map(text);
            let hash = hash(SALT, value.as_deref().unwrap_or("\\N").as_bytes());
            expected.add(hash, vec![value.map(PanelValue::Text)], 1);
        }
        assert!(*released.panel("a").unwrap() == expected, "{} rows, limit {limit}, {threads} threads", texts.len());
    }

    #[test]
    fn different_texts_are_kept_over_many_batches() {
        let many: Vec<Option<u32>> = (0..20_000u32).map(|i| (i % 11 > 0).then_some(i / 2)).collect();
        let few: Vec<Option<u32>> = (0..20_000u32).map(|i| (i % 11 > 0).then_some(i % 7)).collect();
        for (threads, limit) in [(1, 1), (1, 200), (3, 200), (4, 30_000), (2, 0)] {
            agrees(&many, limit, threads, false);
            agrees(&few, limit, threads, threads == 3);
        }
    }

    proptest! {
        #[test]
        fn different_texts_are_those_of_all_rows(
            texts in prop::collection::vec(prop::option::of(0u32..40), 0..300),
            limit in 0usize..50,
            threads in 1usize..4,
        ) {
            agrees(&texts, limit, threads, false);
        }
    }
}

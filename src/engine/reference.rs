//! The oracle: one row at a time, one demand after the other, in the words of `demand`'s definitions.
//!
//! Nothing here is clever on purpose. Reads CSV and TSV. The other engines must return the same integers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::cap::Capped;
use super::{Collected, Engine, EngineError, check_cells, check_delimiter, near};
use crate::demand::{Axis, Demand, Fixed, Limbs, Rows, Shape, hash};
use crate::evidence::{Evidence, Guarded};
use crate::ingest::{csv::Records, field, paths};
use crate::plan::spec::Format;
use crate::scalar::{Bound, Kind, Scalar, Value, Vector};
use crate::scan::{Scan, Source, SourceColumn};
use crate::statistic::{Cell, ClassSizes, Counts, Histogram, MomentSums, Moments, Panel, PanelValue, Statistic, Tally};

mod axis;
mod units;
pub(super) use axis::class_bytes;
use axis::{BoundAxis, BoundKey, key_bytes};
use units::Within;

/// Plain loops over one row at a time.
pub struct Reference;

impl Engine for Reference {
    fn describe(&self, source: &Source) -> Result<Vec<SourceColumn>, EngineError> {
        text_only(source)?;
        let mut columns = Vec::new();
        if let Some(path) = source.paths.first() {
            let records = Records::open(path, source)?;
            let folders: Vec<String> = partitions(path, source).into_iter().map(|(name, _)| name).collect();
            let fields = records.header().iter().filter(|name| !folders.contains(name));
            for name in fields.chain(&folders) {
                columns.push(SourceColumn { name: name.as_str().into(), kind: "text".into() });
            }
        }
        Ok(columns)
    }

    fn collect(
        &self,
        scan: &Scan,
        demands: &[Demand],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Collected, EngineError> {
        text_only(&scan.source)?;
        demands.iter().try_for_each(check_cells)?;
        let capped = Capped::once(scan, |scan, cap| units::find(scan, cap, progress))?;
        let scan = &capped.scan;
        let reads = scan.reads.len();
        let within = capped.limits().map(|(cap, kept)| Within::new(scan, cap, kept)).transpose()?;
        let mut counters = demands.iter().map(|demand| Counter::new(scan, demand)).collect::<Result<Vec<_>, _>>()?;
        let rows = each_row(scan, progress, |row, kept| {
            let kept = kept && within.as_ref().is_none_or(|within| within.stays(row, reads));
            counters.iter_mut().try_for_each(|counter| counter.count(row, reads, kept))
        })?;
        capped.check(rows)?;
        let statistics = counters.into_iter().map(|counter| (counter.demand.name.clone(), counter.finish())).collect();
        Ok(Collected { evidence: Guarded::seal(Evidence { statistics }), passes: capped.passes + 1, rows })
    }
}

/// Shows every row and whether the filter keeps it. Returns the number of rows.
fn each_row(
    scan: &Scan,
    progress: &(dyn Fn(u64) + Sync),
    mut show: impl FnMut(&[Value], bool) -> Result<(), EngineError>,
) -> Result<u64, EngineError> {
    let derive = derived(scan)?;
    let keep = scan.keep.as_ref().map(|keep| bind(scan, keep)).transpose()?;
    let mut rows = 0;
    for path in &scan.source.paths {
        let mut records = Records::open(path, &scan.source)?;
        let at = places(scan, records.header(), path)?;
        while let Some(fields) = records.next_record()? {
            let mut row: Vec<Value> = scan
                .reads
                .iter()
                .zip(&at)
                .map(|(read, place)| field::value(place.text(&fields), read.by, &scan.source))
                .collect();
            for scalar in &derive {
                row.push(scalar.evaluate(&row));
            }
            let kept = keep.as_ref().is_none_or(|keep| keep.evaluate(&row) == Value::Truth(true));
            show(&row, kept)?;
            rows += 1;
            if rows % 65_536 == 0 {
                progress(rows);
            }
        }
    }
    progress(rows);
    Ok(rows)
}

/// Hands the kept rows on, in their order, in batches of these columns; see `engine::rows`.
pub(super) fn rows<T>(
    scan: &Scan,
    columns: &[Arc<str>],
    map: &(dyn Fn(&[Vector], &[u32]) -> T + Sync),
    take: &mut dyn FnMut(T) -> bool,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<u64, EngineError> {
    text_only(&scan.source)?;
    let derive = derived(scan)?;
    let keep = scan.keep.as_ref().map(|keep| bind(scan, keep)).transpose()?;
    let of = columns.iter().map(|name| bind(scan, &Scalar::column(name))).collect::<Result<Vec<_>, _>>()?;
    let mut batch: Vec<Vec<Value>> = vec![Vec::new(); of.len()];
    let mut hand_on = |batch: &mut Vec<Vec<Value>>, kept: &mut u32| {
        let vectors: Vec<Vector> =
            batch.iter_mut().map(|column| Vector::of(std::mem::take(column).into_iter())).collect();
        let rows: Vec<u32> = (0..std::mem::take(kept)).collect();
        take(map(&vectors, &rows))
    };
    let (mut rows, mut kept) = (0, 0);
    for path in &scan.source.paths {
        let mut records = Records::open(path, &scan.source)?;
        let at = places(scan, records.header(), path)?;
        while let Some(fields) = records.next_record()? {
            let reads = scan.reads.iter().zip(&at);
            let mut row: Vec<Value> =
                reads.map(|(read, place)| field::value(place.text(&fields), read.by, &scan.source)).collect();
            for scalar in &derive {
                row.push(scalar.evaluate(&row));
            }
            rows += 1;
            if keep.as_ref().is_none_or(|keep| keep.evaluate(&row) == Value::Truth(true)) {
                batch.iter_mut().zip(&of).for_each(|(column, of)| column.push(of.evaluate(&row)));
                kept += 1;
            }
            if kept == ROWS_BATCH && !hand_on(&mut batch, &mut kept) {
                return Ok(rows);
            }
            if rows % 65_536 == 0 {
                progress(rows);
            }
        }
    }
    if kept > 0 {
        hand_on(&mut batch, &mut kept);
    }
    progress(rows);
    Ok(rows)
}

/// Rows handed on at a time.
const ROWS_BATCH: u32 = 4096;

fn text_only(source: &Source) -> Result<(), EngineError> {
    check_delimiter(source)?;
    let packed = |path: &std::path::PathBuf| paths::packing(path).is_some();
    match source.format {
        Format::Csv | Format::Tsv if source.paths.iter().any(packed) => {
            Err(EngineError::Unsupported("compressed files"))
        }
        Format::Csv | Format::Tsv => Ok(()),
        Format::Parquet => Err(EngineError::Unsupported("Parquet")),
        Format::Ndjson => Err(EngineError::Unsupported("NDJSON")),
        Format::Ipc => Err(EngineError::Unsupported("Arrow IPC")),
    }
}

/// Names and values of the hive partitions a file lies in.
pub(super) fn partitions(path: &std::path::Path, source: &Source) -> Vec<(String, String)> {
    if source.hive { paths::partitions(std::path::Path::new(""), path) } else { Vec::new() }
}

/// Where the text of a column is.
enum Place {
    Field(usize),
    Folder(String),
}

impl Place {
    fn text<'a>(&'a self, fields: &[&'a str]) -> &'a str {
        match self {
            Place::Field(at) => fields[*at],
            Place::Folder(value) => value,
        }
    }
}

/// The place in a file of every column that is read. A folder's name goes before a field.
fn places(scan: &Scan, header: &[String], path: &std::path::Path) -> Result<Vec<Place>, EngineError> {
    let folders = partitions(path, &scan.source);
    let find = |read: &crate::scan::Read| {
        let folder =
            folders.iter().rfind(|(name, _)| **name == *read.column).map(|(_, value)| Place::Folder(value.clone()));
        let field = || header.iter().position(|name| **name == *read.column).map(Place::Field);
        folder.or_else(field).ok_or_else(|| EngineError::NoColumn {
            path: path.into(),
            column: read.column.to_string(),
            near: near(&read.column, header.iter().chain(folders.iter().map(|(name, _)| name))),
        })
    };
    scan.reads.iter().map(find).collect()
}

/// The names of a row's values, in order, with their kinds: what is read, then what is derived.
pub(super) fn names(scan: &Scan) -> Result<Vec<(Arc<str>, Kind)>, EngineError> {
    let mut names: Vec<(Arc<str>, Kind)> = scan.reads.iter().map(|read| (read.name.clone(), read.by.kind())).collect();
    for (name, scalar) in &scan.derive {
        let kind = scalar
            .kind(&|column| names.iter().find(|(name, _)| **name == *column).map(|(_, kind)| *kind))
            .map_err(|e| EngineError::Expression(format!("derive.{name}: {e}")))?;
        names.push((name.clone(), kind));
    }
    Ok(names)
}

/// Checks the types of an expression over the names of a scan.
pub(super) fn typed(scan: &Scan, scalar: &Scalar) -> Result<Kind, EngineError> {
    let names = names(scan)?;
    let kind = |column: &str| names.iter().rfind(|(name, _)| **name == *column).map(|(_, kind)| *kind);
    scalar.kind(&kind).map_err(|e| EngineError::Expression(format!("{scalar}: {e}")))
}

/// Binds an expression to the positions of a row, after checking its types.
pub(super) fn bind(scan: &Scan, scalar: &Scalar) -> Result<Bound, EngineError> {
    typed(scan, scalar)?;
    let names = names(scan)?;
    let at = |column: &str| names.iter().rposition(|(name, _)| **name == *column);
    scalar.bind(at).map_err(|e| EngineError::Expression(format!("{scalar}: {e}")))
}

fn derived(scan: &Scan) -> Result<Vec<Bound>, EngineError> {
    scan.derive.iter().map(|(_, scalar)| bind(scan, scalar)).collect()
}

/// One demand being counted.
struct Counter<'a> {
    demand: &'a Demand,
    within: Option<BoundAxis<'a>>,
    axes: Vec<BoundAxis<'a>>,
    /// Weight, value or columns, as the shape has them.
    of: Vec<Bound>,
    weights: Vec<Bound>,
    cross: Vec<Bound>,
    key: Option<BoundKey>,
    sum: Statistic,
    classes: HashMap<Vec<u8>, u64>,
    classes_bytes: u64,
}

impl<'a> Counter<'a> {
    fn new(scan: &Scan, demand: &'a Demand) -> Result<Counter<'a>, EngineError> {
        let within = match &demand.rows {
            Rows::All | Rows::Kept => None,
            Rows::Within { axis, .. } => Some(BoundAxis::new(scan, axis)?),
        };
        let none: &[Fixed] = &[];
        let (by, of, weights, cross): (&[Axis], Vec<&Scalar>, &[Fixed], &[Fixed]) = match &demand.shape {
            Shape::Tally { axes, weight } => (axes, weight.iter().collect(), none, none),
            Shape::Moments { by, of, weights, cross, .. } => (by, of.iter().map(|f| &f.of).collect(), weights, cross),
            Shape::Histogram { by, of, .. } => (by, vec![of], none, none),
            Shape::ClassSizes { of, .. } | Shape::Panel { of, .. } => (&[], of.iter().collect(), none, none),
        };
        let sizes: Vec<u32> = by.iter().map(Axis::size).collect();
        let sum = match &demand.shape {
            Shape::Tally { .. } => Statistic::Tally(Tally::new(sizes)),
            Shape::Moments { limbs, .. } => {
                Statistic::Moments(Moments { sizes, scale_bits: limbs.bits(), groups: BTreeMap::new() })
            }
            Shape::Histogram { bins, .. } => {
                Statistic::Histogram(Histogram { sizes, bins: *bins, groups: BTreeMap::new() })
            }
            Shape::ClassSizes { .. } => Statistic::ClassSizes(ClassSizes::default()),
            Shape::Panel { limit, distinct: false, .. } => Statistic::Panel(Panel::new(*limit)),
            Shape::Panel { limit, distinct: true, .. } => Statistic::Panel(Panel::distinct(*limit)),
        };
        let key = match &demand.shape {
            Shape::Panel { key, .. } => Some(BoundKey::new(scan, key)?),
            _ => None,
        };
        let bind_fixed = |columns: &[Fixed]| columns.iter().map(|f| bind(scan, &f.of)).collect::<Result<Vec<_>, _>>();
        Ok(Counter {
            demand,
            within,
            axes: by.iter().map(|axis| BoundAxis::new(scan, axis)).collect::<Result<_, _>>()?,
            of: of.into_iter().map(|scalar| bind(scan, scalar)).collect::<Result<_, _>>()?,
            weights: bind_fixed(weights)?,
            cross: bind_fixed(cross)?,
            key,
            sum,
            classes: HashMap::new(),
            classes_bytes: 0,
        })
    }

    fn count(&mut self, row: &[Value], reads: usize, kept: bool) -> Result<(), EngineError> {
        let counted = match (&self.demand.rows, &self.within) {
            (Rows::All, _) => true,
            (Rows::Kept, _) => kept,
            (Rows::Within { codes, .. }, Some(axis)) => kept && codes.contains(&axis.code(row, reads)),
            (Rows::Within { .. }, None) => false,
        };
        if !counted {
            return Ok(());
        }
        let codes: Vec<u32> = self.axes.iter().map(|axis| axis.code(row, reads)).collect();
        match (&self.demand.shape, &mut self.sum) {
            (Shape::Tally { .. }, Statistic::Tally(tally)) => {
                let cell = match self.of.first() {
                    None => Cell::rows(1),
                    Some(weight) => weighted(&weight.evaluate(row)),
                };
                tally.add(&codes, cell);
            }
            (Shape::Moments { of, weights, cross, gram, limbs, .. }, Statistic::Moments(moments)) => {
                let code = Tally::new(moments.sizes.clone()).code(&codes);
                let new = || MomentSums::new(of.len() + 1, weights.len(), cross.len(), *gram);
                let sums = moments.groups.entry(code).or_insert_with(new);
                let columns = quantised(of, &self.of, row, *limbs);
                let weights = quantised(weights, &self.weights, row, Limbs::One);
                let cross = quantised(cross, &self.cross, row, *limbs);
                match (columns, weights, cross) {
                    (Some(columns), Some(weights), Some(cross)) => {
                        add_moments(sums, &columns, &weights, &cross, *limbs)
                    }
                    _ => sums.skipped += 1,
                }
            }
            (Shape::Histogram { bins, .. }, Statistic::Histogram(histogram)) => {
                let code = Tally::new(histogram.sizes.clone()).code(&codes);
                let counts = histogram.groups.entry(code).or_default();
                count_value(counts, &self.of[0].evaluate(row), bins.as_ref());
            }
            (Shape::ClassSizes { memory_bytes_max, .. }, Statistic::ClassSizes(sizes)) => {
                let values: Vec<Value> = self.of.iter().map(|of| of.evaluate(row)).collect();
                if values.contains(&Value::Null) {
                    sizes.missing += 1;
                    return Ok(());
                }
                let mut key = Vec::new();
                class_bytes(&mut key, values.iter());
                let bytes = key.len() as u64 + 64;
                let rows = self.classes.entry(key).or_insert_with(|| {
                    self.classes_bytes += bytes;
                    0
                });
                *rows += 1;
                if self.classes_bytes > *memory_bytes_max {
                    let demand = self.demand.name.to_string();
                    return Err(EngineError::Memory { demand, limit_bytes: *memory_bytes_max });
                }
            }
            (Shape::Panel { salt, .. }, Statistic::Panel(panel)) => {
                let key = self.key.as_ref().map(|key| key.bytes(row, reads)).unwrap_or_default();
                let values = self.of.iter().map(|of| PanelValue::of(&of.evaluate(row))).collect();
                panel.add(hash(salt, &key), values, 1);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Statistic {
        if let Statistic::ClassSizes(sizes) = &mut self.sum {
            for size in self.classes.into_values() {
                *sizes.classes.entry(size).or_default() += 1;
            }
        }
        self.sum
    }
}

/// The cell of one row of this weight. A missing or negative weight counts as zero; the contract counts such rows.
pub(super) fn weighted(weight: &Value) -> Cell {
    let units = match weight {
        Value::Number(weight) => weight_units(*weight),
        _ => 0,
    };
    Cell { n: 1, w: units, ww: units * units, draws: 0 }
}

/// Greatest weight: the squares of 2^35 such weights can be summed in 128 bits.
pub(super) const WEIGHT_MAX: f64 = (1u64 << 26) as f64;

/// A weight in units of 2^-20, within 0 and [`WEIGHT_MAX`].
pub(super) fn weight_units(weight: f64) -> i128 {
    (weight.clamp(0.0, WEIGHT_MAX) * (1u64 << 20) as f64 + 0.5).floor() as i128
}

fn quantised(columns: &[Fixed], bound: &[Bound], row: &[Value], limbs: Limbs) -> Option<Vec<i128>> {
    let one = |(fixed, bound): (&Fixed, &Bound)| match bound.evaluate(row) {
        _ if !fixed.has_width() => None,
        Value::Number(number) => Some(i128::from(fixed.quantise(number, limbs.bits()))),
        Value::Truth(truth) => Some(i128::from(fixed.quantise(f64::from(u8::from(truth)), limbs.bits()))),
        Value::Null | Value::Text(_) => None,
    };
    columns.iter().zip(bound).map(one).collect()
}

/// Adds one row: products of the variables (the constant first), of the weighted variables, and with the cross columns.
///
/// With a weight the product is floor((w x_i + 2^19) / 2^20) x_j for i <= j, both at 2^-20.
fn add_moments(sums: &mut MomentSums, columns: &[i128], weights: &[i128], cross: &[i128], limbs: Limbs) {
    let mut variables = vec![1i128 << limbs.bits()];
    variables.extend(columns);
    sums.n += 1;
    let mut at = 0;
    for i in 0..variables.len() {
        for j in i..variables.len() {
            if let Some(sum) = sums.gram.get_mut(at) {
                *sum += variables[i] * variables[j];
            }
            for (k, weight) in weights.iter().enumerate() {
                let (x, y) = (variables[i] >> (limbs.bits() - 20), variables[j] >> (limbs.bits() - 20));
                sums.weighted[k][at] += ((weight * x + (1 << 19)) >> 20) * y;
            }
            at += 1;
        }
        for (k, column) in cross.iter().enumerate() {
            sums.cross[i * cross.len() + k] += variables[i] * column;
        }
    }
}

fn count_value(counts: &mut Counts, value: &Value, bins: Option<&crate::statistic::Bins>) {
    match value {
        Value::Null => counts.missing += 1,
        Value::Truth(truth) => counts.add_number(f64::from(u8::from(*truth)), 1, bins),
        Value::Number(number) => counts.add_number(*number, 1, bins),
        Value::Text(text) => counts.add_text(text, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two to the thirty-four rows of the greatest weight: a column of account numbers taken for weights must not stop the program.
    #[test]
    fn sums_of_great_weights_do_not_overflow() {
        let mut cell = weighted(&Value::Number(1e300));
        for _ in 0..34 {
            cell += cell;
        }
        assert_eq!(cell.ww, 1i128 << (2 * 46 + 34));
    }
}

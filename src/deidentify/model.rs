//! The model of a pipeline file: which classes are counted, and what is decided on them.
//!
//! Quasi-identifiers are the columns with `do = "model"`, in the order of their names. Classes are counted in a pass that is made anyway; the
//! search looks at classes, and the rows are written in the pass of the dataset.

use std::path::Path;
use std::sync::Arc;

use super::classes::{Classes, ModelError};
use super::criteria::{Absent, Criterion, Distance};
use super::dataset::{Coder, Decided, DeidentifyError, NUDGE, Written};
use super::hierarchy::{DatePart, Hierarchy};
use super::lattice::Search;
use super::mondrian::mondrian;
use super::risk::risk;
use super::utility::Objective;
use crate::audit::{ClassCriterion, ClassRisk, Coarsening, QuasiIdentifier};
use crate::demand::{Axis, Demand, Rows, Shape};
use crate::plan::spec::{self, ClassModel, ColumnRule, Deidentify, Do, LossOf, SearchBy, Spec};
use crate::plan::{Plan, kinds};
use crate::scalar::{Arithmetic, Expr, Function, Kind, Scalar, format_number};
use crate::schema::{Domain, Origin};
use crate::statistic::Tally;
use crate::world;

/// Name of the table of classes.
pub const CLASSES: &str = "deidentify/classes";

/// Name of the table of the population's classes.
pub const POPULATION: &str = "deidentify/population";

/// Finest intervals of one column.
const INTERVALS_MAX: f64 = 100_000.0;

/// A model whose files are read; no row is.
pub struct Model<'a> {
    of: &'a ClassModel,
    columns: Vec<(&'a str, &'a ColumnRule, Option<String>)>,
}

/// What a model came to.
pub struct Decision {
    pub coarsening: Coarsening,
    pub decided: Decided,
}

/// A quasi-identifier, ready to be counted.
struct Quasi {
    axis: Axis,
    coder: Coder,
    hierarchy: Hierarchy,
}

impl Model<'_> {
    /// The model of a section, if it has one.
    ///
    /// # Errors
    /// A hierarchy file that is not there or no text.
    pub fn open<'a>(section: &'a Deidentify, folder: &Path) -> Result<Option<Model<'a>>, DeidentifyError> {
        let Some(of) = &section.model else { return Ok(None) };
        let wrong = |name: &str, why: &str| DeidentifyError::Rule { column: name.into(), why: why.into() };
        let text = |name: &str, file: &String| {
            let bytes =
                world::read(&folder.join(file))?.ok_or_else(|| wrong(name, "the hierarchy file is not there"))?;
            String::from_utf8(bytes).map_err(|_| wrong(name, "the hierarchy is not UTF-8"))
        };
        let column = |(name, rule): (&'a String, &'a ColumnRule)| {
            let table = rule.hierarchy.as_ref().map(|file| text(name, file)).transpose()?;
            Ok((name.as_str(), rule, table))
        };
        let columns = section.columns.iter().filter(|(_, rule)| rule.by == Do::Model).map(column);
        Ok(Some(Model { of, columns: columns.collect::<Result<_, DeidentifyError>>()? }))
    }

    /// The table of the classes: quasi-identifiers, then the sensitive column.
    ///
    /// # Errors
    /// A column whose levels are not known, hierarchies that do not fit them, more cells than can be numbered.
    pub fn demand(&self, plan: &Plan) -> Result<Demand, ModelError> {
        let mut axes: Vec<Axis> = self.quasi(plan)?.into_iter().map(|quasi| quasi.axis).collect();
        if let Some(sensitive) = &self.of.sensitive {
            let levels = levels(plan, sensitive)?;
            axes.push(Axis::Levels { of: as_text(plan, sensitive)?, levels });
        }
        let cells = axes.iter().try_fold(1u64, |cells, axis| cells.checked_mul(u64::from(axis.size())));
        cells.filter(|cells| *cells < 1 << 62).ok_or(ModelError::Cells)?;
        Ok(Demand { name: CLASSES.into(), rows: Rows::Kept, shape: Shape::Tally { axes, weight: None } })
    }

    /// The file of the population as a pipeline file of its own, with the quasi-identifiers and nothing else.
    pub fn population(&self, spec: &Spec) -> Option<Spec> {
        let mut of = spec.clone();
        of.ingest.path = self.of.population.clone()?;
        (of.ingest.format, of.ingest.filter) = (None, None);
        of.derive.clear();
        of.schema.retain(|name, _| self.columns.iter().any(|(column, _, _)| column == name));
        (of.privacy, of.deidentify, of.train, of.attacks) = (None, None, None, None);
        Some(of)
    }

    /// The table of the population's classes.
    ///
    /// # Errors
    /// As for the table of the dataset.
    pub fn population_demand(&self, plan: &Plan) -> Result<Demand, ModelError> {
        let axes = self.quasi(plan)?.into_iter().map(|quasi| quasi.axis).collect();
        Ok(Demand { name: POPULATION.into(), rows: Rows::All, shape: Shape::Tally { axes, weight: None } })
    }

    /// Finds the coarser values of least loss that keep the criteria. `population` is the table of the population's classes.
    ///
    /// # Errors
    /// Criteria that cannot be reached within the limit of suppression, or that lack what they read.
    pub fn decide(&self, plan: &Plan, tally: &Tally, population: Option<&Tally>) -> Result<Decision, ModelError> {
        let quasi = self.quasi(plan)?;
        let mut classes = Classes::of(tally, quasi.len())?;
        if let Some(population) = population {
            classes = classes.with_population(population)?;
        }
        let criteria = self.criteria();
        let hierarchies: Vec<Hierarchy> = quasi.iter().map(|quasi| quasi.hierarchy.clone()).collect();
        let mut found = match self.of.search {
            SearchBy::Lattice => self.lattice(&classes, &hierarchies, &criteria)?,
            SearchBy::Mondrian => by_regions(&classes, &hierarchies, &criteria)?,
        };
        if found.classes.rows() == 0 {
            return Err(ModelError::NothingLeft);
        }
        let reference = classes.reference();
        found.criteria = criteria
            .iter()
            .map(|criterion| {
                let attained = criterion.attained(&found.classes, &reference);
                ClassCriterion {
                    name: criterion.name().into(),
                    asked: asked(criterion),
                    attained: attained.value,
                    holds: attained.holds,
                }
            })
            .collect();
        let column = |((name, _, _), of): (&(&str, &ColumnRule, _), &Hierarchy)| QuasiIdentifier {
            name: (*name).into(),
            level: None,
            levels: of.levels() as u32,
        };
        let mut quasi_identifiers: Vec<QuasiIdentifier> = self.columns.iter().zip(&hierarchies).map(column).collect();
        for (quasi, level) in quasi_identifiers.iter_mut().zip(&found.levels) {
            quasi.level = Some(*level as u32);
        }
        let coarsening = Coarsening {
            search: self.of.search,
            quasi_identifiers,
            sensitive: self.of.sensitive.as_deref().map(Arc::from),
            criteria: found.criteria,
            rows: classes.rows(),
            rows_suppressed: found.suppressed,
            suppression_max: self.of.suppression_max,
            objective: found.objective.name().into(),
            loss: found.loss,
            combinations: found.nodes as u64,
            evaluated: found.evaluated as u64,
            risk_at: self.of.risk_at.clone(),
            before: self.risk(plan, &classes),
            after: self.risk(plan, &found.classes),
        };
        let names = self.columns.iter().map(|(name, _, _)| name.to_string());
        let columns = names.zip(quasi).map(|(name, quasi)| (name, quasi.coder)).collect();
        Ok(Decision { coarsening, decided: Decided { columns, written: found.written } })
    }

    fn lattice(
        &self,
        classes: &Classes,
        hierarchies: &[Hierarchy],
        criteria: &[Criterion],
    ) -> Result<Found, ModelError> {
        let objective = objective(self.of.objective);
        let search = Search { hierarchies, criteria, suppression_max: self.of.suppression_max, objective };
        let solution = search.run(classes)?;
        Ok(Found {
            levels: solution.levels.clone(),
            classes: solution.classes.clone(),
            suppressed: solution.suppressed,
            objective,
            loss: solution.loss,
            nodes: solution.nodes,
            evaluated: solution.evaluated,
            criteria: Vec::new(),
            written: Arc::new(move |codes| Some(solution.written(codes)?.into_iter().cloned().collect())),
        })
    }

    fn criteria(&self) -> Vec<Criterion> {
        let of = self.of;
        let k = of.k_anonymity.unwrap_or(1);
        let closeness = |t: Option<f64>, distance| t.map(|t| Criterion::Closeness { t, distance });
        [
            of.k_anonymity.map(|k| Criterion::KAnonymity { k }),
            of.k_map.map(|k| Criterion::KMap { k }),
            of.alpha.map(|alpha| Criterion::AlphaK { alpha, k }),
            of.distinct_diversity.map(|l| Criterion::DistinctDiversity { l }),
            of.entropy_diversity.map(|l| Criterion::EntropyDiversity { l }),
            of.recursive_diversity.map(|(c, l)| Criterion::RecursiveDiversity { c, l }),
            closeness(of.closeness, Distance::Equal),
            closeness(of.ordered_closeness, Distance::Ordered),
            of.delta_disclosure.map(|delta| Criterion::DeltaDisclosure { delta, absent: Absent::Refused }),
            of.basic_beta.map(|beta| Criterion::BasicBeta { beta }),
            of.enhanced_beta.map(|beta| Criterion::EnhancedBeta { beta }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Counts of rows below `suppress_below` are withheld, and what tells them.
    fn risk(&self, plan: &Plan, classes: &Classes) -> Option<ClassRisk> {
        let risk = risk(classes, &self.of.risk_at)?;
        let least = plan.spec.measure.suppress_below;
        let told = |rows: f64| rows < 0.5 || rows >= least as f64;
        let share = |share: f64| Some(share).filter(|share| told(share * risk.rows as f64));
        let is_small = risk.class_min < least;
        Some(ClassRisk {
            rows: risk.rows,
            classes: risk.classes,
            class_min: (!is_small).then_some(risk.class_min),
            class_max: Some(risk.class_max).filter(|rows| *rows >= least),
            prosecutor_max: (!is_small).then_some(risk.prosecutor_max),
            marketer: risk.prosecutor_mean,
            at_risk: risk.at_risk.iter().map(|of| share(*of)).collect(),
            uniques: share(risk.sample_uniques),
            journalist_max: risk.journalist.as_ref().map(|of| of.max),
            journalist_mean: risk.journalist.as_ref().map(|of| of.mean),
        })
    }

    fn quasi(&self, plan: &Plan) -> Result<Vec<Quasi>, ModelError> {
        self.columns.iter().map(|(name, rule, table)| quasi(plan, name, rule, table.as_deref())).collect()
    }
}

/// Coarser values, whichever way they were found.
struct Found {
    /// Empty where regions have values of their own.
    levels: Vec<usize>,
    classes: Classes,
    suppressed: u64,
    objective: Objective,
    loss: f64,
    nodes: usize,
    evaluated: usize,
    criteria: Vec<ClassCriterion>,
    written: Written,
}

fn by_regions(classes: &Classes, columns: &[Hierarchy], criteria: &[Criterion]) -> Result<Found, ModelError> {
    let partition = mondrian(classes, columns, criteria)?;
    Ok(Found {
        levels: Vec::new(),
        classes: partition.classes.clone(),
        suppressed: 0,
        objective: Objective::Granularity,
        loss: partition.granularity,
        nodes: partition.regions.len(),
        evaluated: partition.regions.len(),
        criteria: Vec::new(),
        written: Arc::new(move |codes| partition.written(codes).map(<[Arc<str>]>::to_vec)),
    })
}

fn objective(of: LossOf) -> Objective {
    match of {
        LossOf::Granularity => Objective::Granularity,
        LossOf::Discernibility => Objective::Discernibility,
        LossOf::AverageClassSize => Objective::AverageClassSize,
        LossOf::NonUniformEntropy => Objective::NonUniformEntropy,
    }
}

/// The threshold in words.
fn asked(criterion: &Criterion) -> String {
    let number = format_number;
    match criterion {
        Criterion::KAnonymity { k } => format!("at least {k} rows"),
        Criterion::KMap { k } => format!("at least {k} rows of the population"),
        Criterion::AlphaK { alpha, k } => format!("at most {}, in classes of at least {k} rows", number(*alpha)),
        Criterion::DistinctDiversity { l } => format!("at least {l}"),
        Criterion::EntropyDiversity { l } => format!("at least {}", number(*l)),
        Criterion::RecursiveDiversity { c, l } => format!("below {}, l being {l}", number(*c)),
        Criterion::Closeness { t, .. } => format!("at most {}", number(*t)),
        Criterion::DeltaDisclosure { delta, .. } => format!("below {}", number(*delta)),
        Criterion::BasicBeta { beta } | Criterion::EnhancedBeta { beta } => format!("at most {}", number(*beta)),
    }
}

/// The declared or learned levels of a column of texts or truth values.
fn levels(plan: &Plan, name: &str) -> Result<Arc<[Arc<str>]>, ModelError> {
    let domain = plan.schema.columns.iter().find(|column| *column.name == *name).map(|column| &column.domain);
    match (domain, kind(plan, name)?) {
        (Some(Domain::Levels(levels)), _) => Ok(levels.clone()),
        (Some(Domain::Open), Kind::Truth) => Ok(["false".into(), "true".into()].into()),
        _ => Err(wrong(name, "its levels are not known: declare levels")),
    }
}

fn wrong(name: &str, what: &str) -> ModelError {
    ModelError::Steps { hierarchy: name.into(), what: what.into() }
}

fn kind(plan: &Plan, name: &str) -> Result<Kind, ModelError> {
    let kinds = kinds(&plan.scan).map_err(|_| wrong(name, "its kind is not known"))?;
    kinds.get(name).copied().ok_or_else(|| wrong(name, "it is not read"))
}

fn as_text(plan: &Plan, name: &str) -> Result<Scalar, ModelError> {
    let column = Scalar::column(name);
    Ok(match kind(plan, name)? {
        Kind::Text => column,
        Kind::Number | Kind::Truth => Expr::Apply(Function::ToText, vec![column]),
    })
}

fn quasi(plan: &Plan, name: &str, rule: &ColumnRule, table: Option<&str>) -> Result<Quasi, ModelError> {
    if let Some(widths) = &rule.widths {
        return intervals(plan, name, widths);
    }
    let levels = levels(plan, name)?;
    let hierarchy = match (table, &rule.prefixes, &rule.dates) {
        (Some(text), _, _) => Hierarchy::table(name, &levels, text)?,
        (None, Some(kept), _) => {
            Hierarchy::prefixes(name, &levels, &kept.iter().map(|kept| *kept as usize).collect::<Vec<_>>())?
        }
        (None, None, Some(parts)) => {
            let part = |part: &spec::DatePart| match part {
                spec::DatePart::Month => DatePart::Month,
                spec::DatePart::Quarter => DatePart::Quarter,
                spec::DatePart::Year => DatePart::Year,
            };
            Hierarchy::dates(name, &levels, &parts.iter().map(part).collect::<Vec<_>>())?
        }
        (None, None, None) => Hierarchy::identity(name, &levels),
    };
    Ok(Quasi { coder: Coder::levels(&levels), axis: Axis::Levels { of: as_text(plan, name)?, levels }, hierarchy })
}

/// A tenth is no double, nor are its multiples: digits beyond the twelfth are not meant.
fn twelve_digits(x: f64) -> String {
    format!("{x:.11e}").parse().map_or_else(|_| format_number(x), format_number)
}

/// A number in intervals [a, b) of the first width, the first beginning at the lower bound; wider ones are made of these.
fn intervals(plan: &Plan, name: &str, widths: &[f64]) -> Result<Quasi, ModelError> {
    let column = plan.schema.columns.iter().find(|column| *column.name == *name);
    // A bound that was read off the rows is the value of a row.
    let domain = column.filter(|column| column.origin == Origin::Declared).map(|column| &column.domain);
    let Some(Domain::Bounds { lower, upper }) = domain else {
        return Err(wrong(name, "widths need bounds: declare bounds"));
    };
    let Some(&width) = widths.first().filter(|width| **width > 0.0) else {
        return Err(wrong(name, "widths are more than 0"));
    };
    let count = ((upper - lower) / width).floor() + 1.0;
    if count.is_nan() || count > INTERVALS_MAX {
        return Err(wrong(name, "there are more than 100,000 intervals of the first width: make it wider"));
    }
    let count = count as u32;
    let whole = width == 1.0 && lower.fract() == 0.0;
    let text = |first: u32, past: u32| -> Arc<str> {
        let end = |at: u32| twelve_digits(lower + f64::from(at) * width);
        match whole && past == first + 1 {
            true => end(first).into(),
            false => format!("[{}, {})", end(first), end(past)).into(),
        }
    };
    let names: Vec<Arc<str>> = (0..count).map(|at| text(at, at + 1)).collect();
    let step = |wider: &f64| {
        let times = (wider / width).round();
        let fits = times >= 1.0 && times <= f64::from(u32::MAX) && (times * width - wider).abs() <= 1e-9 * wider;
        let times = if fits { times as u32 } else { return Err(wrong(name, "a width is a multiple of the first")) };
        let of = |at: u32| at / times * times;
        Ok((0..count).map(|at| text(of(at), of(at).saturating_add(times))).collect::<Vec<_>>())
    };
    let steps = widths[1..].iter().map(step).collect::<Result<Vec<_>, _>>()?;
    let place = |by, left: Scalar, right: f64| Expr::Arithmetic(by, Box::new(left), Box::new(Scalar::number(right)));
    let from = place(Arithmetic::Subtract, Scalar::column(name), *lower);
    let part = place(Arithmetic::Add, place(Arithmetic::Divide, from, width), NUDGE);
    let floor = Expr::Apply(Function::Floor, vec![part]);
    let numbers: Arc<[Arc<str>]> = (0..count).map(|at| Arc::from(format_number(at.into()))).collect();
    Ok(Quasi {
        axis: Axis::Levels { of: Expr::Apply(Function::ToText, vec![floor]), levels: numbers },
        coder: Coder::Intervals { lower: *lower, width, count },
        hierarchy: Hierarchy::steps(name, &names, &steps)?,
    })
}

#[cfg(test)]
mod tests;

//! The same two runs, the other way round.

use super::{
    Budget, Changes, CoefficientChange, ColumnChange, Counts, CriterionChange, DataChange, Difference, FileChange,
    FindingChange, Findings, ModelChange, Pair, Setting, ValueChange, count,
};

impl Changes {
    /// The same two runs, the other way round.
    pub fn turned(self) -> Changes {
        let turn = |list: Vec<FindingChange>| list.into_iter().map(FindingChange::turned).collect::<Vec<_>>();
        let of = self.findings;
        let mut new = turn(of.fixed);
        new.extend(turn(of.gone));
        new.sort_by(FindingChange::order);
        let (fixed, gone): (Vec<_>, Vec<_>) = turn(of.new).into_iter().partition(|of| of.after.is_some());
        let (waivers_gained, waivers_ended) = (turn(of.waivers_ended), turn(of.waivers_gained));
        let findings = Findings { new, fixed, gone, still: turn(of.still), waivers_gained, waivers_ended };
        let [new, fixed, gone, still, waivers_gained, waivers_ended] = findings.lists().map(|list| count(list.len()));
        let [new_by_limit, fixed_by_limit] = findings.by_limit();
        let turned = |settings: Vec<Setting>| settings.into_iter().map(Setting::turned).collect();
        Changes {
            before: self.after,
            after: self.before,
            counts: Counts {
                new,
                fixed,
                new_by_limit,
                fixed_by_limit,
                gone,
                still,
                waivers_gained,
                waivers_ended,
                ..self.counts
            },
            findings,
            values: self.values.into_iter().map(ValueChange::turned).collect(),
            criteria: self
                .criteria
                .into_iter()
                .map(|of| CriterionChange { before: of.after, after: of.before, ..of })
                .collect(),
            spec_sha256: self.spec_sha256.map(Pair::turned),
            settings: turned(self.settings),
            columns: self.columns.into_iter().map(ColumnChange::turned).collect(),
            model: ModelChange {
                facts: turned(self.model.facts),
                coefficients: self
                    .model
                    .coefficients
                    .into_iter()
                    .map(|of| CoefficientChange { before: of.after, after: of.before, ..of })
                    .collect(),
                ..self.model
            },
            data: self.data.turned(),
            budget: self.budget.map(|of| Budget {
                population: of.population.turned(),
                epsilon: of.epsilon.turned(),
                delta: of.delta.turned(),
                spent: of.spent.turned(),
                left: of.left.turned(),
            }),
            changes_version: self.changes_version,
            unread: self.unread,
        }
    }
}

impl ColumnChange {
    fn turned(self) -> ColumnChange {
        ColumnChange {
            there: self.there.turned(),
            roles: self.roles.map(Pair::turned),
            levels_added: self.levels_removed,
            levels_removed: self.levels_added,
            domain: self.domain.map(Pair::turned),
            origin: self.origin.map(Pair::turned),
            derived: self.derived.map(Pair::turned),
            name: self.name,
        }
    }
}

impl DataChange {
    fn turned(self) -> DataChange {
        let file = |of: FileChange| FileChange { before: of.after, after: of.before, ..of };
        DataChange {
            rows_read: self.rows_read.map(Pair::turned),
            rows_kept: self.rows_kept.map(Pair::turned),
            rows_measured: self.rows_measured.map(Pair::turned),
            files: self.files.into_iter().map(file).collect(),
            files_told: self.files_told,
        }
    }
}

impl ValueChange {
    fn turned(self) -> ValueChange {
        let difference = match self.difference {
            Difference::Estimated { point, lower, upper } => {
                Difference::Estimated { point: 0.0 - point, lower: 0.0 - upper, upper: 0.0 - lower }
            }
            unsaid => unsaid,
        };
        ValueChange { before: self.after, after: self.before, difference, ..self }
    }
}

impl Setting {
    fn turned(self) -> Setting {
        Setting { before: self.after, after: self.before, ..self }
    }
}

impl<T> Pair<T> {
    fn turned(self) -> Pair<T> {
        Pair { before: self.after, after: self.before }
    }
}

impl FindingChange {
    fn turned(self) -> FindingChange {
        FindingChange { before: self.after, after: self.before, ..self }
    }
}

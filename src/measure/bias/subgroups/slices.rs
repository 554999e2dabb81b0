//! The subgroups of greatest score, by exact search.
//!
//! A subgroup is a conjunction of conditions, at most one a column. With n rows of total loss e, a subgroup of s rows with the loss f has the
//! score of SliceLine (Sagadeeva and Boehm 2021, SIGMOD):
//!
//! ```text
//! score = alpha ((f / s) / (e / n) - 1) - (1 - alpha) (n / s - 1)
//! ```
//!
//! Adding a condition takes rows away: size, total and greatest loss only fall. So no subgroup inside another of size s, loss f and greatest
//! loss m has more than the maximum, over sizes t from the least allowed to s, of the score of t rows with the loss min(f, t m). As a
//! function of t it rises up to f / m and is monotone after it: the maximum is at one of three sizes. What cannot reach the list is not counted.

/// Rows of a half as bits, with a loss each.
pub struct Losses {
    values: Vec<f64>,
    /// Rows of loss 1, where every loss is 0 or 1.
    ones: Option<Bits>,
}

/// A set of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Bits(Vec<u64>);

impl Bits {
    pub fn of(rows: usize, holds: impl Fn(usize) -> bool) -> Bits {
        let mut words = vec![0u64; rows.div_ceil(64)];
        for row in (0..rows).filter(|&row| holds(row)) {
            words[row / 64] |= 1 << (row % 64);
        }
        Bits(words)
    }

    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub fn and(&self, other: &Bits) -> Bits {
        Bits(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    pub fn and_count(&self, other: &Bits) -> usize {
        self.0.iter().zip(&other.0).map(|(a, b)| (a & b).count_ones() as usize).sum()
    }

    pub fn without(&self, other: &Bits) -> Bits {
        Bits(self.0.iter().zip(&other.0).map(|(a, b)| a & !b).collect())
    }

    pub fn or(&self, other: &Bits) -> Bits {
        Bits(self.0.iter().zip(&other.0).map(|(a, b)| a | b).collect())
    }

    fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(at * 64 + bit)
            })
        })
    }
}

/// Size, total loss and greatest loss of a subgroup.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    pub rows: usize,
    pub loss: f64,
    pub most: f64,
}

impl Losses {
    pub fn of(values: Vec<f64>) -> Losses {
        let binary = values.iter().all(|&value| value == 0.0 || value == 1.0);
        let ones = binary.then(|| Bits::of(values.len(), |row| values[row] == 1.0));
        Losses { values, ones }
    }

    pub fn rows(&self) -> usize {
        self.values.len()
    }

    pub fn total(&self) -> f64 {
        self.values.iter().sum()
    }

    /// Mean loss of some rows over that of others, in standard errors of the difference (pooled variance). Below any number where
    /// there are no others, or theirs is greater.
    fn errors_above(&self, rows: &Bits, others: &Bits) -> f64 {
        let sums = |rows: &Bits| match &self.ones {
            Some(ones) => {
                let wrong = rows.and_count(ones) as f64;
                (rows.count() as f64, wrong, wrong)
            }
            None => rows
                .rows()
                .filter_map(|row| self.values.get(row))
                .fold((0.0, 0.0, 0.0), |(n, sum, squares), loss| (n + 1.0, sum + loss, squares + loss * loss)),
        };
        let ((n, a, aa), (m, b, bb)) = (sums(rows), sums(others));
        if m == 0.0 {
            return f64::NEG_INFINITY;
        }
        let variance = (aa - a * a / n + bb - b * b / m).max(0.0) / (n + m);
        let above = a / n - b / m;
        if above <= 0.0 { f64::NEG_INFINITY } else { above / (variance * (1.0 / n + 1.0 / m)).sqrt() }
    }

    pub fn size(&self, rows: &Bits) -> Size {
        match &self.ones {
            Some(ones) => {
                let loss = rows.and_count(ones) as f64;
                Size { rows: rows.count(), loss, most: loss.min(1.0) }
            }
            None => {
                let (loss, most) = rows.rows().fold((0.0, 0.0f64), |(loss, most), row| {
                    let value = self.values.get(row).copied().unwrap_or_default();
                    (loss + value, most.max(value))
                });
                Size { rows: rows.count(), loss, most }
            }
        }
    }
}

/// A condition on one column.
pub struct Condition {
    pub column: usize,
    pub code: u32,
    pub rows: Bits,
}

/// What is asked of a search.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    pub alpha: f64,
    pub rows_min: usize,
    pub depth_max: usize,
    /// Length of the list.
    pub kept_max: usize,
    /// Combinations after which a search is given up as too long.
    pub counted_max: u64,
}

impl Question {
    /// The score of a subgroup of this size, the total loss of all rows given.
    pub fn score(&self, losses: &Losses, total: f64, size: &Size) -> f64 {
        let (n, rows) = (losses.rows() as f64, size.rows as f64);
        self.alpha * ((size.loss / rows) / (total / n) - 1.0) - (1.0 - self.alpha) * (n / rows - 1.0)
    }

    /// No subgroup inside one of this size has a greater score.
    fn bound(&self, losses: &Losses, total: f64, size: &Size) -> f64 {
        let (least, most) = (self.rows_min.max(1), size.rows);
        if most < least {
            return f64::NEG_INFINITY;
        }
        let n = losses.rows() as f64;
        let (least, most) = (least as f64, most as f64);
        let knee = if size.most > 0.0 { (size.loss / size.most).clamp(least, most) } else { least };
        let of = |rows: f64| {
            let loss = size.loss.min(rows * size.most);
            self.alpha * ((loss / rows) / (total / n) - 1.0) - (1.0 - self.alpha) * (n / rows - 1.0)
        };
        [least, knee, most].into_iter().map(of).fold(f64::NEG_INFINITY, f64::max)
    }
}

/// A subgroup: positions of its conditions, ascending.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    pub conditions: Vec<usize>,
    pub size: Size,
    pub score: f64,
}

/// The best, in order.
pub struct Best {
    pub slices: Vec<Slice>,
    pub counted: u64,
    /// False when the search was given up.
    pub complete: bool,
}

struct Search<'a> {
    losses: &'a Losses,
    total: f64,
    conditions: &'a [Condition],
    sizes: Vec<Size>,
    question: Question,
    kept: Vec<Slice>,
    /// Score that the list has no place below; the list is cut when it is twice too long.
    least: f64,
    counted: u64,
}

/// Rounding of two ways to compute one score.
const ROUNDING: f64 = 1e-9;

/// Searches all conjunctions. Conditions are in the order of their columns. Only subgroups with more than the mean loss have a score above 0; others are not
/// listed.
pub fn search(losses: &Losses, conditions: &[Condition], question: Question) -> Best {
    let total = losses.total();
    let sizes = conditions.iter().map(|condition| losses.size(&condition.rows)).collect();
    let mut search = Search { losses, total, conditions, sizes, question, kept: Vec::new(), least: 0.0, counted: 0 };
    let complete = total > 0.0 && search.extend(None, &[]);
    search.cut();
    Best { slices: search.kept, counted: search.counted, complete: complete || total <= 0.0 }
}

impl Search<'_> {
    fn is_hopeless(&self, size: &Size) -> bool {
        let bound = self.question.bound(self.losses, self.total, size);
        bound <= 0.0 || bound < self.least - ROUNDING
    }

    /// Adds every condition of a later column. False when the search is given up.
    fn extend(&mut self, inside: Option<(&Bits, Size)>, chosen: &[usize]) -> bool {
        let after = chosen.last().map(|&at| self.conditions[at].column);
        let first = self.conditions.partition_point(|condition| after.is_some_and(|after| condition.column <= after));
        for at in first..self.conditions.len() {
            let own = self.sizes[at];
            let (rows, size) = match inside {
                None => (self.conditions[at].rows.clone(), own),
                Some((rows, size)) => {
                    let both = Size {
                        rows: size.rows.min(own.rows),
                        loss: size.loss.min(own.loss),
                        most: size.most.min(own.most),
                    };
                    if self.is_hopeless(&both) {
                        continue;
                    }
                    let rows = rows.and(&self.conditions[at].rows);
                    let size = self.losses.size(&rows);
                    (rows, size)
                }
            };
            self.counted += 1;
            if self.counted > self.question.counted_max {
                return false;
            }
            if size.rows < self.question.rows_min.max(1) {
                continue;
            }
            let conditions: Vec<usize> = chosen.iter().copied().chain([at]).collect();
            let score = self.question.score(self.losses, self.total, &size);
            let deeper = conditions.len() < self.question.depth_max && !self.is_hopeless(&size);
            if score > 0.0 && score >= self.least {
                self.kept.push(Slice { conditions: conditions.clone(), size, score });
                if self.kept.len() >= 2 * self.question.kept_max.max(1) {
                    self.cut();
                }
            }
            if deeper && !self.extend(Some((&rows, size)), &conditions) {
                return false;
            }
        }
        true
    }

    /// Sorts the list and cuts it to its length. Of equal scores the one with fewer conditions comes first.
    fn cut(&mut self) {
        self.kept.sort_by(|a, b| {
            let shorter = a.conditions.len().cmp(&b.conditions.len());
            b.score.total_cmp(&a.score).then(shorter).then_with(|| a.conditions.cmp(&b.conditions))
        });
        self.kept.truncate(self.question.kept_max.max(1));
        if self.kept.len() == self.question.kept_max.max(1) {
            self.least = self.kept.last().map_or(0.0, |last| last.score);
        }
    }
}

/// Standard errors by which a condition must raise the mean loss over that of the rows it leaves out, on the rows that are searched. The best of some
/// hundred conditions of chance reach 3.
const ERRORS_MIN: f64 = 3.0;

/// Chooses from the best those that are no chance refinements and not the same story twice.
pub struct Choice<'a> {
    pub losses: &'a Losses,
    pub conditions: &'a [Condition],
    pub question: Question,
}

impl Choice<'_> {
    /// At most so many, in order. A subgroup is first made as plain as it can be; left out is one that shares more than half of the rows of both with a
    /// better one, whose conditions are among those of a better one or the other way round, or that without the rows of the better ones has
    /// no more than the mean loss.
    pub fn apart(&self, slices: &[Slice], most: usize) -> Vec<Slice> {
        let mean = self.losses.total() / self.losses.rows().max(1) as f64;
        let mut kept: Vec<(Slice, Bits)> = Vec::new();
        let mut covered: Option<Bits> = None;
        for slice in slices {
            if kept.len() == most {
                break;
            }
            let within = |a: &[usize], b: &[usize]| a.iter().all(|at| b.contains(at));
            let nested = |slice: &Slice, other: &Slice| {
                within(&slice.conditions, &other.conditions) || within(&other.conditions, &slice.conditions)
            };
            if kept.iter().any(|(other, _)| nested(slice, other)) {
                continue;
            }
            let slice = self.plain(slice);
            let rows = self.rows(&slice.conditions);
            let repeats = kept.iter().any(|(other, of_other)| {
                let both = rows.and_count(of_other);
                2 * both > slice.size.rows + other.size.rows - both || nested(&slice, other)
            });
            let own = covered.as_ref().map_or_else(|| rows.clone(), |covered| rows.without(covered));
            let size = self.losses.size(&own);
            if repeats || size.rows == 0 || size.loss <= mean * size.rows as f64 {
                continue;
            }
            covered = Some(covered.map_or_else(|| rows.clone(), |covered| covered.or(&rows)));
            kept.push((slice, rows));
        }
        kept.into_iter().map(|(slice, _)| slice).collect()
    }

    fn rows(&self, conditions: &[usize]) -> Bits {
        let mut sets = conditions.iter().filter_map(|&at| self.conditions.get(at)).map(|condition| &condition.rows);
        let first = sets.next().cloned().unwrap_or_else(|| Bits::of(self.losses.rows(), |_| true));
        sets.fold(first, |rows, other| rows.and(other))
    }

    /// The subgroup without the conditions that add nothing beyond chance, the least first. The last one stays.
    fn plain(&self, slice: &Slice) -> Slice {
        let mut slice = slice.clone();
        while slice.conditions.len() > 1 {
            let rows = self.rows(&slice.conditions);
            let wider = slice.conditions.iter().map(|dropped| {
                let left: Vec<usize> = slice.conditions.iter().copied().filter(|at| at != dropped).collect();
                let outside = self.rows(&left).without(&rows);
                (self.losses.errors_above(&rows, &outside), left)
            });
            let Some((errors, left)) = wider.min_by(|a, b| a.0.total_cmp(&b.0)) else { break };
            if errors >= ERRORS_MIN {
                break;
            }
            let size = self.losses.size(&self.rows(&left));
            let score = self.question.score(self.losses, self.losses.total(), &size);
            slice = Slice { conditions: left, size, score };
        }
        slice
    }
}

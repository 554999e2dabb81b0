# Why a verdict, why no number: said from what a finding holds where the page is not English.

reason-waiver-unmatched = The waiver matches no judged value: correct its cohort, or remove it.
reason-waiver-invalid = The waiver gives no reason, or no end that is a date, and does not count.
reason-waiver-ended = The waiver ended and does not count: mend the breach, or decide anew.
reason-not-judged = No value was judged.
reason-undefined = Undefined: { $why }.
reason-suppressed = Withheld: a count behind it is too small to publish.
reason-few-rows = { $n } rows are fewer than the { $least } that a verdict needs.
reason-breached-above = { $shown } is above { $limit }.
reason-breached-below = { $shown } is below { $limit }.
reason-together = { " " }The interval is the one for all values judged together.
reason-met-most = { $shown } is at most { $limit }.
reason-met-least = { $shown } is at least { $limit }.
reason-inside = { $limit } is inside { $shown }.
reason-widened-above = { $shown } is above { $limit }, but { $limit } is inside { $widened }, the interval for all values judged together.
reason-widened-below = { $shown } is below { $limit }, but { $limit } is inside { $widened }, the interval for all values judged together.
reason-replicates-above = { $shown } is above { $limit }, but { $n } replicates are too few for all values judged together.
reason-replicates-below = { $shown } is below { $limit }, but { $n } replicates are too few for all values judged together.
reason-too-few = { " " }Cohorts left out, with fewer than { $least } rows: { $n }.

why-empty-denominator = no row is in the denominator
why-no-weight = the rows in the denominator have no weight
why-empty-comparison = the cohort compared with has no row in its denominator
why-fewer-than-two-cohorts = fewer than two cohorts have a value
why-too-many-cohorts = more than 100 cohorts are compared: distances between so many are not resampled
why-ratio-to-zero = the value compared with is zero
why-ratio-of-signed = a ratio of values that may be negative has no meaning
why-no-reference = no reference level is declared for every attribute
why-one-class = only one of the two labels occurs
why-too-few-buckets = fewer than 20 buckets of units have rows
why-too-few-rows = fewer than two rows
why-not-a-mixture = the value of everyone is no average of the cohorts' values
why-no-variation = the target does not vary
why-score-no-probability = a score is below 0 or above 1
why-noise-exceeds-cohort = the noise exceeds the cohort
why-biased-by-noise = noise biases the values compared, by amounts that differ
why-benefit-of-zero = a benefit is zero and has no logarithm, or all are

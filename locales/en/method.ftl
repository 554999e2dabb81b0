# Limitations, method, resources, provenance, sign-off.

limitations-of-run = From the run itself
limitations-authored = Stated by the author
limitations-authored-none = The pipeline file states none.
limit-said-met = A criterion that is met says that this number, on these rows, is within its limit. It says nothing about numbers that were not measured, other rows, or how labels and decisions came about.
limit-said-intervals = Every interval holds { $confidence } by itself; of many intervals some miss. A breach is judged by intervals widened for the number of criteria. They cover chance in sampling. They do not cover bias: how rows came into the source or were left out of it, wrong labels, wrong measurements.
limit-said-intervals-noise = Every interval holds { $confidence } by itself; of many intervals some miss. A breach is judged by intervals widened for the number of criteria. They cover chance in sampling and the noise of the release. They do not cover bias: how rows came into the source or were left out of it, wrong labels, wrong measurements.
limit-said-privacy-off = Differential privacy is off: every statistic was released by the mechanism exact, without noise. No differential-privacy claim holds for this report.
limit-said-noise-no-claim = Statistics have noise, but this report states no claim of differential privacy: none holds for it.
limit-said-protects-unit = Differential privacy protects all rows of one { $unit }, against readers of what is published. It bounds what these rows add to what a reader learns. What is true of a group, and so likely of its members, is told, whatever the rows of one member.
limit-said-protects-row = Differential privacy protects one row, and not a person with several rows, against readers of what is published. It bounds what these rows add to what a reader learns. What is true of a group, and so likely of its members, is told, whatever the rows of one member.
limit-said-internal = This is the internal edition. It has values without noise, and no claim holds for whoever reads it.
limit-said-given-fixed = Given predictions, decisions and scores are taken as fixed attributes of a row: what a given model learned from other rows is not covered.
limit-said-claims-add-up = Claims add up: who reads several reports on one population learns more than one of them tells. How long a draw takes is not hidden from somebody who watches the run.
limit-said-rows-per-unit = Of a unit's rows at most { $n } are used: the figures describe the rows that were used, in which units of many rows weigh less than in the source.
limit-said-dataset = The de-identified dataset of this run is not covered by a claim of differential privacy. k-anonymity, l-diversity, t-closeness, pseudonyms and the like limit attacks by the attributes they were set up for. What remains: who knows other attributes, or another file of the same people, may still single out, link or infer; several such files together may tell what one does not.
limit-said-deidentified = De-identification, if the source or a copy of it went through any, is not covered by a claim of differential privacy. k-anonymity, l-diversity, t-closeness, pseudonyms and the like limit attacks by the attributes they were set up for. What remains: who knows other attributes, or another file of the same people, may still single out, link or infer; several such files together may tell what one does not.
limit-said-learned = Levels or bounds of { $names } were learned from the data, not declared: a value that should not occur is not noticed there.
limit-said-learned-others = Levels or bounds of { $names }, and others were learned from the data, not declared: a value that should not occur is not noticed there.
limit-said-no-criterion = No criterion was judged. The measurements stand without a limit.
limit-said-undecided = For { $n } { $n ->
    [one] criterion
   *[other] criteria
} the data did not decide at least one value; see the reasons there.
limit-said-small = Across { $across }, { $n } { $n ->
    [one] cohort has
   *[other] cohorts have
} fewer than { $least } rows: their intervals are wide and no criterion is judged on them.
limit-said-small-noise = Across { $across }, { $n } { $n ->
    [one] cohort has
   *[other] cohorts have
} fewer than { $least } rows, by a count with noise: their intervals are wide and no criterion is judged on them.
limit-said-aside = Across { $across }, { $n } { $n ->
    [one] row is
   *[other] rows are
} of unknown or undeclared level: shown, and compared with nobody.
limit-said-aside-noise = Across { $across }, { $n } { $n ->
    [one] row is
   *[other] rows are
} of unknown or undeclared level, by a count with noise: shown, and compared with nobody.
limit-said-undefined = { $n } { $n ->
    [one] value is
   *[other] values are
} undefined, each with its reason; undefined is not zero.
limit-said-suppressed = { $n } { $n ->
    [one] value is
   *[other] values are
} withheld: a count below { $below } is behind them, or could be computed from them.
limit-said-filter-uncounted = Rows the filter leaves out are not counted; nothing here is about them.
limit-said-filtered = { $n } { $n ->
    [one] row was
   *[other] rows were
} left out by the filter; nothing here is about them.
limit-said-filter-undecided = { $n } { $n ->
    [one] row was
   *[other] rows were
} left out because a missing value leaves the filter undecided.
limit-said-malformed = { $n } { $n ->
    [one] field is
   *[other] fields are each
} no value of its column's type and counts as missing.
limit-said-malformed-noise = { $n } { $n ->
    [one] field is
   *[other] fields are each
} no value of its column's type and counts as missing, by a count with noise.
limit-said-trained-here = The model was trained here, on rows of the same source; how it does on rows of another time or place is not measured.
limit-said-skipped = { $n } { $n ->
    [one] row was
   *[other] rows were
} left out of training because a feature was missing.
limit-said-skipped-noise = { $n } { $n ->
    [one] row was
   *[other] rows were
} left out of training because a feature was missing, by a count with noise.

method-confidence = Confidence
method-support-min = Least rows for a criterion
method-suppression = Suppression
method-suppression-noise = none; every count that is published has noise
method-suppression-none = none; every count is shown
method-suppression-below = counts below { $n }, and whatever would disclose them
method-replicates = Bootstrap replicates
method-dependence = Dependence between rows
method-seed = Seed of splits and bootstrap
method-passes = Passes over the rows
method-passes-made = { $planned } planned, { $made } made
method-pass = { $name }: { $why }
method-intervals = Intervals
method-notes = Notes
metrics-label = Definitions of the metrics
metrics-caption = What each metric is, what it hides, and where its definition comes from.
metrics-col-metric = Metric
metrics-col-formula = Formula
metrics-col-hides = Hides
metrics-col-source = Source

resources-unknown = not known here
resources-none = none
resources-no-rows = no rows
resources-public = Time and memory
resources-engine = Engine
resources-threads = { $engine }, { $n } { $n ->
    [one] thread
   *[other] threads
}
resources-pass = pass { $n }: { $name }
resources-wall = Wall time
resources-cpu = CPU time
resources-memory = Most private memory at the end of a stage
resources-label = Resources by stage
resources-caption = Use of resources by stage. Memory is the private memory of the process at the end of the stage.
resources-col-stage = Stage
resources-col-wall = Wall
resources-col-user = CPU, user
resources-col-system = CPU, system
resources-col-memory = Memory
resources-col-read = Read
resources-col-rows = Rows
resources-col-rate = Rows per second

provenance-made-by = Made by
provenance-layout-report = Layout of report.json
provenance-layout-run = Layout of run.json
provenance-version = version { $n }
provenance-seed = Seed
provenance-started = Started
provenance-spec = SHA-256 of the pipeline file
provenance-render = Renders this page again
provenance-verify = Checks every file
provenance-not-signed = Not signed: there is nothing to verify
provenance-where = To be typed in the folder of run folders, of which this run's has the name { $name }.
provenance-inputs-label = Source files
provenance-inputs-caption = Source files as they were read.
provenance-inputs-public-committed = Digests are left out of the public edition: one tells whoever has a file whether it is the one that was audited. The salted commitment in the section on privacy stands for them; the internal edition has the salt to check it by.
provenance-inputs-public = Digests are left out of the public edition: one tells whoever has a file whether it is the one that was audited.
provenance-none = none is recorded
provenance-files-label = Files of this run
provenance-files-caption = Files of this run, beside run.json and this page.
provenance-col-file = File
provenance-col-holds = What it holds
provenance-col-size = Size
provenance-col-sha256 = SHA-256
holds-report = everything this page shows, for programs
holds-readings = every value and comparison with its interval
holds-findings = every judged value with its verdict
holds-cohorts = rows, labels and decisions by cohort
holds-columns = every column with what became of its values
holds-model = the model, as anybody can score it
holds-codebook = what was done to the columns of the de-identified dataset
holds-template = a template of this page, of the pipeline's own
holds-other = a file of this run
holds-evidence = a table of evidence
receipts-label = Receipts
receipts-caption = Receipts: every statistic that left the data, and how.
receipts-col-statistic = Statistic
receipts-col-shape = Shape
receipts-col-mechanism = Mechanism
receipts-exact = exact: no noise, no charge
receipts-laplace = discrete Laplace noise, charged
receipts-gaussian = discrete Gaussian noise, charged

sign-off-intro = For signing by hand. The digests above tie this page to its files.
sign-off-label = Who signs
sign-off-role = Role
sign-off-name = Name
sign-off-prepared = Prepared by
sign-off-reviewed = Reviewed by, independently
sign-off-decided = Decided by
sign-off-decision = Decision and conditions
sign-off-due = Due
sign-off-date = Date
sign-off-signature = Signature

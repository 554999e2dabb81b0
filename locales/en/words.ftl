# Numbers, names and what a table or list leaves out: `more-` and what it is of.

more-attributes = And { $n } more { $n ->
    [one] attribute
   *[other] attributes
}, in { $file }.
more-candidates = And { $n } more { $n ->
    [one] candidate
   *[other] candidates
}, in { $file }.
more-classes = And { $n } more { $n ->
    [one] class
   *[other] classes
}, in { $file }.
more-clauses = And { $n } more { $n ->
    [one] clause
   *[other] clauses
}, in { $file }.
more-cohorts = And { $n } more { $n ->
    [one] cohort
   *[other] cohorts
}, in { $file }.
more-columns = And { $n } more { $n ->
    [one] column
   *[other] columns
}, in { $file }.
more-comparisons = And { $n } more { $n ->
    [one] comparison
   *[other] comparisons
}, in { $file }.
more-criteria = And { $n } more { $n ->
    [one] criterion
   *[other] criteria
}, in { $file }.
more-criteria-without-a-chart = And { $n } more { $n ->
    [one] criterion without a chart
   *[other] criteria without a chart
}, in { $file }.
more-files = And { $n } more { $n ->
    [one] file
   *[other] files
}, in { $file }.
more-levels = And { $n } more { $n ->
    [one] level
   *[other] levels
}, in { $file }.
more-lines = And { $n } more { $n ->
    [one] line
   *[other] lines
}, in { $file }.
more-metrics = And { $n } more { $n ->
    [one] metric
   *[other] metrics
}, in { $file }.
more-metrics-without-a-chart = And { $n } more { $n ->
    [one] metric without a chart
   *[other] metrics without a chart
}, in { $file }.
more-protected-columns = And { $n } more { $n ->
    [one] protected column
   *[other] protected columns
}, in { $file }.
more-receipts = And { $n } more { $n ->
    [one] receipt
   *[other] receipts
}, in { $file }.
more-releases = And { $n } more { $n ->
    [one] release
   *[other] releases
}, in { $file }.
more-rows = And { $n } more { $n ->
    [one] row
   *[other] rows
}, in { $file }.
more-rules = And { $n } more { $n ->
    [one] rule
   *[other] rules
}, in { $file }.
more-runs = And { $n } more { $n ->
    [one] run
   *[other] runs
}, in { $file }.
more-sentences = And { $n } more { $n ->
    [one] sentence
   *[other] sentences
}, in { $file }.
more-sets = And { $n } more { $n ->
    [one] set
   *[other] sets
}, in { $file }.
more-sets-of-attributes = And { $n } more { $n ->
    [one] set of attributes
   *[other] sets of attributes
}, in { $file }.
more-sets-of-cohorts = And { $n } more { $n ->
    [one] set of cohorts
   *[other] sets of cohorts
}, in { $file }.
more-smaller-coefficients = And { $n } more { $n ->
    [one] smaller coefficient
   *[other] smaller coefficients
}, in { $file }.
more-source-files = And { $n } more { $n ->
    [one] source file
   *[other] source files
}, in { $file }.
more-stages = And { $n } more { $n ->
    [one] stage
   *[other] stages
}, in { $file }.
more-subgroups = And { $n } more { $n ->
    [one] subgroup
   *[other] subgroups
}, in { $file }.
more-switches = And { $n } more { $n ->
    [one] switch
   *[other] switches
}, in { $file }.
more-tests = And { $n } more { $n ->
    [one] test
   *[other] tests
}, in { $file }.
more-values = And { $n } more { $n ->
    [one] value
   *[other] values
}, in { $file }.

undefined = undefined
because = {": "}
names-between = {", "}
p-below = below { $value }
unbounded = unbounded
suppressed = suppressed
everyone-together = everyone together
value = value
badge-waived = Waived
badge-met = Met
badge-breached = Breached
badge-undetermined = Undetermined
badge-not-measured = Not measured
level-deny = deny
level-warn = warn
compare-difference-worst-pair = difference of the worst pair
compare-difference-highest = difference to the highest cohort
compare-difference-overall = difference to everyone
compare-difference-reference = difference to the reference cohort
compare-ratio-worst-pair = ratio of the worst pair
compare-ratio-highest = ratio to the highest cohort
compare-ratio-overall = ratio to everyone
compare-ratio-reference = ratio to the reference cohort
limit-between = at least { $least } and at most { $most }
limit-at-most = at most { $most }
limit-at-least = at least { $least }
limit-none = no limit
why-not-finite = the value is no finite number
why-suppressed = withheld, because a count behind it is below the publication limit or would disclose one

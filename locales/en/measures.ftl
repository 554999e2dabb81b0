# measures

measures-everyone-together = Everyone together
measures-everyone-values = Values of everyone together
measures-everyone-caption = Each value with its interval and the rows behind it.
measures-metric = Metric
measures-value = Value
measures-rows = Rows
measures-across = Across { $name }
measures-cohorts-across = Cohorts across { $name }
measures-values-across = Values across { $name }
measures-cohort = Cohort
measures-share = Share
measures-labels = Labels
measures-decisions = Decisions
measures-aside = (not compared)
measures-counts-caption = Rows measured, by cohort. Labels and decisions: 0 / 1 / unknown.
measures-counts-caption-noisy = Rows measured, by cohort, counted with noise: a count may be below 0, and a share above all. Labels and decisions: 0 / 1 / unknown.
measures-judged = What the criteria judged
measures-by-cohort = Values by cohort
measures-key-met = met
measures-key-breached = breached
measures-key-open = undetermined or not measured
measures-key-limit = limit, and what is beyond it
measures-key-none = no difference (0), or the same value (1)
measures-key-everyone = everyone (dashed line)
measures-key-cohort = cohort
measures-key-ring = shown, not compared
measures-values-caption = Values and comparisons, each with its interval. Rows: those in the denominator.
measures-every-comparison = Every comparison, also those with the reference and of the other kind, stands in evidence/readings.csv.
measures-metrics-title = Values and comparisons of { $n } { $n ->
    [one] metric
   *[other] metrics
}
measures-most-rows = { $n } { $n ->
    [one] cohort
   *[other] cohorts
} of most rows shown; { $left } more in { $file }.
measures-sentences = { $first } { $then }
measures-numbers = numbers
measures-reason = { $point }: { $why }.
measures-of-two-cohorts = of two cohorts
measures-not-measured = not measured
measures-not-compared = not compared
measures-all-cohorts = all cohorts together
measures-is-reference = is the reference
measures-is-highest = is the highest
measures-pair = { $one } and { $other }
measures-no-pair = no pair is named
measures-difference = difference
measures-ratio = ratio
measures-worst = Worst pair, { $compare }
measures-worst-left-out = Worst pair, { $compare }; { $n } { $n ->
    [one] cohort
   *[other] cohorts
} of too few rows left out
measures-the-table-below = the table below
measures-more-in-table = { $n } { $n ->
    [one] cohort
   *[other] cohorts
} more in the table.
measures-everyone = everyone
measures-outside = (outside)
measures-outside-levels = (outside the levels)
measures-unknown = (unknown)
measures-list = { $list }; { $part }
measures-description = { $list }.
measures-description-cut = { $list }; and { $n } more in the table.
measures-judged-heading = { $metric }: { $compared }
measures-judged-description = Limit: { $limit }. { $rows }
measures-judged-note = Limit: { $limit }, level { $level }.
measures-judged-note-cut = Limit: { $limit }, level { $level }. { $n } { $n ->
    [one] cohort
   *[other] cohorts
} more in the findings.
measures-worst-pair = worst pair

measures-scores = Quality of the score
measures-scores-withheld = Curves are not shown: { $name }.
measures-roc = ROC curve
measures-roc-note = Selected is who has at least the threshold. The band joins rectangles that hold both rates of one threshold with { $confidence } confidence; on the dashed line a score would tell nothing.
measures-roc-point = at threshold { $threshold } false positive rate { $x }, true positive rate { $y }
measures-reliability = Reliability curve
measures-reliability-note = Rows by score in ten bins. Each dot has the { $confidence } interval of its bin; on the dashed line the share is the score.
measures-reliability-point = mean score { $mean }, share of label 1 { $share }
measures-curve-description = Some of the points: { $list }. The table below has all.
measures-false-positive-rate = False positive rate
measures-true-positive-rate = True positive rate
measures-mean-score = Mean score
measures-share-positive = Share of label 1
measures-threshold = Threshold
measures-corners = Points of the ROC curve
measures-corners-caption = Both rates where everyone with a score of at least the threshold is selected. The intervals of a line hold both at once; they are of one threshold each.
measures-bins = Bins of the reliability curve
measures-bins-caption = Mean score and share of label 1 by score. Each interval is of its bin alone.
measures-bin-of = Score
measures-bin = { $from } to { $to }

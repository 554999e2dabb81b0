# Verdict, findings, criteria.

criteria-evaluated = { $n } of { $of } { $of ->
    [one] criterion
   *[other] criteria
} evaluated
badge-note = Note

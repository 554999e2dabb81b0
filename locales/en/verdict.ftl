# Verdict, findings, criteria.

outcome-pass = PASS
outcome-warn = WARN
outcome-fail = FAIL
outcome-inconclusive = INCONCLUSIVE
criteria-evaluated = { $n } of { $of } { $of ->
    [one] criterion
   *[other] criteria
} evaluated
verdict-blocking = { $n ->
    [0] no criterion of level deny is open
    [one] { $n } criterion of level deny is open
   *[other] { $n } criteria of level deny are open
}
verdict-criteria-by-verdict = Criteria by verdict
verdict-count-breached = breached
verdict-count-undetermined = undetermined
verdict-count-not-measured = not measured
verdict-count-met = met
verdict-count-waived = waived
verdict-decider = Who decides
verdict-nobody-decides = not named in the pipeline file
verdict-decides = { $name }, by { $day }
verdict-decides-by = nobody is named; by { $day }
verdict-run-before = Run before
verdict-run-before-was = { $run } ({ $word })
verdict-no-run-before = none of this pipeline is known
verdict-exit-code = Exit code
verdict-exit-also = Also applies
verdict-exit = { $code }: { $why }
verdict-of-comparison = { $metric } ({ $judged })
verdict-reason-breached = { $of }, { $who }: { $value } { $interval }. The limit is { $limit }; the whole interval is beyond it.
verdict-reason-undetermined = { $of }, { $who }: { $value } { $interval }. That does not decide on the limit, { $limit }.
verdict-reason-not-measured = { $of }, { $who }: not measured. { $why }
verdict-none = No criterion was judged, so nothing was tested against a limit.
verdict-fail = { $n ->
    [one] { $n } criterion of level deny is breached.
   *[other] { $n } criteria of level deny are breached.
}
verdict-inconclusive = { $n ->
    [one] { $n } criterion of level deny is undetermined or not measured; none is breached.
   *[other] { $n } criteria of level deny are undetermined or not measured; none is breached.
}
verdict-notes = { $n ->
    [one] { $n } note is below to read; every criterion of level deny is met or waived.
   *[other] { $n } notes are below to read; every criterion of level deny is met or waived.
}
verdict-notes-no-deny = { $n ->
    [one] { $n } note is below to read; there is no criterion of level deny.
   *[other] { $n } notes are below to read; there is no criterion of level deny.
}
verdict-warn = { $n ->
    [one] { $n } criterion of level warn is not met; every criterion of level deny is met or waived.
   *[other] { $n } criteria of level warn are not met; every criterion of level deny is met or waived.
}
verdict-warn-no-deny = { $n ->
    [one] { $n } criterion of level warn is not met; there is no criterion of level deny.
   *[other] { $n } criteria of level warn are not met; there is no criterion of level deny.
}
verdict-pass = Every criterion is met or waived, by the whole of its interval.

findings-none = There is no finding: nothing was judged.
findings-none-open = No criterion is breached, undetermined or not measured, except where a waiver covers it.
findings-open = What no waiver covers, most severe first. A value is judged by its whole interval, never by its point.
findings-more = { $n ->
    [one] { $n } finding is shown, the most severe; { $left } more in evidence/findings.csv.
   *[other] { $n } findings are shown, the most severe; { $left } more in evidence/findings.csv.
}
findings-not-met = Not met
findings-waived = Waived
findings-met = Met
findings-met-label = Findings that are met
findings-met-caption = Values whose whole interval is within the limit.
findings-col-finding = Finding
findings-col-criterion = Criterion
findings-col-cohort = Cohort
findings-col-verdict = Verdict
findings-col-measured = Measured
findings-col-limit = Limit
findings-col-rows = Rows
finding-title = { $metric }: { $judged }
finding-level = level { $level }
finding-measured = Measured
finding-judged-by = Interval a breach is judged by
finding-next = Next
finding-waiver = Waived until { $until }: { $reason }
finding-everyone = everyone
finding-across = across { $name }
finding-compared-with = { $who }, compared with { $other }
finding-on-column = On a column of the data
finding-on-subgroup = On a subgroup of the rows
finding-on-rule = On a rule
finding-on-membership = On membership by probability
finding-on-file = On the pipeline file
badge-note = Note
action-breached-comparison = look at the rows, labels and decisions of both cohorts, and at the other metrics of this set; then change the process, or waive the breach with a reason and an end.
action-breached-value = look at the value by cohort; then change the model or process, or waive the breach with a reason and an end.
action-undetermined = more rows, or a limit that the data can decide on; until then nothing is shown either way.
action-not-measured = mend what the reason names, or take the criterion out.
action-waived = decide before the waiver ends; from then on the breach counts.
action-identifier = declare the column as an identifier, or say what it is for.
action-subgroup = look at the section on subgroups; a criterion on these attributes would judge it.
action-note = read what the note says of the pipeline file, and change that or accept it.

criteria-intro = Every criterion of the pipeline file, the met ones too. The value is the one that decided the verdict.
criteria-label = Criteria and their verdicts
criteria-caption = Criteria by severity.
criteria-col-value = Value that decided
criteria-col-all = All values
criteria-none = No criterion was judged.
criteria-judged-across = { $judged }, across { $across }
criteria-judged-everyone = { $judged }, { $across }
criteria-because = { $who }: { $why }
tally-breached = { $n } breached
tally-undetermined = { $n } undetermined
tally-not-measured = { $n } not measured
tally-met = { $n } met
tally-waived = { $n } waived
list-comma = { ", " }

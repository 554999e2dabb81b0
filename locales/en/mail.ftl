# mail
markdown-verdict = Verdict
markdown-finding = Finding
markdown-measured = Measured
markdown-limit = Limit
markdown-run = Run `{ $id }`, SHA-256 of report.json `{ $digest }`.
# Mails: subject, verdict, numbers, findings, footer.

mail-subject = [{ $word }] { $name }: { $value } - { $day }
mail-list = { $first }, { $rest }
mail-list-of-two = { $first } { $rest }
mail-blocking = { $n } blocking
mail-warnings = { $n ->
    [one] { $n } warning
   *[other] { $n } warnings
}
mail-notes = { $n ->
    [one] { $n } note
   *[other] { $n } notes
}
mail-nothing-new = still running, nothing new
mail-digest = { $n ->
    [one] { $n } run since the last digest
   *[other] { $n } runs since the last digest
}, FAIL or INCONCLUSIVE: { $of }
mail-digest-run = { $day }, run { $run }
mail-more-runs = And { $n } earlier { $n ->
    [one] run
   *[other] runs
}.
mail-quiet = The pipeline is still running, and there is nothing new. No other mail was sent before this one.
mail-quiet-since = The pipeline is still running, and there is nothing new. The last mail was sent on { $day }.
mail-outcome-pass = { $word }
mail-outcome-warn = { $word }
mail-outcome-fail = { $word }
mail-outcome-inconclusive = { $word }
mail-tile-evaluated = criteria evaluated
mail-tile-blocking = blocking: level deny, neither met nor waived
mail-tile-budget = epsilon left of { $granted } granted
mail-compared = { $name }, { $value }
mail-finding = { $what } - { $who }: { $value }, limit { $limit }.
mail-across = across { $name }
mail-compared-with = { $name }, compared with { $value }
mail-not-measured = not measured
mail-more = And { $n } more { $n ->
    [one] finding
   *[other] findings
} in the report.
mail-alt = Criteria by verdict: breached { $breached }, undetermined { $undetermined }, not measured { $unmeasured }, met { $met }, waived { $waived }.
mail-marks = Octagon with a cross: { $breached } breached. Broken ring: { $undetermined } undetermined. Square: { $unmeasured } not measured. Disc with a tick: { $met } met. Crossed ring: { $waived } waived.
mail-first = No run before this one is known.
mail-as-before = The run before ({ $run }) ended in { $was } too.
mail-before = The run before ({ $run }) ended in { $was }, this one in { $now }.
mail-open = Open the report
mail-pdf = The report is attached as a PDF.
mail-no-pdf = The report was to be attached as a PDF, and there is none of this run.
mail-edition-public = Public edition: covered by the differential-privacy claim.
mail-edition-internal = Internal edition: not covered by the differential-privacy claim. For those who may see the rows.
mail-run = Run
mail-sha256 = SHA-256 of report.json
mail-why-you = You get this mail because the pipeline { $name } has a [[notify]] rule for your address, on: { $on }.
mail-stop = To stop it, ask whoever answers for the pipeline to take your address out of that rule.
mail-stop-owner = To stop it, ask { $name } to take your address out of that rule.

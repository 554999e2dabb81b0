# What differs from the last signed run, or from the run before.

section-changes = Changes
changes-line = { $new } new, { $fixed } fixed, { $still } still open since the run { $run } of { $when }.
changes-line-signed = { $new } new, { $fixed } fixed, { $still } still open since the last signed run, { $run } of { $when }.
changes-intro = No earlier run of this pipeline is signed, so this run is compared with the one before. A finding is open when it is not met and no waiver covers it.
changes-intro-signed = This run is compared with the last one that is signed. A finding is open when it is not met and no waiver covers it.
changes-unread = This run cannot be compared with the run { $run }: { $why }.
changes-unread-missing = its files are not there any more
changes-unread-damaged = its files are damaged
changes-unread-later = a later program wrote it
changes-none = No difference was found.
changes-other-pipeline = The two runs are of pipelines with different names.
changes-other-version = The two reports have different layouts; what only one of them holds is not compared.
changes-spec-otherwise = The pipeline file or its policy differs in something a report does not record.
changes-files-not-told = Whether the source files are the same is not told in the public edition.
changes-new = New: open now, and not before
changes-fixed = Fixed: open before, met now
changes-gone = Not judged any more: open before
changes-still = Still open
changes-waivers-gained = Waivers gained
changes-waivers-ended = Waivers ended
changes-findings-caption = The finding in both runs, with the limit of its day.
changes-chosen = the two that differ most
changes-finding = Finding
changes-cohort = Cohort
changes-before = Before
changes-after = Now
changes-what = What
changes-measured = Measured
changes-movement = Movement
changes-note = Note
changes-judged = { $metric }: { $comparison }
changes-not-judged = not judged
changes-not-measured = not measured
changes-limit-moved = The limit or the level is another, so the two verdicts are not of the same criterion.
changes-verdict-changed = The verdict is another.
changes-more = And { $n } more; evenhand diff lists every one.
changes-values = Judged values
changes-values-note = A point that moved is no change in itself: what counts is whether the intervals of both runs have a value in common. No interval of a difference is given, because it is not known whether the rows of the two runs are of different units. { $n ->
    [one] { $n } value is the same in both runs and not listed.
   *[other] { $n } values are the same in both runs and not listed.
}
changes-values-note-same-rows = A point that moved is no change in itself: what counts is whether the intervals of both runs have a value in common. Both runs read a source file with the same content, so their values are not independent and no interval of a difference is given. { $n ->
    [one] { $n } value is the same in both runs and not listed.
   *[other] { $n } values are the same in both runs and not listed.
}
changes-beyond = moved beyond both intervals
changes-within = within the intervals
changes-same = the same
changes-unsaid = cannot be said: a value is missing
changes-caption-run = The two runs
changes-caption-criteria = Criteria added, removed, or with another limit
changes-caption-settings = Keys of the pipeline file that differ
changes-caption-columns = Columns that differ
changes-caption-data = Rows and source files that differ
changes-caption-model = The model where it differs
changes-caption-budget = Privacy budget
changes-outcome = Outcome
changes-pipeline = Pipeline
changes-program = Program
changes-layout = Layout of the report
changes-spec = SHA-256 of pipeline file and policy, first digits
changes-absent = none
changes-there = there
changes-limit = { $limit }, level { $level }
changes-criterion = { $judged }, across { $across }
changes-roles = Roles of { $name }
changes-levels = Levels of { $name }, removed and added
changes-domain = Domain of { $name }
changes-origin = Origin of the domain of { $name }
changes-derived = Expression of { $name }
changes-declared = declared
changes-learned = learned
changes-rows-read = Rows read
changes-rows-kept = Rows kept
changes-rows-measured = Rows measured
changes-intercept = Intercept
changes-population = Population
changes-epsilon = Epsilon claimed by the run
changes-delta = Delta claimed by the run
changes-spent = Epsilon spent in all
changes-left = Epsilon left
changes-standing-new = New: first open in this run.
changes-standing-still = Open since { $when } (run { $run }).
changes-standing-again = Open again: first seen { $when } (run { $run }), and not open in the run before this one.

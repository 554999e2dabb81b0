//! What the words mean. Under differential privacy some of them mean more, and there are more of them.

use super::{Fact, fact};
use crate::plan::spec::Neighbours;
use crate::report::document::Report;

pub fn glossary(report: &Report) -> Vec<Fact> {
    let mut terms = audit(report.privacy.is_some());
    if let Some(statement) = &report.privacy {
        terms.extend(privacy(statement.neighbours, statement.charge.epsilon.is_none()));
    }
    terms
}

fn audit(private: bool) -> Vec<Fact> {
    let of = |plain: &'static str, noisy: &'static str| if private { noisy } else { plain };
    vec![
        fact(
            "Cohort",
            "The rows with one level of every attribute in a set, such as sex = f, race = black. Unknown and undeclared levels are cohorts that are shown and not compared.",
        ),
        fact(
            "Metric",
            "The definition of a number. Tools use one name for different things; the formula in this report is the one that was used.",
        ),
        fact("Estimate", "A number with its interval and the rows behind it."),
        fact(
            "Interval",
            of(
                "Values the data do not speak against, at the stated confidence. It covers chance in sampling; it does not cover bias: wrong labels, or rows that do not stand for those one asks about.",
                "Values the published numbers do not speak against, at the stated confidence. It covers chance in sampling and the noise of the release; it does not cover bias: wrong labels, or rows that do not stand for those one asks about.",
            ),
        ),
        fact(
            "Support",
            of(
                "Rows in the denominator; of a comparison, in the smaller one.",
                "Rows in the denominator, counted with noise; of a comparison, in the smaller one.",
            ),
        ),
        fact(
            "Undefined",
            of(
                "The number does not exist for these rows, for example a rate among no rows. It is not zero.",
                "The number does not exist for these rows, for example a rate among no rows, or the noise leaves too wide an interval for one. It is not zero.",
            ),
        ),
        fact("Suppressed", "Withheld so that a small count cannot be read off."),
        fact(
            "Criterion",
            "A limit from the pipeline file. Met: the whole interval is on the right side of the limit. Breached: the whole interval, widened for the number of criteria, is on the wrong side. Undetermined: the limit is inside the interval, or there are too few rows. Not measured: there is no estimate.",
        ),
        fact("Level", "Deny: a breach fails the run. Warn: it is reported."),
        fact("Waiver", "A breach that somebody accepted, with a reason and a last day."),
        fact(
            "Outcome",
            "PASS: every criterion is met or waived. WARN: one of level warn is not met. FAIL: one of level deny is breached. INCONCLUSIVE: none is breached, and one of level deny is undetermined or not measured.",
        ),
        fact(
            "Mechanism",
            of(
                "How a statistic was made publishable. Exact: as counted, without noise, so that no claim of differential privacy holds for it.",
                "How a statistic was made publishable. Discrete Laplace and discrete Gaussian: to every number of it a whole number drawn from that law was added, once. Exact: as counted.",
            ),
        ),
        fact(
            "Receipt",
            of(
                "The record that a statistic passed the one door out of the data, and by which mechanism.",
                "The record that a statistic passed the one door out of the data, by which mechanism, and what it cost.",
            ),
        ),
        fact(
            "Worst pair",
            "The two cohorts that differ most: greatest minus least, or least divided by greatest. Its interval holds for all pairs at once.",
        ),
    ]
}

fn privacy(neighbours: Neighbours, concentrated: bool) -> Vec<Fact> {
    let worlds = match neighbours {
        Neighbours::AddRemove => "with a unit's rows and without them",
        Neighbours::ChangeOne => "with one version of a unit's rows and with another",
    };
    let mut terms = vec![
        fact(
            "Differential privacy",
            "A limit on how much the rows of one unit can change the chance of any report. It is a property of how the report was made, whatever a reader knows besides, and it adds up over reports. It hides what one unit adds; it does not hide what is true of a group.",
        ),
        fact(
            "Unit of privacy",
            "Whose rows are hidden together: all that one person brings, where rows name the person; else a single row.",
        ),
        fact(
            "Epsilon and delta",
            format!(
                "The claim: {worlds}, no outcome is more than e^epsilon times as likely in one case as in the other, but for a chance of delta. Smaller is more private; with delta 0 the claim is pure."
            ),
        ),
    ];
    if concentrated {
        terms.push(fact(
            "Rho",
            "The cost in zero-concentrated differential privacy, in which Gaussian noise is counted: costs of several releases add up, and their sum is turned into epsilon at a chosen delta once.",
        ));
    }
    terms.extend([
        fact("Ledger", "The record of what a population has spent, over all runs. A run it cannot afford is refused before any noise is drawn."),
        fact(
            "Edition",
            "Public: what the claim covers, for anybody. Internal: the same with values that have no noise, for those who may see the rows; no claim covers it.",
        ),
        fact(
            "Two-world test",
            format!(
                "An attack on a release: drawn many times {worlds}, an attacker tells the two apart better than the claim allows, or does not. It can falsify a claim and never verify one."
            ),
        ),
    ]);
    terms
}

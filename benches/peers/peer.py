"""The peers of `peers.rs`: one task per process, over the table that evenhand reads.

usage: peer.py TASK FILE ROWS

FILE holds ROWS doubles per column, one column after the other. Loading and imports are not timed. Prints one line of JSON: CPU seconds of
the work and what it found. Exit 3: the peer is not installed.
"""

import json
import sys
import time


def columns(path, rows):
    import numpy

    return numpy.fromfile(path, dtype="<f8").reshape(-1, rows)


def fairlearn(path, rows):
    """Ten rates by sex and race together, all differences and ratios, 10 bootstrap replicates."""
    import pandas
    import sklearn.metrics as skm
    from fairlearn import metrics as flm

    sex, race, label, decision = columns(path, rows)
    table = pandas.DataFrame({
        "sex": pandas.Series(sex.astype(int)).map(dict(enumerate("FM"))).astype(object),
        "race": pandas.Series(race.astype(int)).map(dict(enumerate("ABCDE"))).astype(object),
    })
    label, decision = label.astype("int8"), decision.astype("int8")
    rates = {
        "selection-rate": flm.selection_rate,
        "true-positive-rate": flm.true_positive_rate,
        "false-positive-rate": flm.false_positive_rate,
        "true-negative-rate": flm.true_negative_rate,
        "false-negative-rate": flm.false_negative_rate,
        "accuracy": skm.accuracy_score,
        "error-rate": skm.zero_one_loss,
        "positive-predictive-value": skm.precision_score,
        "f1-score": skm.f1_score,
        "balanced-accuracy": skm.balanced_accuracy_score,
    }

    def work():
        frame = flm.MetricFrame(
            metrics=rates,
            y_true=label,
            y_pred=decision,
            sensitive_features=table,
            n_boot=10,
            ci_quantiles=[0.025, 0.975],
            random_state=1,
        )
        frame.overall_ci, frame.by_group_ci
        for method in ("between_groups", "to_overall"):
            frame.difference_ci(method=method), frame.ratio_ci(method=method)
        return {f"{sex} {race}": row.to_dict() for (sex, race), row in frame.by_group.iterrows()}

    return work


def elastic_net(path, rows):
    """Five folds, four ratios, a hundred penalties. The last three columns are target, label and fold."""
    from sklearn.linear_model import ElasticNetCV
    from sklearn.model_selection import PredefinedSplit

    table = columns(path, rows)
    features, target, fold = table[:-3].T, table[-3], table[-1].astype(int)
    model = ElasticNetCV(l1_ratio=[0.1, 0.5, 0.9, 1.0], alphas=100, cv=PredefinedSplit(fold), n_jobs=1)

    def work():
        model.fit(features, target)
        coefficients = [*model.coef_, model.intercept_]
        return {"strength": model.alpha_, "l1_ratio": model.l1_ratio_, "coefficients": coefficients}

    return work


def logistic(path, rows):
    """Newton's method, the penalty |b|^2 / 2 beside the sum of the losses."""
    import numpy
    from sklearn.linear_model import LogisticRegression

    table = columns(path, rows)
    features, label = numpy.ascontiguousarray(table[:-3].T), table[-2].astype(int)
    model = LogisticRegression(C=1.0, solver="newton-cholesky", max_iter=100)

    def work():
        model.fit(features, label)
        return {"coefficients": [*model.coef_[0], model.intercept_[0]], "rounds": int(model.n_iter_[0])}

    return work


def main():
    task, path, rows = sys.argv[1:]
    try:
        work = {"fairlearn": fairlearn, "elastic-net": elastic_net, "logistic": logistic}[task](path, int(rows))
    except ImportError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
    start = time.process_time()
    found = work()
    seconds = time.process_time() - start
    print(json.dumps({"cpu_seconds": seconds, "found": found}))


main()

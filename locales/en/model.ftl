# model

model-trained = The model was trained in this run; its integer form is in model.json.
model-kind = Kind
model-logistic = logistic
model-linear = linear
model-penalty = Penalty
model-penalty-none = none
model-penalty-ridge = ridge
model-penalty-lasso = lasso
model-penalty-elastic-net = elastic-net
model-strength = Strength
model-absolute-share = Absolute-value share
model-rows-trained = Rows trained on
model-rows-trained-noisy = Rows trained on, with noise
model-rows-left-out = Rows left out of training
model-rows-left-out-noisy = Rows left out of training, with noise
model-intercept = Intercept
model-intercept-value = { $value } (no standard error is computed)
model-gap = Greatest gap between integer and float predictor
model-no-error = no standard error
model-no-interval = no interval
model-note-log-odds = Log odds per unit of the feature. Sizes compare only where units do.
model-note-log-odds-cut = The { $n } greatest. Log odds per unit of the feature. Sizes compare only where units do.
model-note-unit = Unit of the target per unit of the feature. Sizes compare only where units do.
model-note-unit-cut = The { $n } greatest. Unit of the target per unit of the feature. Sizes compare only where units do.
model-note-ring = A ring has no standard error, and so no interval.
model-coefficients = Coefficients
model-coefficients-chart = Chart of the coefficients
model-largest = Largest in size: { $list }. The table has all.
model-caption = Coefficients, largest absolute value first.
model-feature = Feature
model-feature-missing = { $name } is missing
model-coefficient = Coefficient
model-error = Standard error
model-choice = Choice of the penalty
model-penalty-given = The penalty was given in the pipeline file; none was chosen by cross-validation.
model-penalties-tried = { $n } { $n ->
    [one] penalty was
   *[other] penalties were
} cross-validated; the { $shown } of least mean loss:
model-loss = { $mean } (standard error { $error })
model-tried = Penalties that were tried
model-path-caption = Cross-validated loss per penalty.
model-path-chart = Loss by strength of the penalty
model-path-note = Mean loss with one standard error up and down. Strengths are set out by their powers of ten.
model-path-description = Least mean loss { $loss } at strength { $strength }. The table has the best.
model-path-strength = Strength of the penalty
model-path-loss = Mean loss
model-share = share { $share }
model-mean-loss = Mean loss
model-is-used = Used
model-used = used
model-not-used = not used
model-notes = Notes on training

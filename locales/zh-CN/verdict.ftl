# Verdict, findings, criteria.

criteria-evaluated = 已评估 { $n } / { $of } 项准则
badge-note = 提示

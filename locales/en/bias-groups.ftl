# bias-groups

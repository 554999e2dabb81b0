# bias-rows

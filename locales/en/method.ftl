# method

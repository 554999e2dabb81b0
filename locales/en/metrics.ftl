# Metric cards: the English is that of the cards in the report itself.

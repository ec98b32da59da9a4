"""From studies and Readings to a model with its card; the only room that imports torch."""

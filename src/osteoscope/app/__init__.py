"""The review server: starts without a model, a solver or torch."""

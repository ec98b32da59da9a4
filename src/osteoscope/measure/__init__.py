"""Findings to measures, each with unit, method and interval."""

"""Rows that outlive the process: studies, Readings, people, and what they did."""

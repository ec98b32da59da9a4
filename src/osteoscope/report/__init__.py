"""Readings to reports: plain data, then HTML, PDF and pictures."""

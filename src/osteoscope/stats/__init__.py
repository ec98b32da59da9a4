"""Readings to numbers with intervals; cannot tell a person from a program, nor CT from mIBG."""

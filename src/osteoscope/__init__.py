"""Osteoscope measures bone metastases on clinical imaging. Research use only, not a medical device."""

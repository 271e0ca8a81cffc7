"""Recompute a clinical study from its cohort and compare it with its print."""

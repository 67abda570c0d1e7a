"""Objectives: what training descends."""

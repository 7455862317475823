"""Labelled texts and series, read from all the forms that people keep them in."""

"""What there is to see inside a run."""

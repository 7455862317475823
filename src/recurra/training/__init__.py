"""Training: the loop, the plan for the time there is, checkpoints, progress. It knows no task."""

"""Series in time: read from tables, brought onto one grid, with their covariates."""

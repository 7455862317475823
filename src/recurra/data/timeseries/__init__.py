"""Series in time: read from tables, brought onto one grid, joined with what is known beside them."""

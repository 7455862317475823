"""Named datasets: what there is, where it lies, and how it gets here."""

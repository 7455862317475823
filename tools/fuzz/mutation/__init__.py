"""How good bytes, text, trees, arrays, archives and run folders are made bad; everything is drawn from the generator given."""

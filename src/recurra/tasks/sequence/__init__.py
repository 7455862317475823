"""What tasks over whole sequences share: reading them, encoding them, and predicting something of them."""

"""What tasks over whole sequences share: reading them, encoding them, and answering about them."""

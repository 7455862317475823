"""What a trained model's outputs rest on, and how far back it remembers."""

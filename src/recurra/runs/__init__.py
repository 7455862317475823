"""The run folder: its configuration, its manifest, the training that makes it, and the trained model that it holds."""

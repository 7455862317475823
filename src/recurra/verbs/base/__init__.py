"""What several verbs share: options, and lines that are read and printed."""

"""What tasks over series in time share: how columns beside the targets become numbers, what is refused, and how a preprocessor is saved."""

"""What tasks that write a sequence from what they have read share: the decoder, the search for the likeliest sequence, what is shown of it."""

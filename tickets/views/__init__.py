"""Pages of tickets: lists, the conversation, what is done in it, and its files."""

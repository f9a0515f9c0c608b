"""What an assistant is sent of a conversation: chosen by a strategy, counted in the model's tokens."""

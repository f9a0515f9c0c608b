"""What people attach: its type, its name, its encrypted chunks, and the text that can be drawn from it."""

"""The terminal app: a workspace seen and steered from the keyboard. The only part that knows Textual (extra `[console]`)."""

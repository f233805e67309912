"""The terminal app: shows and controls a workspace from the keyboard. The only part that uses Textual (extra `[console]`)."""

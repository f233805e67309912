"""The workspace: its folders, its lock, the inbox, and the one mover of job files."""

"""The workspace: its folders, its lock, its inbox, and the spool that moves job files."""

"""The operator's desk: what is in a workspace's folders, and requests dropped into its inbox. The worker knows nothing of it."""

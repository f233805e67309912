"""The operator's desk: shows what is in a workspace's folders, and drops requests into its inbox. The worker never uses it."""

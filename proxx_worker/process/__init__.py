"""Children of any program: started, drained, watched, stopped, counted. Nothing else in the package starts a process."""

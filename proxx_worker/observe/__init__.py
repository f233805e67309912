"""What people and programs see of the worker: job logs, the worker's log, the status file, metrics, progress."""

"""What a person or a program sees of the work: the job's log, the worker's log, the status file, the progress bar."""

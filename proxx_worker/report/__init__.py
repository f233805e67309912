"""The QC report: source and proxy compared side by side, after the job and on request. Nothing that executes a job imports this.

`comparison` compiles the one FFmpeg pass, `compare` runs it, `findings` judges the measurements, `page` and `document` present
them.
"""

"""The QC report: source and proxy looked at side by side, after the job and on request. Nothing that executes a job imports this.

`comparison` compiles the one FFmpeg pass, `compare` runs it, `findings` judges what was measured, `page` and `document` tell it.
"""

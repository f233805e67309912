"""What a file is: facts from ffprobe's report and the file's bytes, or why it is refused. Pure, like the contract."""

"""What a file is: facts from ffprobe's report and the file's own bytes, or the reason it is refused. Pure, like the contract."""

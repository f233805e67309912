"""Whether a proxy is what its plan promised, and why not, from what the encode and ffprobe reported. Pure, like the contract."""

"""The engines that make proxies (FFmpeg, Resolve), and the ffprobe probes of sources and proxies."""

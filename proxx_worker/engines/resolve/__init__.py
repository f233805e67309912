"""DaVinci Resolve Studio as an engine. Its scripting lives in a child process, because a call into it may never return."""

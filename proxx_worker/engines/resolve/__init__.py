"""The DaVinci Resolve Studio engine. Its scripting API is used in a child process, because a call may never return."""

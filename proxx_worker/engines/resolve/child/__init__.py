"""The child that talks to DaVinci Resolve: standard library only, started as a program of its own."""

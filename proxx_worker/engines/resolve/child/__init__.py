"""The child that talks to DaVinci Resolve: a separate program that uses the standard library only."""

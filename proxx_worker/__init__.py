"""proxx-worker: the deterministic, headless proxy-generation worker."""

__version__ = "2.0.0"

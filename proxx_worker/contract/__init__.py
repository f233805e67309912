"""What integrators rely on: specs, profiles, names, results, errors. Pure: no clock, no files, no processes."""

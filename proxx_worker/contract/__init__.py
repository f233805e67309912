"""What integrators hold on to: specs, profiles, names, results, errors. Pure: no clock, no file, no process."""

"""From clips in folders to JobSpecs in inboxes, and from finished outputs to one folder. A client: it drops and reads files."""

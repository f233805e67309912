"""One job, from its spec to its committed result: checked, encoded and verified task by task, published. It knows no inbox."""

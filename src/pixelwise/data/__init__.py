"""A folder of files becomes cases, facts, patches and batches."""

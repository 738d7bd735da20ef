"""One resumable queue for long benchmark tables: cells are measured, trained and scored in turn."""

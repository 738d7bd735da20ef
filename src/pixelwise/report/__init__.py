"""Records become charts and one self-contained HTML page."""

"""Reports of revenue, as tables and CSV files. Reads from the `public` of other modules."""

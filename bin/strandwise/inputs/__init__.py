"""What a run is given: checks sheet, tables and headers, and plans the jobs that they allow."""

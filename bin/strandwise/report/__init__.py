"""The report: what each job tells MultiQC, one module per job, and the text file that explains the results folder."""

"""The report: figures in words and tables, on one self-contained page."""

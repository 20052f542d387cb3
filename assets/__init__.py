"""When it runs: Dagster only. Bodies of about ten lines that call one function of omnihub."""

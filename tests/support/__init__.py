"""What the black-box suites share: a private PostgreSQL cluster, the running service, an HTTP client."""

"""GET /v1/customers/{id}/relationship and ?order=risk, and what the order is worth."""

"""Laws that hold for any history: random orders, corrections and deletions, seeded."""

"""The HTTP interface as its clients see it, one service for the whole folder."""

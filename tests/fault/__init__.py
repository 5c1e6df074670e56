"""The promises under fault: kills, stops, stalls, hostile clients, logs, streams of any length."""

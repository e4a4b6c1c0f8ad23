"""Mail as bytes and as values: pure functions, no database, no models."""

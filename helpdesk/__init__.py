"""The project itself and the tools every app shares."""

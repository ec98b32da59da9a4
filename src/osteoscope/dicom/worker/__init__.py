"""The child process: everything here reads foreign bytes, under limits, and imports nothing of the parent side."""

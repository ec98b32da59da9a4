"""From files to Studies, on this side of the sandbox: grouping, geometry, and what to tell the user."""

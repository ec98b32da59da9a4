"""A bone under load: density, mesh, material, solving, strength."""

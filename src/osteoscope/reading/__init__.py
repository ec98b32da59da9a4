"""The one path: a Study and its Plan become a Reading."""

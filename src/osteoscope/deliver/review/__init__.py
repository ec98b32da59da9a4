"""What the review server asks of the rooms below: uploads sorted and read, edits applied, signed Readings written."""

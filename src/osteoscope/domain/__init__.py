"""The nouns: geometry, image, anatomy, finding, study, reading. Needs numpy alone."""

"""Images to sites and findings: the classical baseline, without a trained model."""

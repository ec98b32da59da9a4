"""In-silico studies with a truth Reading: planar mIBG scintigraphy of children, and CT."""

"""The only room that speaks DICOM: files to a Study, and a Reading to files."""

"""From files to a folder of results: intake, reading, report and DICOM objects of one study or many."""

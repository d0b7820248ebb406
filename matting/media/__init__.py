"""Reading and writing files: images, clips with sound, and the export formats of matted clips."""

"""Files in and out: pictures, clips with their sound, and what a matted clip can be saved as."""

"""What was made of one photo: its matte, what a visitor changed of it, and the files that can be saved."""

"""Results of one photo: its matte, the visitor's changes to it, and files to save. Without Gradio components."""

"""The Gradio app: tabs, the views they show, what is kept of a visitor's photo while the page is open, and how it is served."""

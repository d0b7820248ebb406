"""Stands in front of Gradio: who may ask, how much, how often, and what is said about it."""

"""One module a tab: what happens when."""
